"""
Copies the household database into a file and back, on either kind of database.

The file is as ``nearer.aid.copies`` writes it, for its owner's eyes alone: hashes of cards, PINs and passwords, sizes,
needs, staff, the access log and sign-ins. Keys of periods are never in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from nearer.aid import copies
from nearer.aid.households.migrate import STEPS
from nearer.aid.households.store import Households, has_tables
from nearer.aid.households.tables import FIXED, metadata
from nearer.aid.store import engine_of, reading_of, shown, trouble_of, url_of
from nearer.errors import OutputError, UsageError
from nearer.files import written_whole

# What the tables hold from the beginning is not copied.
TABLES = tuple(table.name for table in metadata.sorted_tables if table.name != "retention")

HOUSEHOLDS = copies.Kind(
    "nearer aid backup of households", "households", TABLES, "nearer aid backup-households", secret=True
)


def backup(people: Households, file: Path) -> dict[str, Any]:
    """
    Write a household database to a file that only its owner may read, as it is at one moment.

    Returns
    -------
    dict
        ``form``, ``rows``, and ``sha256`` of the lines.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with reading_of(people.engine) as connection:
        told = {"form": STEPS.revision_of(connection)}
        return told | copies.write(connection, file, HOUSEHOLDS, told, _quiet)


def restore(file: Path, place: str) -> dict[str, Any]:
    """
    Make a household database out of a file, where there is none yet; every row is read back and compared.

    Returns
    -------
    dict
        ``form`` of the file and ``rows``.

    Raises
    ------
    InputError
        The file is none, or was changed or cut.
    UsageError
        There is a household database there already, or it is the ledger's.
    CheckFailedError
        What was read back is not what the file says.
    """
    told = copies.checked(file, HOUSEHOLDS, STEPS.revisions())
    url = url_of(place)
    if url.get_backend_name() == "postgresql":
        return _restored(file, told, url)
    path = Path(str(url.database))
    if path.exists():
        raise UsageError(f"{path} is there already; give another place, nothing is ever restored over households.")
    with written_whole(path, secret=True) as beside:
        return _restored(file, told, url_of(str(beside)))


def upgrade(place: str) -> dict[str, Any]:
    """
    Bring a household database of an earlier release to this one's form.

    Returns
    -------
    dict
        ``before`` and ``form``.

    Raises
    ------
    UsageError
        There is none, or it is of a later release.
    """
    url = url_of(place)
    if not has_tables(place):
        raise UsageError(f"There is no household database in {shown(url)}; `nearer aid enrol` makes it.")
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            before = STEPS.revision_of(connection)
            if before not in STEPS.revisions():
                raise UsageError(
                    f"The household database in {shown(url)} has the form {before}, which this release does not know; "
                    "use a later one."
                )
            STEPS.upgrade_to(connection, STEPS.newest())
            connection.commit()
    finally:
        engine.dispose()
    return {"before": before, "form": STEPS.newest()}


def _restored(file: Path, told: dict[str, Any], url: sa.URL) -> dict[str, Any]:
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            if sa.inspect(connection).has_table("postings"):
                raise UsageError(f"{shown(url)} is the ledger; households need a database of their own.")
            if STEPS.revision_of(connection) is not None:
                raise UsageError(f"There is a household database already in {shown(url)}; give an empty one.")
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            STEPS.upgrade_to(connection, told["form"])
            sums = copies.filled(connection, file, HOUSEHOLDS, _quiet)
            copies.same_rows(connection, file, HOUSEHOLDS, sums)
            STEPS.upgrade_to(connection, STEPS.newest())
            if engine.dialect.name == "postgresql":
                # The lines that come next are numbered after those that are there.
                for table in FIXED:
                    connection.exec_driver_sql(
                        f"SELECT setval(pg_get_serial_sequence('{table}', 'line'), "
                        f"(SELECT COALESCE(MAX(line), 0) + 1 FROM {table}), false)"
                    )
            connection.commit()
    except Exception as error:
        if trouble_of(error) == "full" or isinstance(error, sa.exc.OperationalError):
            raise OutputError(shown(url), str(getattr(error, "orig", error)).strip().splitlines()[0]) from error
        raise
    finally:
        engine.dispose()
    return {"form": told["form"], "rows": sum(part["rows"] for part in sums.values())}


def _quiet(_table: str, _rows: int) -> None:
    """A household database is small: nobody is told how far it is."""
