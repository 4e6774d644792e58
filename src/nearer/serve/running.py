"""Listening: which address, which studies, and the first page."""

from __future__ import annotations

import os
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

from nearer.errors import UsageError
from nearer.study.load import STUDY_FILE


def run_server(
    path: Path,
    *,
    host: str,
    port: int,
    workers: int,
    open_page: bool,
    say: Callable[[str], None],
    note: Callable[[str], None],
) -> None:
    """
    Serve until interrupted.

    Parameters
    ----------
    path
        A study folder (or its ``nearer.toml``), or a folder of studies, made if absent.
    host, port
        Where to listen.
    workers
        Jobs at once.
    open_page
        Whether to open the page in the browser.
    say, note
        Where to print the address, and remarks.

    Raises
    ------
    UsageError
        The address is not this machine's own, or is taken; or the path is a file.
    """
    import uvicorn

    from nearer.serve.app import LOOPBACK, create_app

    if host not in LOOPBACK:
        raise UsageError(
            f"Listening on {host} would let anybody on the network in, and this server has no accounts yet; "
            "leave --host out."
        )
    path = path.parent if path.name == STUDY_FILE else path
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file: give a study folder, or a folder of studies.")
    path = path.resolve()
    is_study = (path / STUDY_FILE).is_file()
    home, only = (path.parent, path.name) if is_study else (path, None)
    home.mkdir(parents=True, exist_ok=True)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise UsageError(f"Port {port} is taken ({error.strerror}): give another with --port, or 0.") from error
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/" + (f"#/study/{only}" if only else "")
    threads = max(1, (os.cpu_count() or 1) // workers)
    app = create_app(home, only=only, workers=workers, threads=threads)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, server_header=False)
    )
    say(f"nearer is at {address}")
    note("Leave this window open while you work; Ctrl-C ends it. Nothing leaves this machine.")
    if open_page:
        timer = threading.Timer(0.8, webbrowser.open, [address])
        timer.daemon = True
        timer.start()
    server.run(sockets=[listener])
