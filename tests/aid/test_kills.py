"""What was acknowledged over HTTP is there once, whoever is killed in the middle: the server, a backend, PostgreSQL."""

from __future__ import annotations

import http.client
import os
import random
import signal
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from nearer.aid.migrate import create
from nearer.aid.store import Store

from .clients import SEND_ONE, Load, post
from .postgres import Cluster, new_cluster, why_not
from .server import Nursery, served
from .town import LEDGER, Desk, Ticking


def check(place: str, acknowledged: list[str], lot: str) -> set[str]:
    """Everything acknowledged is there once, balances are the sum of what is there, the audit holds; gives the ids."""
    with Store(place) as store:
        with store.reading() as connection:
            there = [row[0] for row in connection.exec_driver_sql("SELECT id FROM transactions WHERE kind = 'send'")]
        assert len(there) == len(set(there))
        assert len(acknowledged) == len(set(acknowledged))
        assert set(acknowledged) <= set(there)
        desk = Desk(store)
        assert desk.held("TRANSIT") == {lot: len(there)}
        assert desk.held("STOCK") == {lot: 10**9 - len(there)}
        desk.proven()
    return set(there)


def killed_servers(place: str, rounds: int, clients: int, seed: int) -> dict[str, int]:
    """
    Kill the server again and again while clients send.

    Returns
    -------
    dict
        ``acknowledged`` commands, ``rounds`` and those of them ``in_flight`` (a command was sent and not answered when
        the server died), commands ``unanswered``, and those of them that had been ``written``.
    """
    draw = random.Random(seed)
    counted = {"rounds": rounds, "in_flight": 0, "unanswered": 0, "written": 0}
    acknowledged: list[str] = []
    with Store(place) as store:
        lot = Desk(store).give(item="rice", quantity=10**9)
    nursery = Nursery(place)
    try:
        owed: list[str] = []
        for number in range(rounds):
            address = nursery.start()
            where = urlsplit(address)
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
            for id in owed:  # whoever got no answer asks the new server, with the same key
                assert post(connection, "send", id, SEND_ONE)[0] == 200
                acknowledged.append(id)
            connection.close()
            load = Load(address, clients, f"round-{number}")
            load.ready(clients)
            time.sleep(draw.uniform(0, 0.15))
            nursery.kill()
            load.end()
            acknowledged += load.acknowledged
            owed = load.unanswered
            there = check(place, acknowledged, lot)
            counted["in_flight"] += bool(owed)
            counted["unanswered"] += len(owed)
            counted["written"] += len(set(owed) & there)
        counted["acknowledged"] = len(acknowledged)
    finally:
        nursery.close()
    return counted


def test_what_a_killed_server_acknowledged_is_there_once(place: str) -> None:
    counted = killed_servers(place, 10, 3, seed=7)  # on each database: twenty in all
    assert counted["in_flight"] >= 5, counted
    assert counted["acknowledged"] > 50, counted


@pytest.mark.long
def test_what_two_hundred_killed_servers_acknowledged_is_there_once(place: str) -> None:
    counted = killed_servers(place, 200, 8, seed=8)
    assert counted["in_flight"] >= 100, counted
    print(counted)


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL that may be killed."""
    if reason := why_not():
        pytest.skip(reason)
    made = new_cluster()
    try:
        yield made
    finally:
        made.stop()


def of_town(cluster: Cluster) -> tuple[str, str]:
    """A ledger of a town with a lot to draw on; its address and the lot."""
    place = cluster.address.format("postgres")
    create(place, ledger=LEDGER, now=Ticking())
    with Store(place) as store:
        desk = Desk(store)
        desk.set_up()
        return place, desk.give(item="rice", quantity=10**9)


def busy_backends(place: str) -> list[int]:
    """Processes of PostgreSQL that write for others."""
    with psycopg.connect(place, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return [int(row[0]) for row in rows]


def killed_databases(cluster: Cluster, backends: int, postmasters: int, seed: int) -> int:
    """Kill backends, then postmasters, under a server that goes on; how many commands were acknowledged."""
    draw = random.Random(seed)
    place, lot = of_town(cluster)
    with Store(place, tries=2, wait_s=2) as store, served(store) as address:
        load = Load(address, 3, "load-0000", again=True)
        for number in range(backends + postmasters):
            load.ready(len(load.acknowledged) + 10)
            time.sleep(draw.uniform(0, 0.1))
            if number < backends:
                os.kill(draw.choice(busy_backends(place)), signal.SIGKILL)  # PostgreSQL then restarts all of them
            else:
                cluster.kill()
                cluster.start()
        load.ready(len(load.acknowledged) + 10)
        load.end()
    there = check(place, load.acknowledged, lot)
    # A client that sends again until it is answered leaves nothing open but what it was about when it ended.
    assert len(there) - len(load.acknowledged) <= 3
    assert load.unanswered, "nobody was killed in the middle of anything"
    return len(load.acknowledged)


def test_killed_backends_and_postmasters_of_postgres_lose_nothing_acknowledged(own_cluster: Cluster) -> None:
    assert killed_databases(own_cluster, 3, 2, seed=9) > 50


@pytest.mark.long
def test_many_killed_backends_and_postmasters_of_postgres_lose_nothing_acknowledged(own_cluster: Cluster) -> None:
    killed_databases(own_cluster, 60, 40, seed=10)
