"""
The desk's real HTTP server: as a process that can be killed, or in a thread where that is enough.

``python -m tests.aid.server PLACE`` has everything loaded and starts ``nearer aid serve`` as a process of its own for
each line that it is sent, so that many rounds of killing take seconds and not minutes.
"""

from __future__ import annotations

import os
import signal
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
from nearer.aid.api.sessions import Sessions
from nearer.aid.households.store import Households
from nearer.aid.store import Store

ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """Starts servers and kills them."""

    def __init__(self, place: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.aid.server", place],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        )
        self._pid = 0

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def start(self) -> str:
        """A new server; its address."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._pid = int(self._line())
        line = self._line()
        assert "http://" in line, line
        return line.split(";")[0].split()[-1]

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """Kill the server, and wait until it is gone."""
        os.kill(self._pid, by)
        assert self._line() == f"gone by signal {by.value}"

    def cpu_s(self) -> float:
        """Processor seconds that the server has used (Linux)."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Start no more."""
        self._process.kill()
        self._process.communicate(timeout=30)


@contextmanager
def served(
    store: Store,
    gate: Gate | None = None,
    people: Households | None = None,
    sessions: Sessions | None = None,
    head_key: Path | None = None,
) -> Iterator[str]:
    """The same application in a thread; gives its address."""
    app = desk_api(store, gate or alone("staff-1"), people, sessions, head_key)
    config = uvicorn.Config(app, port=0, log_level="error", access_log=False)
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


def _nurse(place: str) -> None:
    import uvicorn.lifespan.on
    import uvicorn.protocols.http.auto  # noqa: F401 - what the first request would load

    import nearer.aid.api.serving  # noqa: F401
    from nearer.cli import app

    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            print(os.getpid(), flush=True)
            app(["aid", "--ledger", place, "--by", "staff-1", "serve", "--port", "0"], standalone_mode=False)
            os._exit(1)
        _, status = os.waitpid(pid, 0)
        print(f"gone by signal {-os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    _nurse(sys.argv[1])
