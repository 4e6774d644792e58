"""A real server in a process of its own, and a real browser that complains of anything."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from nearer.serve.app import STATIC

from ..study.conftest import PEOPLE, SITES, TOML

FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars"]  # fmt: skip
WEBGL, NO_WEBGL = "--enable-unsafe-swiftshader", "--disable-software-rasterizer"


@dataclass(frozen=True)
class Server:
    """Where it is, and its folder of studies."""

    address: str
    home: Path


def start_server(home: Path, *more: str) -> tuple[subprocess.Popen[str], Server]:
    """A server on a free port; the caller ends it."""
    command = [sys.executable, "-m", "nearer", "serve", str(home), "--port", "0", "--no-open", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"(http://\S+?)/", line)
    assert found, line
    return process, Server(found[1], home)


def end_server(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=20)
    assert process.stdout is not None
    process.stdout.close()


@contextmanager
def served(app: Any, **more: Any) -> Iterator[str]:
    """An application on a free port of this machine, in a thread; its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, **more))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the pages are not built: run `make web`")
    process, found = start_server(tmp_path_factory.mktemp("studies"))
    yield found
    end_server(process)


@pytest.fixture
def rows(server: Server) -> str:
    """The study of two rows in the server's folder, which goes with it: pages still ask when a test ends; its name."""
    folder = server.home / f"rows-{len(list(server.home.iterdir()))}"
    write_rows(folder)
    return folder.name


@pytest.fixture
def planned(rows: str, server: Server) -> str:
    """The same with its plan, S and L opened; its name."""
    from nearer.study import run_study

    run_study(server.home / rows, out=server.home / rows / "plans" / "1", threads=1)
    return rows


def write_rows(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, text in (("nearer.toml", TOML), ("people.csv", PEOPLE), ("sites.csv", SITES)):
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as found:
        yield found


def launch(playwright: Any, *more: str) -> Any:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium; install it or set CHROMIUM to its path")
    return playwright.chromium.launch(executable_path=found, args=[*FLAGS, *more])


@pytest.fixture(scope="session")
def chromium(playwright: Any) -> Iterator[Any]:
    browser = launch(playwright, WEBGL)
    yield browser
    browser.close()


@pytest.fixture
def visit(chromium: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """Opens pages; at the end nothing may have been complained of and nothing asked of another host."""
    yield from visiting(chromium, server)


def visiting(browser: Any, server: Server) -> Iterator[Callable[..., Any]]:
    contexts, problems = [], []

    def open_page(path: str = "/", **options: Any) -> Any:
        given = {"viewport": {"width": 1300, "height": 850}, "locale": "en-GB", "reduced_motion": "reduce"} | options
        context = browser.new_context(**given)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda one: one.type == "error" and problems.append(one.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda one: is_foreign(one.url, server) and problems.append(one.url))
        page.goto(server.address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def is_foreign(url: str, server: Server) -> bool:
    return not url.startswith((server.address + "/", "data:", "blob:" + server.address))


def colours(png: bytes) -> set[tuple[int, int, int]]:
    """Different colours of a screenshot."""
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    return {colour for _, colour in image.getcolors(image.width * image.height)}


def map_drawn(page: Any) -> set[tuple[int, int, int]]:
    """Wait for the map and return the colours that are really on the screen."""
    page.wait_for_selector(".map[data-drawn][data-sites]")
    place = page.locator(".middle .map").first
    box = place.bounding_box()
    assert box["width"] > 200
    assert box["height"] > 200
    return colours(place.screenshot())
