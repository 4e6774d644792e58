"""A private PostgreSQL for tests: its own folder, its own socket, no port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


def programs() -> Path | None:
    """Folder of PostgreSQL's programs; None where it is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return kept[-1].parent if kept else None


def why_not() -> str | None:
    """Why there can be no PostgreSQL here; None where there can."""
    if programs() is None:
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and "postgres" not in {entry.pw_name for entry in pwd.getpwall()}:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return None


class Cluster:
    """A server of its own in a folder, run as the user ``postgres`` (or oneself); it can be killed and started anew."""

    def __init__(self, folder: Path) -> None:
        self.address = f"postgresql://nearer@/{{}}?host={folder}"
        self.server: subprocess.Popen[bytes] | None = None
        self._folder = folder
        self._who: dict[str, object] = {}
        if os.geteuid() == 0:
            self._who = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")
        subprocess.run(
            [
                *(self._program("initdb"), "-D", folder / "data", "-U", "nearer"),
                *("--auth=trust", "--encoding=UTF8", "--locale=C", "-N"),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **self._who,
        )

    def _program(self, name: str) -> Path:
        bin_folder = programs()
        assert bin_folder is not None
        return bin_folder / name

    def start(self) -> None:
        """Start, also over what a killed server has left behind, and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "shared_buffers": "32MB",
            "max_connections": "60",
            "autovacuum_naptime": "1h",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self._folder / "log"
        for _ in range(300):
            if self.server is None or self.server.poll() is not None:
                with log.open("ab") as out:
                    self.server = subprocess.Popen(
                        [self._program("postgres"), "-D", self._folder / "data", *options],
                        stdout=out,
                        stderr=out,
                        cwd=self._folder,
                        **self._who,
                    )
            try:
                psycopg.connect(self.address.format("postgres")).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise AssertionError(log.read_text())

    def kill(self) -> None:
        """Kill the postmaster; its children end when they notice."""
        assert self.server is not None
        self.server.kill()
        self.server.wait(60)

    def stop(self) -> None:
        """End at once: what it holds is thrown away."""
        if self.server is not None:
            self.server.send_signal(signal.SIGQUIT)
            self.server.wait(60)
        shutil.rmtree(self._folder, ignore_errors=True)


def new_cluster() -> Cluster:
    """A server that was started, in memory where there is room: a shared disk makes every commit wait."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * 1024**3
    made = Cluster(Path(tempfile.mkdtemp(prefix="nearer-pg-", dir=memory if roomy else None)))
    try:
        made.start()
    except BaseException:
        made.stop()
        raise
    return made


@contextmanager
def cluster() -> Iterator[str]:
    """Start a server and give its address without a database."""
    made = new_cluster()
    try:
        yield made.address
    finally:
        made.stop()
