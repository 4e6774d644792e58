"""Canaries: secrets that were really used are searched for in everything that is written or said."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from nearer.aid.households import book as b
from nearer.aid.households import staff
from nearer.aid.households.cards import card_hash, new_token
from nearer.aid.households.store import Households
from nearer.aid.households.tables import cards
from nearer.cli import app

from .conftest import Run

AT = "--at 2026-03-03T10:00+01:00"
WORDS = "canary-password-words"
NAME = "Canary Surname"


def spellings(secret: str) -> set[bytes]:
    """How a secret could be written: with and without dashes and blanks, in small letters, and as its bytes."""
    plain = secret.replace("-", "")
    return {text.encode() for text in (secret, plain, secret.lower(), plain.lower(), secret.replace("-", " "))}


def holding(folder: Path, secret: str) -> set[str]:
    """Files in which a secret is found."""
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and any(found in file.read_bytes() for found in spellings(secret))
    }


def test_no_secret_is_found_where_it_does_not_belong(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A day at a desk: tokens, a number, a PIN and passwords are used, rightly and wrongly; then all is searched."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []

    def done(line: str, *, exit: int = 0, input: str = "", **given: str) -> str:
        environment = {f"NEARER_AID_{name.upper()}": value for name, value in given.items()}
        result = CliRunner().invoke(app, ["aid", *line.split(" ")], input=input, env=environment)
        assert result.exit_code == exit, result.output
        said.append(result.output)
        return result.output

    card = new_token()
    enrolled = run("enrol --size 4 --home north --pin --card - --json", input=card, pin="73194682")
    number, lost = enrolled["household"], run("enrol --size 1 --home north --json")
    run("add-staff boss --role coordinator", new_password=WORDS)
    boss: dict[str, Any] = {"password": WORDS}
    hand = f"--as boss hand-over north rice=1kg --programme basics --proof pin --card - {AT}"
    done(f"--as boss look - --site north --programme basics {AT}", input=card, **boss)
    done(f"{hand} --json", input=card, pin="73194682", **boss)
    done(hand, input=card, pin="00000000", exit=1, **boss)
    done(f"{hand.replace('rice=1kg', 'rice=99kg')} --json", input=card, pin="73194682", exit=1, **boss)
    done(f"{hand} --json", input=new_token(), pin="73194682", exit=1, **boss)
    done(f"--as boss look {card[:-1]}! --site north --programme basics", exit=1, **boss)
    done("--as boss balances", password="canary-wrong-password", exit=1)
    new = run(f"--as boss card replace {lost['household']} --json", **boss)["card"]
    done(f"--as boss look {lost['card']} --site north --programme basics {AT} --json", exit=1, **boss)
    done("--as boss access-log --json", **boss)
    done("--as boss staff --json", **boss)
    done("--as boss trace L14-1 --json", **boss)
    done("--as boss movements --json", **boss)
    done("--as boss audit --json", **boss)
    done("--as boss retain --disputes 36500 --json", **boss)

    written = "\n".join([*said, caplog.text])
    for secret in (card, new, lost["card"], "73194682", WORDS, "canary-wrong-password"):
        assert holding(tmp_path, secret) == set(), "in a file"
        assert not any(found.decode() in written for found in spellings(secret)), "in an answer"
    # A household's number is in the household database alone, and is told to nobody who did not give it.
    assert {name.split("-wal")[0] for name in holding(tmp_path, number)} == {"aid-households.db"}
    assert number not in written
    # Tags are in the ledger alone.
    keys = {file.name: bytes.fromhex(file.read_text()) for file in (tmp_path / "aid-keys").iterdir()}
    tag = b.tag_with(keys["basics.march.key"], number)
    assert {name.split("-wal")[0] for name in holding(tmp_path, tag)} == {"aid.db"}
    assert tag not in written
    # The key is in its file alone.
    assert holding(tmp_path, keys["basics.march.key"].hex()) == {"aid-keys/basics.march.key"}


def test_the_search_finds_a_secret_that_was_written(tmp_path: Path) -> None:
    token = new_token()
    (tmp_path / "log").write_text(f"scanned {token.replace('-', '').lower()} at the desk")
    assert holding(tmp_path, token) == {"log"}


def test_a_fault_of_the_database_does_not_repeat_what_was_written_to_it(people: Households) -> None:
    """SQLAlchemy would add the values to its message, and a server would log them."""
    token = new_token()
    _, first = b.enrol(people, size=1, home="north", language="pt", token=token, by="desk-1")
    with pytest.raises(sa.exc.IntegrityError) as refused, people.writing() as connection:
        connection.execute(
            cards.insert().values(card=card_hash(first), household="nobody", state="active", since="2026-03-02")
        )
    said = re.sub(r"DETAIL:.*", "", str(refused.value))
    assert card_hash(token) not in said


@pytest.mark.parametrize("field", ["home", "language", "need", "code", "role"])
def test_a_name_that_is_given_anyway_is_refused_and_not_kept(people: Households, tmp_path: Path, field: str) -> None:
    values: dict[str, Any] = {"size": 1, "home": "north", "language": "pt", "needs": ()}
    if field in ("code", "role"):
        given = {"code": "boss", "role": "coordinator"} | {field: NAME}
        with pytest.raises(ValueError):
            staff.add(people, given["code"], given["role"], WORDS)
    else:
        values["needs" if field == "need" else field] = (NAME,) if field == "need" else NAME
        with pytest.raises(ValueError):
            b.enrol(people, **values, by="desk-1")
    assert holding(tmp_path, NAME) == set()
