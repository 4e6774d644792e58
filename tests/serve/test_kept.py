"""Answers are made once, sent packed, told apart by the data, and still there for the next server."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nearer.errors import NearerError, UsageError
from nearer.serve import kept
from nearer.serve.app import create_app
from nearer.serve.kept import Kept
from nearer.serve.maker import Maker
from nearer.serve.shelf import Shelf

from .conftest import served, write_rows


def in_a_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it, run in a thread of its own: a browser of another test may keep this one's loop busy."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Made:
    """Counts how often something is made."""

    def __init__(self, shelf: Shelf, study: Path, body: bytes = b"x" * 1000) -> None:
        self.times, self.body, self.shelf, self.study = 0, body, shelf, study
        self.rev, self.asked = "r", "scene"

    async def __call__(self) -> bytes:
        self.times += 1
        await asyncio.sleep(0.02)
        return self.shelf.put(self.study, self.rev, self.asked, self.body)

    async def ask(self, cache: Kept, rev: str = "r", asked: str = "scene") -> bytes:
        self.rev, self.asked = rev, asked
        return gzip.decompress(await cache.packed(self.study, rev, asked, self))


def test_what_many_ask_for_at_once_is_made_once_and_one_who_leaves_takes_nothing_away(tmp_path: Path) -> None:
    cache, made = Kept(Shelf()), Made(Shelf(), tmp_path)

    async def many() -> list[bytes]:
        leaves = asyncio.create_task(made.ask(cache))
        others = [asyncio.create_task(made.ask(cache)) for _ in range(50)]
        await asyncio.sleep(0.01)
        leaves.cancel()
        return await asyncio.gather(*others)

    assert set(in_a_loop(many())) == {made.body}
    assert made.times == 1
    assert cache.held(tmp_path, "r", "scene") is not None
    assert not cache._making


def test_an_error_is_told_to_all_who_wait_and_kept_for_nobody(tmp_path: Path) -> None:
    cache, times = Kept(Shelf()), [0]

    async def refuse() -> bytes:
        times[0] += 1
        await asyncio.sleep(0.01)
        raise UsageError("There is no such group.")

    async def many() -> list[bytes | BaseException]:
        asked = [cache.packed(tmp_path, "r", "a", refuse) for _ in range(3)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        return [*found, *await asyncio.gather(cache.packed(tmp_path, "r", "a", refuse), return_exceptions=True)]

    assert [str(one) for one in in_a_loop(many())] == ["There is no such group."] * 4
    assert times == [2]


def test_the_next_server_finds_it_and_other_data_does_not(tmp_path: Path) -> None:
    made = Made(Shelf(), tmp_path)
    for _ in range(2):
        in_a_loop(made.ask(Kept(Shelf())))
    assert made.times == 1
    made.shelf = Shelf()
    in_a_loop(made.ask(Kept(Shelf()), rev="other"))
    assert made.times == 2
    left = [path.parent.name for path in (tmp_path / ".nearer" / "map").rglob("*.gz")]
    assert left == ["other"], "what is of other data is taken out"


def test_neither_memory_nor_disk_grows_beyond_its_bound(tmp_path: Path) -> None:
    body = bytes(range(256)) * 4
    size = len(gzip.compress(body, 3, mtime=0))
    shelf = Shelf(most=10 * size)
    cache, made = Kept(shelf, most_held=5 * size), Made(shelf, tmp_path, body)

    async def all_of_them() -> None:
        for number in range(40):
            await made.ask(cache, asked=str(number))

    in_a_loop(all_of_them())
    assert cache._size == sum(len(one) for one in cache._held.values()) <= 5 * size
    on_disk = list((tmp_path / ".nearer" / "map").rglob("*.gz"))
    assert 0 < len(on_disk) <= 10
    assert cache.held(tmp_path, "r", "39") is not None, "the last one asked for is there"
    assert made.times == 40


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / ".nearer").write_text("a file where the folder would be")
    made = Made(Shelf(), tmp_path)
    assert in_a_loop(made.ask(Kept(Shelf()))) == made.body


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_rows(tmp_path / "rows")
    return tmp_path


@pytest.fixture
def client(home: Path) -> Iterator[httpx.Client]:
    with served(create_app(home)) as address, httpx.Client(base_url=f"{address}/api/studies/rows") as found:
        yield found


def test_a_browser_that_has_an_answer_is_told_so_until_the_data_change(
    client: httpx.Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_SMALL", 0)
    first = client.get("/scene")
    assert first.headers["content-encoding"] == "gzip"
    tag = {"If-None-Match": first.headers["etag"]}
    assert client.get("/scene", headers=tag).status_code == 304
    assert client.get("/figures", headers=tag).status_code == 200, "another question has another tag"
    plain = client.get("/scene", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == first.json()
    people = home / "rows" / "people.csv"
    people.write_text(people.read_text(encoding="utf-8").replace("100", "101"), encoding="utf-8")
    changed = client.get("/scene", headers=tag)
    assert changed.status_code == 200
    assert changed.json()["rev"] != first.json()["rev"]
    assert changed.json()["people"] == first.json()["people"] + 1


def test_a_new_server_shows_a_map_without_reading_the_study(
    client: httpx.Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rev = client.get("/scene").json()["rev"]
    asked = ("/scene", "/areas", "/figures", "/legend", f"/tiles/{rev}/people/14/8191/8191?at=o")
    before = [client.get(path) for path in asked]

    def unasked(*_: object) -> None:
        raise NearerError("Nobody makes anything here.")

    monkeypatch.setattr(Maker, "make", unasked)
    with served(create_app(home)) as address, httpx.Client(base_url=f"{address}/api/studies/rows") as again:
        assert [again.get(path).content for path in asked] == [one.content for one in before]
        assert json.loads(before[2].content)["people"] == again.get("/figures").json()["people"]
        assert again.get("/figures?at=o2").status_code == 400


def test_what_is_there_is_answered_while_every_thread_of_the_desk_is_busy(home: Path) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(_: Request) -> Response:
        begun.release()
        go_on.wait(60)
        return Response("at last")

    app = create_app(home)
    app.router.routes.insert(0, Route("/slow", slow))
    asked = (
        "/api/studies/rows/scene",
        "/api/studies/rows/figures?at=o",
        "/api/studies/rows",
        "/api/studies",
        "/api/about",
    )
    with served(app) as address, httpx.Client(base_url=address, timeout=30) as client, ThreadPoolExecutor(50) as desks:
        before = [client.get(path).json() for path in asked]
        try:
            busy = [desks.submit(httpx.get, f"{address}/slow", timeout=90) for _ in range(45)]
            assert all(begun.acquire(timeout=30) for _ in range(40)), "so many threads there are"
            assert [client.get(path).json() for path in asked] == before
        finally:
            go_on.set()
        assert {one.result().text for one in busy} == {"at last"}
