"""Who may ask what of the server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from nearer.errors import UsageError
from nearer.serve import guard
from nearer.serve.app import create_app
from nearer.serve.running import _listener, run_server

from .conftest import served, write_rows


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    write_rows(tmp_path / "rows")
    with served(create_app(tmp_path)) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_a_name_that_is_not_this_machines_is_refused(client: httpx.Client) -> None:
    assert client.get("/api/studies").status_code == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "", "evil.example:8765"):
        assert client.get("/api/studies", headers={"host": host}).status_code == 421, host
    assert client.get("/api/studies", headers={"host": "localhost:1"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_another_page_cannot_change_anything(client: httpx.Client, headers: dict[str, str], tmp_path: Path) -> None:
    body = {"name": "x", "example": "liechtenstein"}
    answer = client.post("/api/studies", json=body, headers=headers)
    assert answer.status_code == 403
    assert [one.name for one in tmp_path.iterdir()] == ["rows"]
    assert (
        client.post("/api/studies", json=body, headers={"origin": str(client.base_url).rstrip("/")}).status_code == 201
    )


def test_what_is_too_large_is_refused_before_it_is_read(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "JSON_LIMIT", 1_000)
    url = "/api/studies/rows/settings"
    assert client.patch(url, content=b"{" + b" " * 2_000 + b"}").status_code == 413

    def without_length() -> Iterator[bytes]:
        for _ in range(50):
            yield b" " * 100

    assert client.patch(url, content=without_length()).status_code == 413


def test_pages_may_run_no_script_of_their_own_text_and_ask_no_other_host(client: httpx.Client) -> None:
    policy = client.get("/api/studies").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize(
    "path",
    [
        "/api/studies/%2e%2e",
        "/api/studies/rows%2f..",
        "/api/studies/rows/plans/..%2f..",
        "/..%2f..%2fetc%2fpasswd",
    ],
)
def test_no_path_leads_out_of_the_folder(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code in (404, 405)


def test_no_other_address_is_listened_on_without_accounts(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "192.168.1.4", "::"):
        with pytest.raises(UsageError, match="accounts"):
            run_server(tmp_path, host=host, port=0, workers=1, open_page=False, say=print, note=print)


def test_the_shape_of_what_is_asked_is_checked(client: httpx.Client) -> None:
    def status(**body: Any) -> int:
        return int(client.post("/api/studies/rows/jobs", json=body).status_code)

    assert status(kind="erase") == 422
    assert status(kind="plan", time_limit_s=-1) == 422
    assert status(kind="plan", more=1) == 422


def test_who_comes_as_soon_as_the_address_is_known_waits_and_is_not_turned_away() -> None:
    with _listener("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()[:2], timeout=5):
        pass
