"""The pages' own files are packed once, told apart by what is in them, and never more than the folder of pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nearer.serve import app as app_module
from nearer.serve.app import create_app
from nearer.serve.guard import PAGE_POLICY

from .conftest import served

SCRIPT = "export const words = 'the same again';\n" * 50


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    static = tmp_path / "static"
    (static / "js").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>nearer</title>", encoding="utf-8")
    (static / "js" / "main.js").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "secret.txt").write_text("not a page", encoding="utf-8")
    monkeypatch.setattr(app_module, "STATIC", static)
    return static


@pytest.fixture
def client(pages: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    with served(create_app(tmp_path / "home")) as address, httpx.Client(base_url=address) as found:
        yield found


def test_a_page_comes_packed_or_plain_and_is_not_sent_twice(client: httpx.Client, pages: Path) -> None:
    packed = client.get("/js/main.js")
    plain = client.get("/js/main.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 10
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text == SCRIPT
    assert packed.headers["content-type"].startswith("text/javascript")
    for answer in (packed, plain):
        assert answer.headers["content-security-policy"] == PAGE_POLICY
        assert answer.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": packed.headers["etag"]}
    again = client.get("/js/main.js", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    (pages / "js" / "main.js").write_text(SCRIPT + "// built anew\n", encoding="utf-8")
    assert client.get("/js/main.js", headers=known).text.endswith("// built anew\n")


def test_what_is_no_page_is_not_shown(client: httpx.Client) -> None:
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/js/..%2f..%2fsecret.txt", "/js", "/js/none.js", "/a%00b"):
        assert client.get(path).status_code == 404, path
    assert client.post("/js/main.js").status_code == 405
    head = client.head("/js/main.js")
    assert (head.status_code, head.content) == (200, b"")


def test_a_page_written_anew_in_its_old_moment_is_another(pages: Path, client: httpx.Client) -> None:
    index = pages / "index.html"
    before, state = client.get("/").text, index.stat()
    beside = pages / "beside"
    beside.write_text(before.replace("nearer", "farest"), encoding="utf-8")
    os.utime(beside, ns=(state.st_atime_ns, state.st_mtime_ns))
    beside.replace(index)
    assert client.get("/").text == before.replace("nearer", "farest")


def test_words_and_colours_are_as_they_were_and_known_by_a_tag(client: httpx.Client) -> None:
    for path in ("/api/words/es", "/api/words/fa/faults", "/tokens.css"):
        first = client.get(path)
        assert first.status_code == 200
        assert len(first.text) > 400
        assert client.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert client.get("/api/words/xx").status_code == 404
