"""A link lets one study be read, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argon2
import httpx
import pytest

from nearer.aid.households import staff
from nearer.serve.app import create_app
from nearer.serve.desk import Desk
from nearer.study import run_study

from .conftest import Server, map_drawn, served, write_rows
from .desks import make_ledger
from .test_browser import violations


def tree(folder: Path) -> dict[str, bytes]:
    """All of a study but what is only held ready."""
    files = {one.relative_to(folder).as_posix(): one for one in folder.rglob("*") if one.is_file()}
    return {name: one.read_bytes() for name, one in files.items() if not name.startswith(".nearer/map")}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("home")
    for name in ("rows", "other"):
        write_rows(found / name)
    run_study(found / "rows", out=found / "rows" / "plans" / "1", threads=1)
    return found


def test_a_link_reads_its_study_and_every_route_that_writes_or_tells_more_refuses_it(home: Path) -> None:
    app = create_app(home)
    with served(app) as address, httpx.Client(base_url=address, timeout=30) as client:
        token = client.post("/api/studies/rows/shares").json()["token"]
        by = f"/api/shared/{token}"
        for path in ("", "/scene", "/figures?at=o1", "/areas", "/plans/1", "/plans/1/situations",
                     "/plans/1/files/report.html"):  # fmt: skip
            assert client.get(by + path).status_code == 200, path
        assert client.get(by).json()["id"] == "rows"
        before, refused = tree(home / "rows"), 0
        for path, methods in client.get("/api/openapi.json").json()["paths"].items():
            if not path.startswith("/api/studies/{study}"):
                continue
            filled = re.sub(r"\{plan\}|\{job\}", "1", path.replace("/api/studies/{study}", by))
            filled = re.sub(r"\{\w+\}", "x", filled)
            for method in methods:
                if method != "get":
                    answer = client.request(method, filled, json={})
                    assert answer.status_code == 403, (method, path)
                    refused += 1
        assert refused >= 10
        for path in (
            "/draft",
            "/jobs/1",
            "/jobs/1/events",
            "/shares",
            "/../other",
            "/plans/1/files/..%2f..%2fnearer.toml",
        ):
            assert client.get(by + path).status_code in (403, 404), path
        assert client.get(f"/api/shared/{token}x").status_code == 404
        assert tree(home / "rows") == before
        (share,) = client.get("/api/studies/rows/shares").json()["shares"]
        assert client.delete(f"/api/studies/rows/shares/{share['id']}").status_code == 204
        assert client.get(by).status_code == 404
        assert client.delete(f"/api/studies/rows/shares/{share['id']}").status_code == 404


def test_on_a_network_a_link_reads_without_an_account_and_only_a_coordinator_makes_one(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    make_ledger(str(tmp_path / "aid.db"), str(tmp_path / "aid-households.db"), tmp_path / "aid-keys", cards=0)
    with served(create_app(home)) as address:
        token = httpx.post(f"{address}/api/studies/rows/shares").json()["token"]
    app = create_app(home, desk=Desk(str(tmp_path / "aid.db"), by="desk"), signed=True)
    with served(app) as address, httpx.Client(base_url=address, timeout=30) as client:
        assert client.get("/api/about").json()["reached"] is True
        assert client.get(f"/api/shared/{token}/scene").status_code == 200, "the link outlives the server"
        assert client.get("/api/studies/rows/scene").status_code == 401
        assert client.get("/api/studies").status_code == 401
        assert client.post("/api/studies/rows/shares").status_code == 401
        assert client.get("/api/shared/no-such-link").status_code == 404


@pytest.mark.browser
def test_a_reader_sees_the_plan_and_is_offered_nothing_to_change(
    visit: Callable[..., Any], planned: str, server: Server
) -> None:
    page = visit(f"/#/study/{planned}?plan=1")
    map_drawn(page)
    page.get_by_text("Let others read this").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#share-link-0").input_value()
    assert violations(page) == []
    reader = visit(link.removeprefix(server.address))
    map_drawn(reader)
    reader.get_by_text("No other choice of 2 places is better: proven.").wait_for()
    reader.get_by_role("row").filter(has_text="School").get_by_role("button").click()
    reader.get_by_text("have a shorter way because of it").wait_for()
    for name in ("Find the best places", "Must open", "Plan again with this kept", "Make a link", "Draw it"):
        assert reader.get_by_role("button", name=name).count() == 0, name
    assert reader.get_by_role("link", name="All studies").count() == 0
    assert violations(reader) == []
    with reader.context.expect_page() as opened:
        reader.get_by_role("link", name="Open the report").click()
    opened.value.get_by_role("heading").first.wait_for()
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_text("The link was withdrawn").wait_for()
    assert httpx.get(f"{server.address}/api/shared/{link.split('/shared/')[1].split('?')[0]}").status_code == 404
