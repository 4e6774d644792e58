"""``nearer serve``: the browser's side."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.console import answering, note, say


def serve(
    study: Annotated[
        Path | None,
        typer.Argument(metavar="[STUDY]", help="A study folder, or a folder of studies.", show_default="studies"),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; only this machine's own.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Plans made at once; others wait.", show_default="half the processors")
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the page in the browser.")] = False,
) -> None:
    """Open the planning map in the browser."""
    with answering():
        from nearer.serve.running import run_server

        run_server(
            Path("studies") if study is None else study,
            host=host,
            port=port,
            workers=workers or max(1, (os.cpu_count() or 2) // 2),
            open_page=not no_open,
            say=say,
            note=note,
        )
