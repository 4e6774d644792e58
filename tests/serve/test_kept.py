"""Answers are made once, sent packed, told apart by the data, and still there for the next server."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nearer.serve import kept, routes_map, scene
from nearer.serve.app import create_app
from nearer.serve.kept import Kept

from .conftest import served, write_rows


class Made:
    """Counts how often something is made."""

    def __init__(self, body: bytes = b"x" * 1000) -> None:
        self.times, self.body = 0, body

    def __call__(self) -> bytes:
        self.times += 1
        time.sleep(0.02)
        return self.body


def test_what_many_ask_for_at_once_is_made_once(tmp_path: Path) -> None:
    cache, made = Kept(), Made()
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(cache.packed(tmp_path, "r", "scene", made))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.times == 1
    assert {gzip.decompress(one) for one in found} == {made.body}
    assert not cache._locks


def test_the_next_server_finds_it_and_other_data_does_not(tmp_path: Path) -> None:
    made = Made()
    for _ in range(2):
        Kept().packed(tmp_path, "r", "scene", made)
    assert made.times == 1
    Kept().packed(tmp_path, "other", "scene", made)
    assert made.times == 2
    left = [path.parent.name for path in (tmp_path / ".nearer" / "map").rglob("*.gz")]
    assert left == ["other"], "what is of other data is taken out"


def test_neither_memory_nor_disk_grows_beyond_its_bound(tmp_path: Path) -> None:
    body = bytes(range(256)) * 4
    size = len(gzip.compress(body, 3, mtime=0))
    cache = Kept(most_held=5 * size, most_on_disk=10 * size)
    for number in range(40):
        cache.packed(tmp_path, "r", str(number), lambda: body)
    assert cache._size == sum(len(one) for one in cache._held.values()) <= 5 * size
    on_disk = list((tmp_path / ".nearer" / "map").rglob("*.gz"))
    assert 0 < len(on_disk) <= 10
    again = Made(body)
    cache.packed(tmp_path, "r", "39", again)
    assert again.times == 0, "the last one asked for is there"


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / ".nearer").write_text("a file where the folder would be")
    assert gzip.decompress(Kept().packed(tmp_path, "r", "scene", Made())) == b"x" * 1000


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

    def unread(folder: Path) -> None:
        raise AssertionError(folder)

    monkeypatch.setattr(scene.Scenes.__init__, "__defaults__", (unread,))
    monkeypatch.setattr(routes_map, "_SOON_S", 600.0)
    with served(create_app(home)) as address, httpx.Client(base_url=f"{address}/api/studies/rows") as again:
        assert [again.get(path).content for path in asked] == [one.content for one in before]
        assert json.loads(before[2].content)["people"] == again.get("/figures").json()["people"]
