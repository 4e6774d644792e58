"""Listening: which address, which studies, and the first page."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nearer.errors import UsageError
from nearer.study.load import STUDY_FILE

if TYPE_CHECKING:
    from nearer.serve.desk import Desk
    from nearer.serve.oidc import Settings

_BACKLOG = 2048
"""Connections that may wait, as many as the server itself asks for."""


@dataclass(frozen=True)
class Ledger:
    """
    Where the aid desk's ledger is, and who asks where there is no staff.

    Parameters
    ----------
    place
        File, or ``postgresql://…``.
    by
        Staff code.
    households, keys
        Where they are, if not beside the ledger.
    head_key
        File of the private key that signs heads.
    oidc
        Another organisation whose accounts are let in too.
    """

    place: str
    by: str
    households: str | None = None
    keys: Path | None = None
    head_key: Path | None = None
    oidc: Settings | None = None


def run_server(
    path: Path,
    *,
    host: str,
    port: int,
    workers: int,
    open_page: bool,
    ledger: Ledger | None = None,
    practice: bool = False,
    tls: bool = False,
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
    ledger
        The aid desk's; None for the planning map alone.
    practice
        Whether there is an aid desk to practise at, with a made-up ledger.
    tls
        Whether to speak HTTPS, with a certificate authority of this folder's own.
    say, note
        Where to print the address, and remarks.

    Raises
    ------
    UsageError
        The address is not this machine's own, or is taken; or the path is a file.
    """
    import uvicorn

    from nearer.serve.app import LOOPBACK, create_app

    if practice and ledger is not None:
        raise UsageError("Practise, or work: give --practice or --ledger, not both.")
    path = path.parent if path.name == STUDY_FILE else path
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file: give a study folder, or a folder of studies.")
    path = path.resolve()
    is_study = (path / STUDY_FILE).is_file()
    home, only = (path.parent, path.name) if is_study else (path, None)
    home.mkdir(parents=True, exist_ok=True)
    away = host not in LOOPBACK
    desk = _practice(home) if practice else _desk(ledger, tls)
    try:
        if away and (desk is None or desk.sessions is None or not tls):
            raise UsageError(
                f"Listening on {host} would let anybody on the network in: it needs accounts (`nearer aid add-staff`, "
                "and that ledger with --ledger) and --tls. Or leave --host out."
            )
        hosts, certificate = LOOPBACK, None
        if tls:
            from nearer.serve.certificates import certified

            certificate = certified(home / ".nearer" / "tls", host)
            hosts = LOOPBACK | certificate.names
        listener = _listener(host, port)
    except BaseException:
        if desk is not None:
            desk.close()
        raise
    shown = socket.gethostname() if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    scheme = "https" if tls else "http"
    root = f"{scheme}://{shown}:{listener.getsockname()[1]}/"
    address = root + (f"#/study/{only}" if only else "aid" if ledger else "")
    threads = max(1, (os.cpu_count() or 1) // workers)
    app = create_app(
        home, only=only, hosts=hosts, workers=workers, threads=threads, desk=desk, signed=away,
        authority=None if certificate is None else certificate.authority, apart=True,
    )  # fmt: skip
    sys.setswitchinterval(0.001)  # so long waits a hand-over for a map that is being computed, not five times that
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            server_header=False,
            ssl_certfile=None if certificate is None else certificate.chain,
            ssl_keyfile=None if certificate is None else certificate.key,
        )
    )
    logging.getLogger("uvicorn.error").addFilter(_is_worth_telling)
    say(f"nearer is at {address}")
    if certificate is not None:
        note(f"Other devices trust this server once they have its certificate: {root}trust.html")
        note(f"Its SHA-256 fingerprint: {certificate.fingerprint()}")
    note("Leave this window open while you work; Ctrl-C ends it. Nothing leaves this machine.")
    if open_page:
        timer = threading.Timer(0.8, webbrowser.open, [address])
        timer.daemon = True
        timer.start()
    server.run(sockets=[listener])


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """Not that a page was still asking when the server was ended: whoever pressed Ctrl-C would read it as a fault."""
    cut_off = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut_off and "timeout graceful shutdown exceeded" not in record.getMessage()


def _practice(home: Path) -> Desk:
    from nearer.aid.demo.practice import practice
    from nearer.serve.desk import Desk

    made = practice(home / ".nearer" / "practice")
    return Desk(str(made.ledger), by="practice", households=str(made.households), keys=made.keys, practice=made.cards)


def _desk(ledger: Ledger | None, tls: bool) -> Desk | None:
    if ledger is None:
        return None
    from nearer.serve.desk import Desk

    provider = None
    if ledger.oidc is not None:
        from nearer.serve.oidc import Provider

        provider = Provider(ledger.oidc)
    return Desk(
        ledger.place,
        by=ledger.by,
        households=ledger.households,
        keys=ledger.keys,
        head_key=ledger.head_key,
        oidc=provider,
        secure=tls,
    )


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)  # who comes as soon as the address is told waits, and is not turned away
    except OSError as error:
        listener.close()
        raise UsageError(f"Port {port} is taken ({error.strerror}): give another with --port, or 0.") from error
    return listener
