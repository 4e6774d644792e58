"""The planning map in a browser without a graphics card: when it can be read, and how it goes along when moved."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.given import AbsentError, Given
from benchmarks.machine import load
from benchmarks.table import Table

PEOPLE, POINTS = 2_900_000, 100_000
"""Of Newtown: 300,000 street nodes, 8,000 sites."""

FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-unsafe-swiftshader",
]  # fmt: skip
LONG_MS = 200.0
STEPS = ((-250, 0), (0, -150), (250, 0), (0, 150))
OBSERVE = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.longTasks.push(one.duration);
}).observe({ type: "longtask", buffered: true });
"""


def tables(given: Given) -> Iterator[Table]:
    """First the page, then the map as it is dragged; NEARER_PAGE_HOME names a folder to keep the study in."""
    kept = os.environ.get("NEARER_PAGE_HOME")
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(kept or scratch)
        if not (home / "newtown" / "plan" / "plan.json").is_file():
            make(home / "newtown", *((6_000, 1_000) if given.small else (PEOPLE, POINTS)))
        try:
            yield from measured(home, "newtown", 1 if given.small else 3)
        except AbsentError as absent:
            yield Table("The page", (), notes=[f"Not measured: {absent}."])


def make(folder: Path, people: int, points: int) -> None:
    """Newtown and a plan of it."""
    from nearer.study import run_study
    from nearer.study.new import new_study

    new_study(folder, example="newtown", people=people, points=points)
    run_study(folder, out=folder / "plan", time_limit_s=20.0, threads=1)


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The real server in a process of its own; its address."""
    command = [sys.executable, "-m", "nearer", "serve", str(home), "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"(http://[^/\s]+)/", process.stdout.readline())
            if found is None:
                raise RuntimeError("the server did not begin")
            yield found[1]
        finally:
            process.terminate()
            process.wait(timeout=30)


def measured(home: Path, study: str, zooms: int) -> Iterator[Table]:
    """Open the page of a city that nobody looked at, again, after a restart, again; then drag the map at some zooms."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise AbsentError("install playwright") from error
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise AbsentError("install Chromium, or set CHROMIUM to its path")
    opened = Table(
        "The page from loopback", ("visit", "table s", "figures s", "map s", "longest task ms", "CPU of it ms")
    )
    dragged = Table(
        "The map dragged without a graphics card",
        ("zoom", "frames", "tasks", f"over {LONG_MS:.0f} ms", "longest ms", f"CPU over {LONG_MS:.0f}", "most CPU ms"),
    )
    before = load()
    shutil.rmtree(home / study / ".nearer" / "map", ignore_errors=True)  # nobody has looked at it yet
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        with serving(home) as address:
            for visit in ("nobody looked before", "next"):
                page, row = visited(browser, address, study)
                opened.rows.append((visit, *row))
                page.context.close()
        with serving(home) as address:
            page, row = visited(browser, address, study)
            opened.rows.append(("after a restart", *row))
            page.context.close()
            page, row = visited(browser, address, study)
            opened.rows.append(("next", *row))
            for _ in range(zooms):
                dragged.rows.append(drag(browser, page))
                page.locator(".maplibregl-ctrl-zoom-in").click()
                page.wait_for_timeout(3000)
        browser.close()
    note = f"The machine's load was {before or 0:.1f} before and {load() or 0:.1f} after."
    opened.notes += [
        "A fresh browser each time; headless Chromium draws with the processor (SwiftShader). Longest task: of the "
        "page's main thread, on the clock and in processor time; where others are at work, read the second.",
        note,
    ]
    dragged.notes += [
        f"Tasks of the main thread while the map is dragged, by the browser's own trace; over {LONG_MS:.0f} ms on the "
        "clock and in processor time. On the clock counts also how long it waits for the process that draws.",
        note,
    ]
    yield opened
    yield dragged


def visited(browser: Any, address: str, study: str) -> tuple[Any, tuple[str, ...]]:
    """A fresh browser on the study's page: the page, and how long it took."""
    context = browser.new_context(viewport={"width": 1300, "height": 850}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(OBSERVE)
    with traced(browser, page) as tasks:
        begun = time.perf_counter()
        page.goto(f"{address}/#/study/{study}", wait_until="commit")
        seconds = []
        for sign in (".answer table tbody tr", ".figures", ".map[data-drawn][data-sites]"):
            page.wait_for_selector(sign)
            seconds.append(f"{time.perf_counter() - begun:.2f}")
        page.wait_for_timeout(500)
    return page, (*seconds, f"{longest(tasks, 'dur'):.0f}", f"{longest(tasks, 'tdur'):.0f}")


def drag(browser: Any, page: Any) -> tuple[str, ...]:
    """Drag the map around twice, as a hand does."""
    box = page.locator(".middle .map").first.bounding_box()
    x, y = box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2
    page.evaluate("window.frames_ = 0; (function next() { window.frames_++; requestAnimationFrame(next); })()")
    page.evaluate("window.longTasks.length = 0")
    with traced(browser, page) as tasks:
        for dx, dy in STEPS * 2:
            page.mouse.move(x, y)
            page.mouse.down()
            for k in range(1, 13):
                page.mouse.move(x + dx * k / 12, y + dy * k / 12)
                page.wait_for_timeout(16)
            page.mouse.up()
        page.wait_for_timeout(300)
    zoom = page.url.split("map=")[1].split("&")[0].split(",")[2] if "map=" in page.url else "all"
    over = sum(one > LONG_MS for one in page.evaluate("window.longTasks"))
    return (
        zoom, str(page.evaluate("window.frames_")), str(len(tasks)), str(over), f"{longest(tasks, 'dur'):.0f}",
        str(sum(one.get("tdur", 0) > 1000 * LONG_MS for one in tasks)), f"{longest(tasks, 'tdur'):.0f}",
    )  # fmt: skip


@contextmanager
def traced(browser: Any, page: Any) -> Iterator[list[dict[str, Any]]]:
    """Tasks of the page's main thread (``dur`` and ``tdur`` in microseconds), there once the block has ended."""
    tasks: list[dict[str, Any]] = []
    browser.start_tracing(
        page=page, categories=["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]
    )
    yield tasks
    events = json.loads(browser.stop_tracing())["traceEvents"]
    names = {(one["pid"], one["tid"]): one["args"]["name"] for one in events if one.get("name") == "thread_name"}
    tasks += [
        one
        for one in events
        if one.get("ph") == "X"
        and one.get("name") == "RunTask"
        and names.get((one["pid"], one["tid"])) == "CrRendererMain"
    ]


def longest(tasks: list[dict[str, Any]], key: str) -> float:
    """Milliseconds of the longest."""
    return max((one.get(key, 0) for one in tasks), default=0) / 1000
