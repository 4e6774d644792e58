"""Cards, staff and labels on the command line: a morning at the desk, and who may do what."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import psycopg
import pytest

from nearer.aid.commands import COMMANDS
from nearer.aid.households import staff
from nearer.cli import app
from nearer.cli.aid.doorkeeper import KINDS, OPEN

from .conftest import Run

AT = "--at 2026-03-03T10:00+01:00"
HERE = f"--site north --programme basics {AT}"
WORDS = "four-plain-words-here"


def enrolled(run: Run, more: str = "", **given: str) -> dict[str, str]:
    found: dict[str, str] = run(f"enrol --size 4 --home north --language pt {more}".strip(), "--json", **given)
    return found


def test_a_morning_at_the_desk(run: Run) -> None:
    token, number = enrolled(run, "--need no-meat").values()
    told = run(f"look {token} {HERE}")
    assert told.splitlines() == [
        "basics, march: yes.",
        "item  unit   entitled  drawn  left",
        "kit   piece         1      0     1",
        "rice  g          5000      0  5000",
        "Needs: no-meat. Spoken to in pt.",
    ]
    told = run(f"hand-over north rice=5kg --programme basics --card - {AT}", input=f"{token}\n")
    assert "Left in this period: 1 kit, 0 rice" in told
    again = run(f"hand-over north rice=1g --programme basics --card {token} {AT}", exit=1)
    assert "This household has 0 of rice left in march, not 1." in again
    assert token not in again
    new = run(f"card replace {number} --json")["card"]
    assert "This card was replaced" in run(f"look {token} {HERE}", exit=1)
    assert run(f"look - {HERE}", "--json", input=f"{new}\n")["shares"][1]["left"] == 0
    shown = run(f"card show {new}")
    assert "4 people, north, spoken to in pt." in shown
    assert "Needs: no-meat. No PIN." in shown
    assert "size" in str(run(f"change-household {new} --size 5 --no-needs --json"))
    assert "Needs: none." in run(f"card show {number}")
    assert run(f"card block {number}") == "The card is blocked.\n"
    assert run(f"card block {number}") == "There was no card to block.\n"
    assert "All holds" in run("audit")
    assert {row["act"] for row in run("access-log --json")} == {
        *("enrol", "look", "hand-over", "replace", "show", "change", "block")
    }


def test_the_same_id_is_answered_the_same(run: Run) -> None:
    token = enrolled(run)["card"]
    line = f"hand-over north rice=2kg --programme basics --card {token} --id once-and-again --json"
    assert run(f"{line} {AT}") == run(line)  # a moment later, and without being told when


def test_a_pin_comes_from_the_environment_or_standard_input(run: Run) -> None:
    token = enrolled(run, "--pin", pin="4711")["card"]
    line = f"hand-over north rice=1kg --programme basics --proof pin {AT} --card"
    assert "The PIN is wrong" in run(f"{line} {token}", exit=1, pin="1111")
    assert "Handed over" in run(f"{line} -", input=f"{token}\n4711\n")
    assert "PIN is needed: set NEARER_AID_PIN" in run(f"{line} {token}", exit=2)


def test_a_printed_card_is_enrolled(run: Run, tmp_path: Path) -> None:
    from nearer.aid.households.cards import new_token

    token = new_token()
    assert enrolled(run, f"--card {token}")["card"] == token
    assert "belongs to a household already" in run("enrol --size 1 --home north --card -", input=token, exit=1)


@pytest.mark.parametrize(
    ("line", "exit", "sentence"),
    [
        ("enrol --size 4 --home nowhere", 2, "There is no site nowhere"),
        ("enrol --size 4 --home north --need Maria", 2, "of the needs given is not known"),
        ("enrol --size 4 --home north --card Maria", 1, "This is no card"),
        ("look Maria --site north --programme basics", 1, "This is no card"),
        ("card steal 123", 2, "show, replace or block"),
        ("card show 123 --card 456", 2, "A printed card is given to replace another"),
        ("hand-over north rice=1kg --programme basics", 2, "Give --card, or --tag with --size"),
        ("hand-over north rice=1kg --programme basics --card x --size 3", 2, "needs no tag and no size"),
        ("labels out.pdf", 2, "Labels of what?"),
        ("labels out.pdf L99-1", 1, "There is no lot L99-1"),
        ("labels out.pdf --site south", 1, "south holds no lots"),
        ("labels none/../aid.db/out.pdf --cards 1", 2, "could not be written"),
        ("add-staff anna --role desk", 2, "Password for anna is needed: set NEARER_AID_NEW_PASSWORD"),
        ("change-staff anna", 2, "Say what to change"),
    ],
)
def test_every_fault_is_a_sentence_that_repeats_no_secret(run: Run, line: str, exit: int, sentence: str) -> None:
    enrolled(run)
    told = run(line, exit=exit)
    assert sentence in " ".join(told.split())
    assert "Traceback" not in told
    assert "Maria" not in told


def test_without_households_it_is_said_who_makes_them(run: Run, tmp_path: Path) -> None:
    for line in ("card show 123", "access-log", "staff", "retain"):
        assert "`nearer aid enrol` makes it" in run(line, exit=2)
    assert not list(tmp_path.glob("*households*"))


# Staff


@pytest.fixture
def staffed(run: Run) -> Run:
    """A ledger with one of each role; passwords are asked for from now on."""
    run("add-staff boss --role coordinator", new_password=WORDS)
    for role in ("viewer", "desk", "stock", "auditor"):
        run(f"--as boss add-staff {role}-1 --role {role}", password=WORDS, new_password=WORDS)
    return run


def test_with_staff_a_password_is_needed_for_everything(staffed: Run) -> None:
    assert "The password of desk is needed: set NEARER_AID_PASSWORD" in staffed("balances", exit=2)
    for by, password in (("boss", "wrong-password"), ("nobody", WORDS)):
        told = staffed(f"--as {by} balances", password=password, exit=1)
        assert "This staff code and password do not go together." in told
        assert password not in told
    assert "rice" in staffed("--as viewer-1 balances", password=WORDS)
    assert staffed("--help", exit=0)


def test_a_role_does_what_it_may_and_nothing_else(staffed: Run) -> None:
    for by, line, may in (
        ("viewer-1", "add-giver g-9", False),
        ("stock-1", "add-giver g-9", True),
        ("stock-1", "enrol --size 1 --home north", False),
        ("desk-1", "enrol --size 1 --home north", True),
        ("desk-1", f"hand-over north rice=1kg --programme basics --tag {'ab' * 16} --size 1 {AT}", False),
        ("boss", f"hand-over north rice=1kg --programme basics --tag {'ab' * 16} --size 1 {AT}", True),
        ("desk-1", "site-state south closed", False),
        ("desk-1", "count north L14-1=1", False),
        ("auditor-1", "access-log", True),
        ("desk-1", "access-log", False),
        ("desk-1", "retain", False),
        ("auditor-1", "staff", True),
        ("desk-1", "add-staff me --role coordinator", False),
    ):
        told = staffed(f"--as {by} {line}", password=WORDS, new_password=WORDS, exit=0 if may else 1)
        assert may or "may not do" in told, line


def test_commands_of_a_file_are_looked_up_one_by_one_and_in_one_s_own_name(staffed: Run, tmp_path: Path) -> None:
    file = tmp_path / "commands.jsonl"
    for by, line, said in (
        ("stock-1", '{"id": "file-0001", "kind": "add-party", "party": "g-1"}', "file-0001"),
        ("stock-1", '{"id": "file-0002", "kind": "add-site", "site": "west", "name": "West"}', "may not do add-site"),
        ("stock-1", '{"id": "file-0003", "kind": "add-party", "party": "g-2", "by": "boss"}', "cannot act as boss"),
        (
            "desk-1",
            '{"id": "file-0004", "kind": "hand-over", "site": "north", "programme": "basics", "size": 1, '
            f'"tag": "{"ab" * 16}", "lines": [{{"item": "rice", "quantity": 1}}]}}',
            "may not do hand-over-by-tag",
        ),
    ):
        file.write_text(line)
        assert said in staffed(f"--as {by} do {file}", password=WORDS, exit=0 if said == "file-0001" else 1)


def test_staff_is_changed_and_never_deleted(staffed: Run) -> None:
    staffed("--as desk-1 password", password=WORDS, new_password="other-plain-words")
    assert "do not go together" in staffed("--as desk-1 balances", password=WORDS, exit=1)
    staffed("--as boss change-staff desk-1 --role stock", password=WORDS)
    staffed("--as desk-1 add-giver g-9", password="other-plain-words")
    staffed("--as boss change-staff desk-1 --disable", password=WORDS)
    assert "do not go together" in staffed("--as desk-1 balances", password="other-plain-words", exit=1)
    staffed("--as boss change-staff desk-1 --enable --new-password", password=WORDS, new_password=WORDS)
    rows = staffed("--as boss staff --json", password=WORDS)
    assert [(row["staff"], row["role"], row["disabled_on"]) for row in rows if row["staff"] == "desk-1"] == [
        ("desk-1", "stock", None)
    ]


def test_a_witness_gives_a_password_too(staffed: Run) -> None:
    token = staffed("--as desk-1 enrol --size 4 --home north --json", password=WORDS)["card"]
    line = f"--as desk-1 hand-over north rice=1kg --programme basics --card {token} --proof witness {AT} --witness"
    assert "somebody else" in staffed(f"{line} desk-1", password=WORDS, witness_password=WORDS, exit=1)
    assert "do not go together" in staffed(f"{line} boss", password=WORDS, witness_password="no", exit=1)
    assert "Handed over" in staffed(f"{line} boss", password=WORDS, witness_password=WORDS)


def test_every_command_of_the_desk_has_its_roles() -> None:
    """A command that nobody entered in the table could be used by no one; this says so before it is shipped."""
    (group,) = (group.typer_instance for group in app.registered_groups if group.name == "aid")
    assert group is not None
    names = {str(command.name) for command in group.registered_commands}
    missing = {KINDS.get(name, name) for name in names - set(OPEN)} - set(staff.MAY)
    assert not missing, f"nearer.aid.households.staff.MAY has no row for {sorted(missing)}"
    assert set(KINDS.values()) <= set(COMMANDS)


def test_every_command_of_the_desk_is_asked_for_its_role(staffed: Run) -> None:
    """None of them answers without a password, whatever else is missing."""
    (group,) = (group.typer_instance for group in app.registered_groups if group.name == "aid")
    assert group is not None
    for command in group.registered_commands:
        if command.name in OPEN:
            continue
        assert command.callback is not None
        assert hasattr(command.callback, "__wrapped__"), command.name
        assert "context" in command.callback.__wrapped__.__annotations__, command.name


def test_a_household_database_that_was_named_and_is_not_there_lets_nobody_in(run: Run, tmp_path: Path) -> None:
    told = run("--households elsewhere.db balances", exit=2)
    assert "There is no household database at elsewhere.db" in told
    (tmp_path / "aid-households.db").write_text("no database at all, and not an empty one either " * 40)
    assert "aid-households.db" in run("balances", exit=2)


def test_on_postgres_the_households_have_their_own_database(run: Run, postgres: str, tmp_path: Path) -> None:
    with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE desk_cli TEMPLATE town")
    place = f"--ledger {postgres.format('desk_cli')}"
    assert run(f"{place} list sites")  # without a household database nobody is asked
    told = run(f"{place} enrol --size 1 --home north", exit=2)
    assert "desk_cli_households" in told
    with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE desk_cli_households")
    token = run(f"{place} enrol --size 1 --home north --json")["card"]
    assert "give --keys, or set NEARER_AID_KEYS" in run(f"{place} look {token} {HERE}", exit=2)
    assert "yes" in run(f"{place} --keys {tmp_path}/keys look {token} {HERE}")
    run(f"{place} add-staff boss --role coordinator", new_password=WORDS)
    assert "The password of" in run(f"{place} list sites", exit=2)
    assert run(f"{place} --as boss list sites", password=WORDS)
    assert re.fullmatch(r"[a-z.]+\.key", *[file.name for file in (tmp_path / "keys").iterdir()])
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
