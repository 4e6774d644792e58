"""Serves the desk alone, on this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from nearer.errors import UsageError

ENDS_IN_S = 5
"""How long answers that were begun may take once the server is told to end."""


def serve(app: FastAPI, *, host: str, port: int, said: Callable[[str], object]) -> None:
    """
    Serve until told to end.

    Parameters
    ----------
    app
        What ``desk_api`` made.
    host, port
        Where; port 0 takes a free one.
    said
        Is told the address once requests are taken.

    Raises
    ------
    UsageError
        The port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise UsageError(f"{host} port {port} cannot be had ({error.strerror}); give another --port.") from error
        listener.listen(100)
        taken = listener.getsockname()[1]
        said(f"http://[{host}]:{taken}" if ":" in host else f"http://{host}:{taken}")
        # No access log: addresses can name lots and hand-overs, and nobody needs a second journal.
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=ENDS_IN_S,
        )
        uvicorn.Server(config).run(sockets=[listener])
