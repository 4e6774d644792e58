"""``nearer serve``: the browser's side."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from nearer.cli.console import answering, note, say
from nearer.cli.options import HeadKeyOption, HouseholdsOption, KeysOption, LedgerPlace
from nearer.errors import UsageError


def serve(
    study: Annotated[
        Path | None,
        typer.Argument(metavar="[STUDY]", help="A study folder, or a folder of studies.", show_default="studies"),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; but for this machine's own, staff and --tls are needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Plans made at once; others wait.", show_default="half the processors")
    ] = None,
    ledger: Annotated[str | None, LedgerPlace] = None,
    practice: Annotated[
        bool, typer.Option("--practice", help="An aid desk to practise at, with a made-up ledger and cards.")
    ] = False,
    by: Annotated[
        str, typer.Option(metavar="CODE", envvar="NEARER_AID_BY", help="Who asks at the desk, where there is no staff.")
    ] = "desk",
    households: HouseholdsOption = None,
    keys: KeysOption = None,
    head_key: HeadKeyOption = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="Speak HTTPS with a certificate of one's own, for phones and scanners.")
    ] = False,
    oidc_issuer: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Let another organisation's accounts in (OpenID Connect): its address."),
    ] = None,
    oidc_client: Annotated[
        str | None, typer.Option(metavar="ID", help="As which client; its secret is taken from NEARER_OIDC_SECRET.")
    ] = None,
    oidc_role: Annotated[
        list[str] | None,
        typer.Option(metavar="VALUE=ROLE", help="Which value of the claim has which role here; may be repeated."),
    ] = None,
    oidc_claim: Annotated[
        str | None, typer.Option(metavar="NAME", help="Claim that has the values.", show_default="groups")
    ] = None,
    oidc_code: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Claim that has the staff code.", show_default="a code that names nobody"),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the page in the browser.")] = False,
) -> None:
    """Open the planning map, and with --ledger the aid desk, in the browser."""
    with answering():
        from nearer.serve.running import Ledger, run_server

        oidc = None
        if any((oidc_issuer, oidc_client, oidc_role, oidc_claim, oidc_code)):
            oidc = _elsewhere(oidc_issuer, oidc_client, oidc_role or [], oidc_claim, oidc_code)
            if ledger is None:
                raise UsageError("Accounts are for the aid desk: give its --ledger too.")
        run_server(
            Path("studies") if study is None else study,
            host=host,
            port=port,
            workers=workers or max(1, (os.cpu_count() or 2) // 2),
            open_page=not no_open,
            ledger=None if ledger is None else Ledger(ledger, by, households, keys, head_key, oidc),
            practice=practice,
            tls=tls,
            say=say,
            note=note,
        )


def _elsewhere(issuer: str | None, client: str | None, roles: list[str], claim: str | None, code: str | None) -> Any:
    """Settings of the other side's accounts, all of them or a sentence that says what is missing."""
    try:
        from nearer.serve.oidc import settings_from
    except ModuleNotFoundError as error:
        raise UsageError(f"This needs {error.name}; install it with pip install 'nearer[oidc]'.") from None
    return settings_from(issuer, client, os.environ.get("NEARER_OIDC_SECRET"), roles, claim, code)
