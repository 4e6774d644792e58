"""The report of a plan in the reader's language, made when somebody asks for it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from nearer.serve.app import create_app
from nearer.serve.guard import REPORT_POLICY
from nearer.study import run_study

from .conftest import served, write_rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("home")
    write_rows(found / "rows")
    run_study(found / "rows", out=found / "rows" / "plans" / "1", threads=1)
    return found


def test_a_report_is_read_in_the_language_that_is_asked_for_by_a_link_too(home: Path) -> None:
    there = home / "rows" / "plans" / "1" / "report.html"
    app = create_app(home)
    with served(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        at = "/api/studies/rows/plans/1/files/report.html"
        assert client.get(at).content == client.get(f"{at}?language=en").content == there.read_bytes()
        persian = client.get(f"{at}?language=fa")
        assert persian.text.startswith('<!doctype html>\n<html lang="fa" dir="rtl">')
        assert persian.headers["content-type"] == "text/html; charset=utf-8"
        assert persian.headers["content-security-policy"] == REPORT_POLICY
        known = {"if-none-match": persian.headers["etag"]}
        assert client.get(f"{at}?language=fa", headers=known).status_code == 304
        taken = client.get(f"{at}?language=es&download=1")
        assert 'filename="rows-1-report-es.html"' in taken.headers["content-disposition"]
        assert '<html lang="es" dir="ltr">' in taken.text
        token = client.post("/api/studies/rows/shares").json()["token"]
        assert client.get(f"/api/shared/{token}/plans/1/files/report.html?language=fa").content == persian.content
        assert client.get(f"{at}?language=xx").content == there.read_bytes()
        assert client.get("/api/studies/rows/plans/2/files/report.html?language=fa").status_code == 404


def test_a_report_whose_study_has_changed_since_is_shown_as_it_was_made(home: Path) -> None:
    plan = home / "rows" / "plans" / "1"
    with (home / "rows" / "people.csv").open("a", encoding="utf-8") as people:
        people.write("x,9.5,47.1,5\n")
    with served(create_app(home)) as address, httpx.Client(base_url=address, timeout=60) as client:
        found = client.get("/api/studies/rows/plans/1/files/report.html?language=es")
        assert found.status_code == 200
        assert found.content == (plan / "report.html").read_bytes()
