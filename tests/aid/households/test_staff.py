"""Staff codes, passwords and roles: what is let in, what is refused, and that no command was forgotten."""

from __future__ import annotations

import pytest

from nearer.aid.commands import COMMANDS
from nearer.aid.households import staff
from nearer.aid.households.store import Households
from nearer.aid.households.tables import ROLES, metadata
from nearer.aid.refusals import RefusedError
from nearer.errors import UsageError

WORDS = "four plain words here"


@pytest.fixture
def boss(people: Households) -> Households:
    staff.add(people, "boss", "coordinator", WORDS)
    return people


def test_every_command_of_the_ledger_has_its_roles() -> None:
    assert set(COMMANDS) <= set(staff.MAY)


def test_every_act_is_allowed_to_somebody_and_only_to_known_roles() -> None:
    for kind, roles in staff.MAY.items():
        assert roles, kind
        assert set(roles) <= set(ROLES), kind
        assert len(set(roles)) == len(roles), kind
        assert "coordinator" in roles, kind


def test_a_viewer_and_an_auditor_change_nothing() -> None:
    for role in ("viewer", "auditor"):
        assert [kind for kind in COMMANDS if staff.may(role, kind)] == []


def test_what_is_not_in_the_table_nobody_may() -> None:
    for role in (*ROLES, "nobody", ""):
        assert not staff.may(role, "delete-everything")
    with pytest.raises(RefusedError, match="no role may"):
        staff.need("coordinator", "delete-everything")
    with pytest.raises(RefusedError, match="The role viewer may not do receive; stock or coordinator may"):
        staff.need("viewer", "receive")
    staff.need("stock", "receive")
    staff.need(None, "receive")  # no staff at all


def test_the_right_password_gives_the_role_and_nothing_else_does(boss: Households) -> None:
    staff.add(boss, "anna", "desk", "another few words")
    assert staff.check(boss, "anna", "another few words") == "desk"
    said = set()
    for code, password in (("anna", WORDS), ("boss", ""), ("nobody", WORDS), ("boss' OR 1=1 --", WORDS)):
        with pytest.raises(RefusedError) as refused:
            staff.check(boss, code, password)
        said.add(str(refused.value))
    staff.change(boss, "anna", disabled=True)
    with pytest.raises(RefusedError) as refused:
        staff.check(boss, "anna", "another few words")
    assert said | {str(refused.value)} == {"This staff code and password do not go together."}
    staff.change(boss, "anna", disabled=False, role="stock")
    staff.set_password(boss, "anna", "yet another one")
    assert staff.check(boss, "anna", "yet another one") == "stock"


def test_passwords_are_kept_as_argon2_hashes_only(boss: Households) -> None:
    with boss.reading() as connection:
        rows = [tuple(row) for row in connection.execute(metadata.tables["staff"].select())]
    assert WORDS not in str(rows)
    assert "$argon2id$" in str(rows)


def test_the_first_is_a_coordinator_and_one_always_stays(people: Households) -> None:
    assert not staff.any_staff(people)
    with pytest.raises(RefusedError, match="The first is a coordinator"):
        staff.add(people, "anna", "desk", WORDS)
    staff.add(people, "boss", "coordinator", WORDS)
    assert staff.any_staff(people)
    for values in ({"disabled": True}, {"role": "viewer"}):
        with pytest.raises(RefusedError, match="No coordinator would be left"):
            staff.change(people, "boss", **values)
    assert staff.check(people, "boss", WORDS) == "coordinator"
    staff.add(people, "second", "coordinator", WORDS)
    staff.change(people, "boss", disabled=True)
    assert [(row["staff"], row["disabled_on"] is None) for row in staff.listed(people)] == [
        ("boss", False),
        ("second", True),
    ]
    assert staff.any_staff(people)


@pytest.mark.parametrize(
    ("code", "role", "password", "sentence"),
    [
        ("Maria Silva", "desk", WORDS, "no person's name"),
        ("anna", "boss", WORDS, "There is no role boss"),
        ("anna", "desk", "short", "at least 10 signs"),
    ],
)
def test_what_is_no_staff_is_refused(boss: Households, code: str, role: str, password: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        staff.add(boss, code, role, password)


def test_a_code_is_given_once(boss: Households) -> None:
    with pytest.raises(RefusedError, match="already"):
        staff.add(boss, "boss", "desk", WORDS)
    for act in (lambda: staff.change(boss, "none", role="desk"), lambda: staff.set_password(boss, "none", WORDS)):
        with pytest.raises(RefusedError, match="There is no staff code none"):
            act()


def test_a_pin_is_a_few_digits() -> None:
    assert staff.fits(staff.hash_of_pin("4711"), "4711")
    assert not staff.fits(staff.hash_of_pin("4711"), "4712")
    assert not staff.fits("no hash", "4711")
    for pin in ("123", "123456789", "12a4", "١٢٣٤"):
        with pytest.raises(UsageError, match="4 to 8 digits"):
            staff.hash_of_pin(pin)
