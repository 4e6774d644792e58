"""Households, cards, tags and keys: what is found, what is refused, and what is logged."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from nearer.aid.households import book as b
from nearer.aid.households.cards import card_hash, new_token
from nearer.aid.households.store import Households
from nearer.aid.households.tables import access_log, household_needs, households
from nearer.aid.refusals import RefusedError
from nearer.errors import UsageError

BY = "desk-1"


def enrolled(people: Households, **more: Any) -> tuple[b.Household, str]:
    values: dict[str, Any] = {"size": 3, "home": "north", "language": "pt", "by": BY} | more
    return b.enrol(people, **values)


def logged(people: Households) -> list[tuple[str, str, str | None]]:
    asked = sa.select(access_log.c.staff, access_log.c.act, access_log.c.card).order_by(access_log.c.line)
    with people.reading() as connection:
        return [tuple(row) for row in connection.execute(asked)]


def test_a_household_is_found_by_its_card_and_every_reading_is_logged(people: Households) -> None:
    household, token = enrolled(people, needs=("no-meat", "infant"))
    card = card_hash(token)
    found = b.household_of(people, card, by="desk-2")
    assert found == household
    assert found == b.Household(household.number, 3, "north", "pt", ("infant", "no-meat"), False)
    assert b.household_of(people, card_hash(new_token()), by=BY) is None
    acts = logged(people)
    assert acts[:2] == [(BY, "enrol", card), ("desk-2", "look", card)]
    assert len(acts) == 3  # who tries cards is seen too


def test_a_replaced_card_is_good_for_nothing_and_the_new_one_has_the_same_tag(people: Households) -> None:
    household, old = enrolled(people)
    tag = b.tag_of(people, "basics", "march", household.number)
    new = b.replace_card(people, household.number, by=BY)
    with pytest.raises(RefusedError, match="was replaced on 2026-03-02"):
        b.household_of(people, card_hash(old), by=BY)
    found = b.household_of(people, card_hash(new), by=BY)
    assert found == household
    assert b.tag_of(people, "basics", "march", found.number) == tag
    assert [card["state"] for card in b.cards_of(people, household.number)].count("active") == 1
    assert b.household_by(people, household.number, by=BY, act="show") == household  # with the card lost
    assert b.household_by(people, old, by=BY, act="show") == household


def test_a_blocked_card_is_refused(people: Households) -> None:
    household, token = enrolled(people)
    assert b.block_cards(people, household.number, by=BY) == 1
    with pytest.raises(RefusedError, match="was blocked"):
        b.household_of(people, card_hash(token), by=BY)
    assert b.entitled(people, "basics", "march", by=BY) == []


def test_a_card_belongs_to_one_household(people: Households) -> None:
    token = new_token()
    first, _ = enrolled(people, token=token)
    with pytest.raises(RefusedError, match="belongs to a household already"):
        enrolled(people, token=token)
    with pytest.raises(RefusedError, match="belongs to a household already"):
        b.replace_card(people, first.number, token=token, by=BY)
    with people.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(households)).scalar() == 1


def test_what_is_kept_of_a_household_can_be_changed(people: Households) -> None:
    household, _ = enrolled(people, needs=("infant",))
    changed = b.change(people, household.number, size=4, needs=("no-gluten",), by=BY)
    assert changed == b.Household(household.number, 4, "north", "pt", ("no-gluten",), False)
    assert b.change(people, household.number, home="south", by=BY).needs == ("no-gluten",)
    assert b.change(people, household.number, needs=(), by=BY).needs == ()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"size": 0}, "1 to 100 people"),
        ({"home": "Rua 5"}, "home centre is a code"),
        ({"language": "Portuguese"}, "two or three small letters"),
        ({"needs": ("Maria is ill",)}, "is not known; there are infant"),
    ],
)
def test_nothing_but_what_is_meant_goes_in(people: Households, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        enrolled(people, **values)
    assert "Maria" not in str(refused.value)
    with people.reading() as connection:
        assert connection.execute(sa.select(household_needs)).first() is None


def test_the_list_of_a_period_has_every_active_card_with_its_tag(people: Households) -> None:
    made = [enrolled(people, size=size, home=home) for size, home in ((1, "north"), (2, "south"), (5, "north"))]
    listed = b.entitled(people, "basics", "march", by=BY)
    key = people.keys().read("basics", "march")
    assert key is not None
    assert {(row.card, row.tag, row.size, row.home) for row in listed} == {
        (
            card_hash(token),
            hmac.new(key, household.number.encode(), hashlib.sha256).hexdigest(),
            household.size,
            household.home,
        )
        for household, token in made
    }
    assert [row.home for row in b.entitled(people, "basics", "march", by=BY, home="south")] == ["south"]
    assert logged(people)[-1] == (BY, "list", None)


def test_each_programme_and_period_has_its_own_key(people: Households, tmp_path: Path) -> None:
    household, _ = enrolled(people)
    tags = {b.tag_of(people, p, q, household.number) for p in ("basics", "baby") for q in ("march", "april")}
    assert len(tags) == 4
    files = sorted((tmp_path / "aid-keys").iterdir())
    assert [file.name for file in files] == [
        f"{programme}.{period}.key" for programme in ("baby", "basics") for period in ("april", "march")
    ]
    assert stat.S_IMODE((tmp_path / "aid-keys").stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)


def test_a_key_that_is_not_there_any_more_is_not_made_anew(people: Households, tmp_path: Path) -> None:
    """With another key every household would have another tag, and could claim again."""
    household, _ = enrolled(people)
    tag = b.tag_of(people, "basics", "march", household.number)
    file = tmp_path / "aid-keys" / "basics.march.key"
    kept = file.read_text()
    file.unlink()
    for _ in range(2):
        with pytest.raises(UsageError, match="put back the folder"):
            b.tag_of(people, "basics", "march", household.number)
    file.write_text("ab" * 32)
    file.chmod(0o600)
    with pytest.raises(UsageError, match="put back the folder"):
        b.tag_of(people, "basics", "march", household.number)
    file.write_text("no key")
    with pytest.raises(UsageError, match="is no key"):
        b.tag_of(people, "basics", "march", household.number)
    file.write_text(kept)
    assert b.tag_of(people, "basics", "march", household.number) == tag


def test_a_key_that_others_may_read_is_refused(people: Households, tmp_path: Path) -> None:
    household, _ = enrolled(people)
    b.tag_of(people, "basics", "march", household.number)
    for path in (tmp_path / "aid-keys" / "basics.march.key", tmp_path / "aid-keys"):
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | 0o040)
        with pytest.raises(UsageError, match="Others may read"):
            b.tag_of(people, "basics", "march", household.number)
        path.chmod(mode)


def test_a_key_whose_maker_was_killed_before_it_was_noted_is_taken(people: Households) -> None:
    key = people.keys().make("basics", "march")
    assert b.period_key(people, "basics", "march") == key


def test_desks_that_need_a_new_key_at_once_get_the_same(people: Households) -> None:
    household, _ = enrolled(people)
    tags: list[str] = []
    starting = threading.Barrier(4)

    def ask() -> None:
        starting.wait()
        tags.append(b.tag_of(people, "basics", "march", household.number))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tags) == 4
    assert len(set(tags)) == 1


def test_the_ledger_is_not_taken_for_a_household_database(places: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is the ledger; households need a database of their own"):
        Households(places[0], tmp_path / "keys", make=True)


def test_without_a_household_database_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`nearer aid enrol` makes it"):
        Households(str(tmp_path / "none.db"), tmp_path / "keys")
    assert list(tmp_path.iterdir()) == []


def test_the_database_s_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "aid-households.db"
    with Households(str(file), None, make=True) as people:
        enrolled(people)
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.glob("aid-households.db*"))
        with pytest.raises(UsageError, match="NEARER_AID_KEYS"):
            b.tag_of(people, "basics", "march", "X")
    assert os.name == "posix"
