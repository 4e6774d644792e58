"""Sign-ins are kept: who, when, how and from which network, and never a password; audited by who may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from nearer.aid.api.sessions import Sessions
from nearer.aid.households import book as b
from nearer.aid.households import signins, staff
from nearer.aid.households.copying import upgrade
from nearer.aid.households.retain import retain
from nearer.aid.households.store import Households
from nearer.errors import UsageError

from ..server import served
from ..town import Desk, Ticking
from .conftest import Run
from .test_http import WORDS, Server, Steady

WRONG = "a wrong one that nobody has"


@pytest.fixture
def server(town: Desk, people: Households) -> Iterator[Server]:
    for code, role in (("boss-1", "coordinator"), ("desk-1", "desk"), ("desk-2", "desk"), ("books-1", "auditor")):
        staff.add(people, code, role, WORDS)
    seconds = Steady()
    sessions = Sessions(people, seconds)
    with (
        served(town.store, sessions.gate(), people, sessions) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield Server(client, seconds)


def kept(people: Households) -> list[tuple[str | None, str, str]]:
    """Code, outcome and way, the first first."""
    return [(row["staff"], row["outcome"], row["way"]) for row in reversed(signins.newest(people, 1000))]


def test_an_address_is_shortened_to_its_network() -> None:
    assert signins.network_of("192.168.7.31") == "192.168.7.0/24"
    assert signins.network_of("::ffff:192.168.7.31") == "192.168.7.0/24"
    assert signins.network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1::/48"
    assert signins.network_of("testclient") == ""


def test_each_sign_in_refusal_and_sign_out_is_kept_and_no_password(server: Server, people: Households) -> None:
    desk = server.as_("desk-1")
    server.sign_in("desk-1", WRONG)
    server.sign_in("four-plain-words", WRONG)  # could be a password in the wrong field
    server.client.delete("/sessions", headers=desk)
    server.client.delete("/sessions", headers=desk)  # nobody signs out twice
    assert kept(people) == [
        ("desk-1", "in", "password"),
        ("desk-1", "refused", "password"),
        (None, "refused", "password"),
        ("desk-1", "out", "password"),
    ]
    with people.reading() as connection:
        rows = str(connection.execute(sa.text("SELECT * FROM sign_ins")).all())
    assert "127.0.0.0/24" in rows
    assert not any(secret in rows for secret in (WRONG, WORDS, "four-plain-words", "127.0.0.1"))


def test_who_has_to_wait_is_kept_once_however_often_it_is_tried(server: Server, people: Households) -> None:
    for _ in range(5):
        server.sign_in("desk-1", WRONG)
    assert {server.sign_in("desk-1", WRONG).status_code for _ in range(20)} == {429}
    assert [outcome for _, outcome, _ in kept(people)] == ["refused"] * 5 + ["waits"]
    server.seconds.now += 700
    server.sign_in("desk-1", WRONG)
    assert server.sign_in("desk-1", WRONG).status_code == 429
    assert [outcome for _, outcome, _ in kept(people)][6:] == ["refused", "waits"]


def test_a_witness_signs_in_too_and_is_slowed_down(server: Server, town: Desk, people: Households) -> None:
    card = b.enrol(people, size=4, home="north", language="pt", by="desk-1")[1]
    desk = server.as_("desk-1")
    body = {"card": card, "site": "north", "programme": "basics", "lines": [{"item": "rice", "quantity": 1}]}
    body |= {"proof": "witness", "witness": "desk-2"}

    def confirmed(password: str, key: str) -> int:
        sent = {**body, "witness_password": password}
        headers = {**desk, "Idempotency-Key": key}
        return server.client.post("/cards/hand-over", json=sent, headers=headers).status_code

    assert [confirmed(WRONG, f"witness-000{n}") for n in range(7)] == [401] * 5 + [429] * 2
    server.seconds.now += 700
    assert confirmed(WORDS, "witness-0008") == 200
    assert kept(people)[1:] == [
        *[("desk-2", "refused", "witness")] * 5, ("desk-2", "waits", "witness"), ("desk-2", "in", "witness"),
    ]  # fmt: skip


def test_sign_ins_and_readings_are_shown_to_who_audits_the_newest_first(server: Server, people: Households) -> None:
    card = b.enrol(people, size=4, home="north", language="pt", by="desk-1")[1]
    b.household_by(people, card, by="desk-1", act="show")
    for code in ("desk-1", "desk-2", "books-1"):
        server.as_(code)
    books = server.as_("books-1")
    first = server.client.get("/sign-ins?limit=3", headers=books).json()
    assert [row["staff"] for row in first["rows"]] == ["books-1", "books-1", "desk-2"]
    then = server.client.get(f"/sign-ins?before={first['next']}", headers=books).json()
    assert [row["staff"] for row in then["rows"]] == ["desk-1"]
    assert then["next"] is None
    reads = server.client.get("/access-log?limit=1", headers=books).json()
    assert [(row["act"], row["staff"]) for row in reads["rows"]] == [("show", "desk-1")]
    reads = server.client.get(f"/access-log?before={reads['next']}", headers=books).json()
    assert [row["act"] for row in reads["rows"]] == ["enrol"]
    assert card not in str(reads)
    desk = server.as_("desk-1")
    assert [server.client.get(f"/{name}", headers=desk).status_code for name in ("sign-ins", "access-log")] == [403] * 2


def test_sign_ins_go_with_the_access_log(town: Desk, people: Households, clock: Ticking) -> None:
    signins.keep(people, "boss", "in", "password", "")
    clock.now += timedelta(days=91)
    signins.keep(people, "boss", "in", "password", "")
    assert retain(town.store, people, log_days=90).sign_ins == 1
    assert len(kept(people)) == 1


def test_a_household_database_without_the_table_is_brought_to_it(people: Households) -> None:
    place = people.url.render_as_string(False) if people.is_postgres else str(people.url.database)
    with people.engine.connect() as connection:
        for statement in ("DROP TABLE sign_ins", "UPDATE households_version SET version_num = '0001'"):
            connection.exec_driver_sql(statement)
        connection.commit()
    with pytest.raises(UsageError, match="nearer aid upgrade"):
        Households(place, None)
    upgrade(place)
    with Households(place, None) as again:
        signins.keep(again, None, "refused", "password", "")
        with pytest.raises(sa.exc.DBAPIError, match="rows of sign_ins"), again.writing() as connection:
            connection.exec_driver_sql("DELETE FROM sign_ins")


def test_passwords_at_the_command_line_are_kept_too_and_shown(run: Run) -> None:
    run("add-staff boss --role coordinator", new_password=WORDS)
    run("--as boss balances", password=WORDS)
    run("--as boss balances", password=WRONG, exit=1)
    rows = run("--as boss sign-ins --json", password=WORDS)
    assert [(row["staff"], row["outcome"], row["way"]) for row in rows] == [
        ("boss", "in", "terminal"), ("boss", "refused", "terminal"), ("boss", "in", "terminal"),
    ]  # fmt: skip
    shown = run("--as boss sign-ins", password=WORDS)
    assert "terminal" in shown
    assert WRONG not in shown
