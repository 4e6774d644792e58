"""The desk on the command line: a week in commands, answers for programs, and sentences for every fault."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nearer.aid.commands import COMMANDS
from nearer.aid.views import LISTED
from nearer.cli import app

from .town import tag

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``nearer aid …`` in an empty folder; gives what was printed, or the JSON of it with ``--json``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEARER_AID_BY", "staff-1")
    monkeypatch.delenv("NEARER_AID_LEDGER", raising=False)
    monkeypatch.delenv("NEARER_DEBUG", raising=False)

    def nearer(*arguments: object, exit: int = 0) -> Any:
        result = CliRunner().invoke(app, ["aid", *map(str, arguments)])
        assert result.exit_code == exit, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return json.loads(result.stdout) if "--json" in arguments and not exit else result.output

    return nearer


@pytest.fixture
def week(run: Run, sqlite_templates: dict[str, str], tmp_path: Path) -> Run:
    """The town's ledger, as the desk finds it."""
    shutil.copy(sqlite_templates["town"], tmp_path / "aid.db")
    return run


def test_a_town_is_set_up_on_the_command_line_as_by_the_library(run: Run, sqlite_templates: dict[str, str]) -> None:
    for line in (
        "init",
        "add-site hub --type hub --time-zone Europe/Vaduz --name",
        "add-site north --time-zone Europe/Vaduz --name",
        "add-site south --time-zone America/Sao_Paulo --name",
        "add-giver mill --organisation",
        "add-giver g-71",
        "add-item rice --name Rice --unit g kg=1000 sack=25000",
        "add-item oil --name Oil --unit ml",
        "add-unit oil l=1000",
        "add-item kit --unit piece --name",
        "add-item chf --unit rappen --money CHF=100 --name",
        "add-recipe family --makes kit=1 rice=4kg oil=1l",
        "add-programme basics --name Basics",
        "open-period basics march --first 2026-03-01 --last 2026-03-31 rice=2kg rice=5kg@3 kit=1",
    ):
        names = {"hub": "Central hub", "north": "Centre north", "south": "Centre south", "mill": "The old mill"}
        names |= {"kit": "Family kit", "chf": "Swiss franc"}
        words = line.split()
        run(*words, *([names[words[1]]] if words[-1] in ("--name", "--organisation") else []))
    for table in LISTED[: LISTED.index("measures")]:
        made = run("list", table, "--json")
        assert made == run("--ledger", sqlite_templates["town"], "list", table, "--json"), table
        assert made


def test_a_week_on_the_command_line_ends_in_an_audit_that_holds(week: Run) -> None:
    def done(line: str) -> Any:
        return week(*line.split(), "--at", "2026-03-02T09:00+01:00", "--json")

    rice = done("receive hub rice=4sack --giver mill --use-by 2026-09-30")["lots"][0]["lot"]
    oil = done("receive hub oil=30.5l --giver mill --cold --value chf=9000")["lots"][0]["lot"]
    pledge = done("pledge chf=200CHF --giver g-71")["pledge"]
    assert done(f"receive-pledge {pledge} hub 150CHF")["open"] == 5_000
    assert done("buy hub oil=10l --price chf=60CHF")["paid"][0]["quantity"] == 6_000
    done("spend hub chf=12.50CHF --reason transport")
    reservation = done("reserve hub rice=20kg --for-site north")["reservation"]
    first = done(f"send hub north --reservation {reservation}")["shipment"]
    done(f"arrive {first}")
    done(f"release {done('reserve hub rice=1kg')['reservation']}")
    second = done("send hub north rice=10kg oil=5l")["shipment"]
    done(f"arrive {second} {rice}=9000+400 {oil}=5100 --damage wet")
    kits = done("make hub family 2")["lot"]
    third = done("send hub north kit=2")["shipment"]
    done(f"arrive {third} {kits}=1 --more-to-come")
    done(f"arrive {third} {kits}=1")
    given = done(f"hand-over north --programme basics --tag {tag(1)} --size 4 rice=3kg kit=1")
    assert given["left"] == {"kit": 0, "rice": 2_000}
    done(f"reverse {given['transaction']}")
    done(f"damage north {rice}=100 --reason pests")
    done(f"lose north {rice}=10 --reason theft")
    done(f"give-back hub {oil}=100 --reason surplus")
    done("expire north")
    done(f"count north {rice}=28800 --found oil=2l --reason miscount")
    done(f"recall {oil} --reason maker")
    done("site-state north closed --reason flood")
    done("open-period basics april --first 2026-04-01 --last 2026-04-30 --like march")

    held = {(row["kind"], row["site"], row["lot"]): row["quantity"] for row in week("balances", "--json")}
    assert held["STOCK", "north", rice] == 28_800
    assert held["LOST", "hub", rice] == 600
    # 20,000 g and 9,000 g came in good order, 110 were written off, 28,800 were counted.
    assert held["VARIANCE", "north", rice] == 90
    back = week("trace", kits, "--json")["lots"][0]["back"]
    assert {step["giver"] for step in back} == {None, "mill"}
    report = week("audit", "--json")
    assert report["holds"]
    assert "All holds" in week("audit")


def test_every_command_of_the_desk_is_on_the_command_line() -> None:
    there = {command.name for group in app.registered_groups for command in group.typer_instance.registered_commands}
    renamed = {
        "set-site-state": "site-state",
        "add-party": "add-giver",
        "stocktake": "count",
        "lease": "offline",
        "hand-over-offline": "do",
        "propose": "allocate",
    }
    there |= {inner.name for group in app.registered_groups for inner in group.typer_instance.registered_groups}
    assert {renamed.get(kind, kind) for kind in COMMANDS} <= there


def test_a_command_sent_again_with_its_id_counts_once(week: Run) -> None:
    line = ["receive", "hub", "rice=1kg", "--giver", "mill", "--id", "gift-0000001", "--json"]
    assert week(*line) == week(*line)
    assert [row["quantity"] for row in week("balances", "--kind", "STOCK", "--json")] == [1_000]
    told = week("receive", "hub", "rice=2kg", "--giver", "mill", "--id", "gift-0000001", exit=2)
    assert "already stands for another command" in told


def test_many_commands_come_from_a_file_and_twice_is_once(week: Run, tmp_path: Path) -> None:
    rows = [
        {
            "id": f"gift-{n:07d}",
            "kind": "receive",
            "site": "hub",
            "giver": "mill",
            "lines": [{"item": "rice", "quantity": n}],
        }
        for n in range(1, 4)
    ]
    file = tmp_path / "gifts.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
    first = week("do", file)
    assert week("do", file) == first
    assert [json.loads(line)["lots"][0]["quantity"] for line in first.splitlines()] == [1, 2, 3]
    rows[1]["lines"] = [{"item": "rice", "quantity": 1.5, "colour": "red"}]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
    told = week("do", file, exit=2)
    assert "row 2, column lines.0.quantity: " in told
    assert "row 2, column lines.0.colour: is not known here" in told


@pytest.mark.parametrize(
    ("line", "exit", "sentence"),
    [
        ("receive hub rice=4bag --giver mill", 1, "rice is not counted in 'bag'; it has g, kg, sack."),
        ("receive hub rice=x --giver mill", 2, "'rice=x' is no quantity"),
        ("receive hub rice=۱۰kg --giver mill", 0, "rice 10000"),
        ("receive hub rice=1 --giver mill --use-by never", 2, "lines.0.use_by: must be a day such as 2026-03-31"),
        ("receive hub rice=1 --giver Mill", 2, "giver: must be a code: small letters, digits, dashes."),
        ("receive hub rice=1 --giver mill --at noon", 2, "'noon' is no moment"),
        ("send hub north rice=1", 1, "hub has 0 rice for this, not 1."),
        ("send hub north", 2, "give either lines or a reservation"),
        ("damage hub L1-1=2kg --reason wet", 2, "whole base units"),
        (
            "hand-over north --programme basics --tag Maria --size 1 rice=1",
            2,
            "tag: must be an opaque tag of 32 to 64 hexadecimal digits.",
        ),
        ("open-period basics may --first 2026-05-01 --last 2026-05-31 rice=5kg@many", 2, "is no rule"),
        ("balances --kind SHELF", 2, "There is no account of kind SHELF"),
        ("list shelves", 2, "There is no list shelves"),
        ("trace L99-1", 1, "There is no lot 'L99-1'"),
        ("audit --head none.json", 2, "none.json: cannot be read"),
        ("head out.json --key none.pem", 2, "none.pem: cannot be read"),
        ("do none.jsonl", 2, "none.jsonl: cannot be read"),
        ("init", 2, "aid.db is there already"),
    ],
)
def test_every_fault_is_a_sentence_with_its_exit_code(week: Run, line: str, exit: int, sentence: str) -> None:
    told = week(*line.split(), exit=exit)
    assert sentence in " ".join(told.split())
    assert "Traceback" not in told


def test_without_a_ledger_the_way_to_make_one_is_told(run: Run) -> None:
    assert "There is no ledger at aid.db; make one with `nearer aid init`." in run("balances", exit=2)


def test_an_audit_that_finds_something_ends_with_one(week: Run, tmp_path: Path) -> None:
    import sqlite3

    week("key", "key.pem")
    week("head", "head.json", "--key", "key.pem")
    with sqlite3.connect(tmp_path / "aid.db") as raw:
        raw.execute("DROP TRIGGER sites_no_update")
        raw.execute("UPDATE sites SET name = 'Hideout' WHERE site = 'north'")
    told = week("audit", "--head", "head.json", exit=1)
    assert "sites row site north was changed" in told
    assert "The trigger sites_no_update is gone" in told


def test_the_desk_works_on_postgres_by_its_address(postgres: str, run: Run) -> None:
    import psycopg

    with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE desk")
    place = postgres.format("desk")
    run("--ledger", place, "init")
    run("--ledger", place, "add-giver", "mill")
    assert [row["party"] for row in run("--ledger", place, "list", "parties", "--json")] == ["mill"]
    assert "All holds: 2 transactions" in run("--ledger", place, "audit")
    told = run("--ledger", "postgresql://nobody:secret@localhost:1/none", "balances", exit=2)
    assert "cannot be reached" in told
    assert "secret" not in told


def test_without_the_desk_s_packages_it_is_said_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['sqlalchemy'] = None\n"
        "from nearer.cli import main\n"
        "sys.argv = ['nearer', 'aid', 'balances']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=dict(os.environ), check=False
    )
    assert done.returncode == 2, done.stderr
    assert "pip install 'nearer[serve]'" in done.stderr


def test_a_copy_is_made_restored_and_asserted_on_the_command_line(week: Run) -> None:
    week("receive", "hub", "rice=2kg", "--giver", "mill", "--at", "2026-03-02T09:00+01:00")
    made = week("backup", "copy.jsonl.gz", "--json")
    back = week("--ledger", "again.db", "restore", "copy.jsonl.gz", "--json")
    assert back["hash"] == made["hash"] == week("--ledger", "again.db", "audit", "--json")["head"]
    assert "already" in week("--ledger", "again.db", "restore", "copy.jsonl.gz", exit=2)
    assert "form" in week("--ledger", "again.db", "upgrade")
    assert "was asserted" in week("assert-balance", "hub", "rice=2000")
    assert week("assert-balance", "hub", "rice=2000", "oil=0", "--json")["holds"]
    assert "-1" in week("assert-balance", "hub", "rice=2001", exit=1)
    lot = week("balances", "--kind", "STOCK", "--json")[0]["lot"]
    assert "was asserted" in week("assert-balance", "hub", f"{lot}=2000")
    assert "There is no item" in week("assert-balance", "hub", "gold=1", exit=1)
    assert "base units" in week("assert-balance", "hub", "rice=2kg", exit=2)
