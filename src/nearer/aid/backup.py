"""
Copies a whole ledger into a file and back, on either database, and proves that nothing changed.

The file is as ``nearer.aid.copies`` writes it. Households, cards and keys lie elsewhere and are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from nearer.aid import copies
from nearer.aid.audit import audit_of
from nearer.aid.migrate import STEPS
from nearer.aid.store import check_durable, engine_of, reading_of, shown, sql_of, trouble_of, url_of
from nearer.aid.tables import JOURNAL, SUMS
from nearer.errors import CheckFailedError, OutputError, UsageError
from nearer.files import written_whole
from nearer.progress import Progress, Silent

LEDGER = copies.Kind("nearer aid backup", "a ledger", (*JOURNAL, *SUMS), "nearer aid backup")

_NAMES = ("ledger", "form", "seq", "hash")


def backup(place: str, file: Path, progress: Progress | None = None) -> dict[str, Any]:
    """
    Write a ledger to a file, as it is at one moment, while others go on writing to it.

    A ledger of an earlier release can be written too.

    Returns
    -------
    dict
        ``ledger``, ``form``, ``seq``, ``hash`` of its head, ``rows``, and ``sha256`` of the lines.

    Raises
    ------
    UsageError
        There is no ledger there.
    OutputError
        The file cannot be written.
    """
    url = url_of(place)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise UsageError(f"There is no ledger at {url.database}; nothing was written.")
    engine = engine_of(url)
    try:
        with reading_of(engine) as connection:
            form = _form_of(connection, shown(url))
            sql = sql_of(connection)
            head = sql.one("SELECT seq, hash FROM head")
            first = sql.one("SELECT answer FROM transactions WHERE seq = 1")
            if head is None or first is None:
                raise UsageError(f"The ledger in {shown(url)} has no head; see `nearer aid audit`.")
            told = {
                "ledger": json.loads(first[0])["ledger"],
                "form": form,
                "seq": int(head[0]),
                "hash": head[1],
            }
            with (progress or Silent()).step("Writing the ledger", told["seq"]) as tick:
                written = copies.write(connection, file, LEDGER, told, _transactions(tick))
    except sa.exc.DBAPIError as error:
        raise UsageError(f"{shown(url)} is no ledger, or cannot be reached: {error.orig}.") from error
    finally:
        engine.dispose()
    return told | written


def restore(file: Path, place: str, progress: Progress | None = None) -> dict[str, Any]:
    """
    Make a ledger out of a file, where there is none yet.

    The tables are made in the form that the file has, filled, read again and compared with the file; then brought to
    this release's form, which may not move the head; then audited. If anything is wrong nothing is left behind.

    Returns
    -------
    dict
        ``ledger``, ``form`` of the file, ``seq``, ``hash``, ``rows``, and ``postings`` that were audited.

    Raises
    ------
    InputError
        The file is none, or was changed or cut.
    UsageError
        There is a ledger there already.
    CheckFailedError
        What was read back is not what the file says, or the audit finds something.
    """
    url = url_of(place)
    told = copies.checked(file, LEDGER, STEPS.revisions())
    if url.get_backend_name() == "postgresql":
        return _restored(file, told, url, place, progress or Silent())
    path = Path(str(url.database))
    if path.exists():
        raise UsageError(f"{path} is there already; give another name, nothing is ever restored over a ledger.")
    with written_whole(path) as beside:
        return _restored(file, told, url_of(str(beside)), str(beside), progress or Silent())


def _restored(file: Path, told: dict[str, Any], url: sa.URL, place: str, progress: Progress) -> dict[str, Any]:
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            if STEPS.revision_of(connection) is not None:
                raise UsageError(f"There is a ledger already in {shown(url)}; give an empty database.")
        check_durable(engine)
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            STEPS.upgrade_to(connection, told["form"])
            with progress.step("Restoring the ledger", told["seq"]) as tick:
                sums = copies.filled(connection, file, LEDGER, _transactions(tick))
            copies.same_rows(connection, file, LEDGER, sums)
            STEPS.upgrade_to(connection, STEPS.newest())
            _same_head(connection, told)
            report = audit_of(sql_of(connection), engine.dialect.name == "postgresql", [], progress)
            if not report.holds:
                raise CheckFailedError(f"The ledger in {file} does not hold: {report.findings[0].text}")
            connection.commit()
    except Exception as error:
        if trouble_of(error) == "full" or isinstance(error, sa.exc.OperationalError):
            raise OutputError(place, str(getattr(error, "orig", error)).strip().splitlines()[0]) from error
        raise
    finally:
        engine.dispose()
    return {
        **{name: told[name] for name in _NAMES},
        "rows": sum(part["rows"] for part in sums.values()),
        "postings": report.postings,
    }


def upgrade(place: str) -> dict[str, Any]:
    """
    Bring a ledger of an earlier release to this one's form, in one transaction that may not move its head.

    Returns
    -------
    dict
        ``before`` and ``form``, and ``seq`` and ``hash`` of the head.

    Raises
    ------
    UsageError
        There is no ledger, or it is of a later release.
    """
    url = url_of(place)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise UsageError(f"There is no ledger at {url.database}; make one with `nearer aid init`.")
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            form = _form_of(connection, shown(url))
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE head IN ACCESS EXCLUSIVE MODE")
            row = connection.exec_driver_sql("SELECT seq, hash FROM head").one()
            head = {"seq": int(row[0]), "hash": str(row[1])}
            STEPS.upgrade_to(connection, STEPS.newest())
            _same_head(connection, head)
            connection.commit()
    except sa.exc.DBAPIError as error:
        raise UsageError(f"{shown(url)} is no ledger, or cannot be reached: {error.orig}.") from error
    finally:
        engine.dispose()
    return {"before": form, "form": STEPS.newest(), **head}


def _form_of(connection: sa.Connection, place: str) -> str:
    found = STEPS.revision_of(connection)
    if found is None:
        raise UsageError(f"There is no ledger in {place}; make one with `nearer aid init`.")
    if found not in STEPS.revisions():
        raise UsageError(
            f"The ledger in {place} has the form {found}, which this release does not know; use a later one."
        )
    return found


def _same_head(connection: sa.Connection, told: dict[str, Any]) -> None:
    row = connection.exec_driver_sql("SELECT seq, hash FROM head").one()
    if (int(row[0]), row[1]) != (told["seq"], told["hash"]):
        raise CheckFailedError("The head of the chain is not the same any more; nothing was kept.")


def _transactions(tick: Callable[[int], None]) -> copies.Tick:
    """Tells how far a ledger is by its transactions alone."""
    return lambda table, rows: tick(rows if table == "transactions" else 0)
