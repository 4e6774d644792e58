"""The desk's real HTTP server: as a process that can be killed, or in a thread where that is enough."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from nearer.aid.api.app import desk_api
from nearer.aid.api.gate import Gate, alone
from nearer.aid.store import Store

ROOT = Path(__file__).resolve().parents[2]


def start_server(place: str) -> tuple[subprocess.Popen[str], str]:
    """``nearer aid serve`` as a process of its own; gives it and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nearer", "aid", "--ledger", place, "--by", "staff-1", "serve", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if "http://" not in line:
        raise AssertionError(line + process.communicate(timeout=30)[1])
    return process, line.split(";")[0].split()[-1]


@contextmanager
def served(store: Store, gate: Gate | None = None) -> Iterator[str]:
    """The same application in a thread; gives its address."""
    config = uvicorn.Config(desk_api(store, gate or alone("staff-1")), port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
