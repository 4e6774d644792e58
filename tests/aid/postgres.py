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


@contextmanager
def cluster() -> Iterator[str]:
    """Start a server as the user ``postgres`` (or oneself) and give its address without a database."""
    bin_folder = programs()
    assert bin_folder is not None
    is_root = os.geteuid() == 0
    who: dict[str, object] = {"user": "postgres", "group": "postgres", "extra_groups": []} if is_root else {}
    # In memory where there is room: a disk shared with other work makes every commit wait.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * 1024**3
    folder = Path(tempfile.mkdtemp(prefix="nearer-pg-", dir=memory if roomy else None))
    if is_root:
        shutil.chown(folder, "postgres", "postgres")
    log = folder / "log"
    data = folder / "data"
    server = None
    try:
        subprocess.run(
            [bin_folder / "initdb", "-D", data, "-U", "nearer", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N"],
            check=True,
            capture_output=True,
            cwd=folder,
            **who,
        )
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "shared_buffers": "32MB",
            "max_connections": "40",
            "autovacuum_naptime": "1h",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log.open("wb") as out:
            server = subprocess.Popen(
                [bin_folder / "postgres", "-D", data, *options], stdout=out, stderr=out, cwd=folder, **who
            )
        address = f"postgresql://nearer@/{{}}?host={folder}"
        for _ in range(300):
            try:
                psycopg.connect(address.format("postgres")).close()
                break
            except psycopg.OperationalError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
        else:
            raise AssertionError(log.read_text())
        yield address
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # at once: what it holds is thrown away
            server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)
