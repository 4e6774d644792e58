"""Maps are made beside the server, before they are asked for where that can be known, and by one who may be lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from nearer.errors import Fault, InputError, NearerError, OutputError, UsageError
from nearer.serve import maker as maker_module
from nearer.serve.app import create_app
from nearer.serve.maker import NOW, SOON, Maker
from nearer.serve.rev import rev_of
from nearer.serve.shelf import Shelf
from nearer.serve.wish import Wish, plan_state
from nearer.study import run_study

from .conftest import served, write_rows

TILE = (14, 8191, 8191)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planned study of two rows."""
    found = tmp_path_factory.mktemp("home") / "rows"
    write_rows(found)
    run_study(found, out=found / "plan", threads=1)
    return found


@pytest.fixture(scope="module")
def apart() -> Iterator[Maker]:
    maker = Maker(apart=True)
    yield maker
    maker.close()
    assert maker.pid is None


def wishes(folder: Path) -> list[Wish]:
    rev = rev_of(folder)
    asked: list[tuple[Any, ...]] = [
        ("scene",), ("areas",), ("figures", "o"), ("legend", "o", "", ""), ("people", *TILE, "o", "", "", None),
        ("streets", *TILE), ("point", 0.0, 0.0, "o"), ("situations", *plan_state(folder, "plan")),
    ]  # fmt: skip
    return [Wish(folder, rev, kind, tuple(args)) for kind, *args in asked]


def forget(folder: Path) -> None:
    for path in (folder / ".nearer" / "map").rglob("*.gz"):
        path.unlink()


def test_it_makes_the_same_in_a_thread_and_in_a_process_of_its_own(folder: Path, apart: Maker) -> None:
    here = Maker()
    for wish in wishes(folder):
        forget(folder)
        one = here.make(wish).result(60)
        forget(folder)
        assert apart.make(wish).result(60) == one, wish.kind
        assert Shelf().has(folder, wish.rev, wish.asked) == (wish.kind != "point")
    assert apart.pid not in (None, os.getpid())
    assert here.pid is None
    here.close()


def test_what_is_wrong_comes_back_whole(folder: Path, apart: Maker, tmp_path: Path) -> None:
    wish = Wish(folder, rev_of(folder), "legend", ("o", "", "nobody"))
    with pytest.raises(UsageError, match="There is no group 'nobody'"):
        apart.make(wish).result(60)
    write_rows(tmp_path / "rows")
    rev = rev_of(tmp_path / "rows")
    (tmp_path / "rows" / "people.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError) as told:
        apart.make(Wish(tmp_path / "rows", rev, "scene")).result(60)
    assert told.value.faults
    assert all(isinstance(one, Fault) and one.file == "people.csv" for one in told.value.faults)
    with pytest.raises(RuntimeError, match="KeyError"):
        apart.make(Wish(folder, rev_of(folder), "no such kind")).result(60)


def test_errors_travel_from_one_process_to_another() -> None:
    import pickle

    faults = (Fault("is missing", "a.csv", 3, "b", "add it"), Fault("is empty"))
    for error in (InputError(faults), OutputError("a.csv", "No space left"), UsageError("No."), NearerError("Never.")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing kills like that here")
def test_a_process_that_is_lost_is_told_and_begun_anew(folder: Path) -> None:
    maker = Maker(apart=True)
    try:
        scene = wishes(folder)[0]
        forget(folder)
        first = maker.make(scene).result(60)
        assert maker.pid is not None
        os.kill(maker.pid, signal.SIGSTOP)
        forget(folder)
        waits = maker.make(scene)
        os.kill(maker.pid, signal.SIGKILL)
        with pytest.raises(NearerError, match="its process ended"):
            waits.result(60)
        assert maker.make(scene).result(60) == first
    finally:
        maker.close()


def test_who_waits_goes_before_what_may_be_needed_and_closing_lets_nobody_wait(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker, order, begun, go_on = Maker(), [], threading.Event(), threading.Event()

    def made(self: Maker, wish: Wish) -> tuple[bool, Any]:
        begun.set()
        assert go_on.wait(30)
        order.append(wish.kind)
        return True, b""

    monkeypatch.setattr(Maker, "_here", made)
    asked = [maker._ask(SOON, Wish(folder, "r", "at work"))]
    assert begun.wait(30)
    asked += [maker._ask(SOON, Wish(folder, "r", "may be needed")), maker._ask(NOW, Wish(folder, "r", "waited for"))]
    gone = maker._ask(NOW, Wish(folder, "r", "nobody waits any more"))
    gone.cancel()
    go_on.set()
    for one in asked:
        one.result(30)
    assert order == ["at work", "waited for", "may be needed"]
    maker.close()
    assert maker.make(Wish(folder, "r", "too late")).cancelled()


def test_after_warming_the_first_visit_is_made_of_what_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget(folder)
    maker = Maker()
    maker.warm(folder, plan_state(folder, "plan"))
    for wish in wishes(folder)[:2] + wishes(folder)[-1:]:
        deadline = time.monotonic() + 60
        while not Shelf().has(folder, wish.rev, wish.asked):
            assert time.monotonic() < deadline, wish.kind
            time.sleep(0.02)
    while maker._wishes.qsize():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    maker.close()
    monkeypatch.setattr(Maker, "make", lambda *_: pytest.fail("it is to be there"))
    with served(create_app(folder.parent)) as address, httpx.Client(base_url=f"{address}/api/studies/rows") as visitor:
        at = visitor.get("/plans/plan/situations").json()["plan"]
        west, south, east, north = visitor.get("/scene").json()["bounds"]
        assert (west, south) <= (east, north)
        asked = ["/areas", "/figures?at=o", f"/figures?at={at}", f"/legend?at={at}&before=&group="]
        assert [visitor.get(one).status_code for one in asked] == [200] * 4
    made = list((folder / ".nearer" / "map").rglob("*.gz"))
    assert len(made) > len(asked) + 2, "tiles too"


def test_a_plan_that_has_ended_is_warmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(tmp_path / "rows")
    warmed: list[tuple[Path, Any]] = []
    monkeypatch.setattr(Maker, "warm", lambda self, *asked: warmed.append(asked))
    with served(create_app(tmp_path)) as address, httpx.Client(base_url=f"{address}/api/studies/rows") as client:
        job = client.post("/jobs", json={"kind": "plan", "time_limit_s": 5}).json()
        deadline = time.monotonic() + 120
        while client.get(f"/jobs/{job['id']}").json()["state"] in ("waiting", "running"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert warmed == [(tmp_path / "rows", plan_state(tmp_path / "rows", job["id"]))]


def test_a_study_shown_from_the_shelf_is_read_once_a_while_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker_module, "_READ_S", 0.01)
    read: list[str] = []
    done = threading.Event()

    def made(self: Maker, wish: Wish) -> tuple[bool, Any]:
        read.append(wish.kind)
        done.set()
        return True, b""

    monkeypatch.setattr(Maker, "_here", made)
    maker = Maker()
    for _ in range(3):
        maker.read_soon(folder)
    assert done.wait(30)
    maker.close()
    assert read == ["read"]


def test_a_kept_answer_is_not_for_who_may_no_longer_read(folder: Path) -> None:
    with served(create_app(folder.parent)) as address, httpx.Client(base_url=f"{address}/api") as client:
        link = client.post("/studies/rows/shares").json()
        asked = [f"/shared/{link['token']}/{one}" for one in ("scene", "figures?at=o", "plans/plan")]
        first = [client.get(one) for one in asked]
        assert [one.status_code for one in first] == [200] * 3
        tags = [{"If-None-Match": one.headers["etag"]} for one in first]
        assert [client.get(one, headers=tag).status_code for one, tag in zip(asked, tags, strict=True)] == [304] * 3
        client.delete(f"/studies/rows/shares/{link['id']}")
        assert [client.get(one, headers=tag).status_code for one, tag in zip(asked, tags, strict=True)] == [404] * 3
