"""
Copies a whole ledger into a file and back, on either database, and proves that nothing changed.

The file is text: one JSON value on each line, gzip where its name ends in ``.gz``. First an object with what it is; for
each table an object with its name, columns and key, its rows as arrays in the order of the key, and an object with
their number and SHA-256; last an object with the SHA-256 of all lines before. The same ledger gives the same lines on
both databases. Households, cards and keys lie elsewhere and are not in it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from nearer.aid.audit import audit_of
from nearer.aid.canonical import canonical
from nearer.aid.migrate import newest, revision_of, revisions, upgrade_to
from nearer.aid.store import check_durable, engine_of, reading_of, shown, sql_of, trouble_of, url_of
from nearer.aid.tables import JOURNAL, SUMS
from nearer.errors import CheckFailedError, Fault, InputError, OutputError, UsageError
from nearer.files import written_whole
from nearer.progress import Progress, Silent

FORMAT = "nearer aid backup"
VERSION = 1
PIECE = 5_000
"""Rows written at once."""

_NAMES = ("ledger", "form", "seq", "hash")
_WORD = re.compile(r"[a-z_]{1,40}")
_REMEDY = "give a file that `nearer aid backup` has written"


@dataclass
class _Part:
    """One table of a file, and the sums over its rows."""

    table: str
    columns: list[str]
    key: list[str]
    rows: int = 0
    sha: Any = field(default_factory=hashlib.sha256)

    def begin(self) -> dict[str, Any]:
        return {"table": self.table, "columns": self.columns, "key": self.key}

    def add(self, row: Iterable[Any]) -> bytes:
        line = canonical(list(row)) + b"\n"
        self.rows += 1
        self.sha.update(line)
        return line

    def end(self) -> dict[str, Any]:
        return {"table": self.table, "rows": self.rows, "sha256": self.sha.hexdigest()}


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
                "format": FORMAT,
                "version": VERSION,
                "ledger": json.loads(first[0])["ledger"],
                "form": form,
                "seq": int(head[0]),
                "hash": head[1],
            }
            total = 0
            with written_whole(file) as beside, _writing(beside, file.name.endswith(".gz")) as out:
                whole = hashlib.sha256()

                def put(line: bytes) -> None:
                    whole.update(line)
                    out.write(line)

                put(canonical(told) + b"\n")
                with (progress or Silent()).step("Writing the ledger", told["seq"]) as tick:
                    for part in _parts(connection):
                        put(canonical(part.begin()) + b"\n")
                        for row in _rows(connection, part):
                            put(part.add(row))
                        put(canonical(part.end()) + b"\n")
                        total += part.rows
                        tick(part.rows if part.table == "transactions" else 0)
                out.write(canonical({"sha256": whole.hexdigest()}) + b"\n")
    except sa.exc.DBAPIError as error:
        raise UsageError(f"{shown(url)} is no ledger, or cannot be reached: {error.orig}.") from error
    finally:
        engine.dispose()
    return {
        **{name: told[name] for name in ("ledger", "form", "seq", "hash")},
        "rows": total,
        "sha256": whole.hexdigest(),
    }


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
    told = _checked(file)
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
            if revision_of(connection) is not None:
                raise UsageError(f"There is a ledger already in {shown(url)}; give an empty database.")
        check_durable(engine)
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            upgrade_to(connection, told["form"])
            sums = _filled(connection, file, told, progress)
            for part in _parts(connection):
                for row in _rows(connection, part):
                    part.add(row)
                if part.end() != sums.get(part.table):
                    raise CheckFailedError(f"{part.table} was read back otherwise than it stands in {file}.")
            upgrade_to(connection, newest())
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
            upgrade_to(connection, newest())
            _same_head(connection, head)
            connection.commit()
    except sa.exc.DBAPIError as error:
        raise UsageError(f"{shown(url)} is no ledger, or cannot be reached: {error.orig}.") from error
    finally:
        engine.dispose()
    return {"before": form, "form": newest(), **head}


def _form_of(connection: sa.Connection, place: str) -> str:
    found = revision_of(connection)
    if found is None:
        raise UsageError(f"There is no ledger in {place}; make one with `nearer aid init`.")
    if found not in revisions():
        raise UsageError(
            f"The ledger in {place} has the form {found}, which this release does not know; use a later one."
        )
    return found


def _same_head(connection: sa.Connection, told: dict[str, Any]) -> None:
    row = connection.exec_driver_sql("SELECT seq, hash FROM head").one()
    if (int(row[0]), row[1]) != (told["seq"], told["hash"]):
        raise CheckFailedError("The head of the chain is not the same any more; nothing was kept.")


def _parts(connection: sa.Connection) -> Iterator[_Part]:
    """The tables that are there, those first that others refer to; columns as the database's form has them."""
    inspected = sa.inspect(connection)
    there = set(inspected.get_table_names())
    for name in (*JOURNAL, *SUMS):
        if name in there:
            columns = [column["name"] for column in inspected.get_columns(name)]
            key = inspected.get_pk_constraint(name)["constrained_columns"]
            yield _Part(name, columns, key)


def _rows(connection: sa.Connection, part: _Part) -> Iterator[Any]:
    statement = f"SELECT {', '.join(part.columns)} FROM {part.table} ORDER BY {', '.join(part.key)}"
    streamed = connection.execution_options(stream_results=True, yield_per=PIECE)
    try:
        yield from streamed.exec_driver_sql(statement)
    finally:
        connection.execution_options(stream_results=False, yield_per=None)


@contextmanager
def _writing(file: Path, zipped: bool) -> Iterator[IO[bytes]]:
    with file.open("wb") as raw:
        if not zipped:
            yield raw
            return
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as out:  # no name and no time: the same bytes again
            yield out  # type: ignore[misc]


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            yield from gzip.GzipFile(fileobj=raw) if zipped else raw
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError([Fault("was cut or changed", str(file), remedy=_REMEDY)]) from error
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror or error}", str(file))]) from error


def _checked(file: Path) -> dict[str, Any]:
    """The first object of a file whose last one holds."""
    whole = hashlib.sha256()
    first: Any = None
    before = b""
    for line in _lines(file):
        if before:
            whole.update(before)
        elif first is None:
            first = _object(line)
            if first is None or first.get("format") != FORMAT:
                raise InputError([Fault("is no backup of a ledger", str(file), remedy=_REMEDY)])
        before = line
    if first is None or _object(before) != {"sha256": whole.hexdigest()}:
        raise InputError([Fault("was cut or changed", str(file), remedy=_REMEDY)])
    if first.get("version") != VERSION or first.get("form") not in revisions():
        raise InputError([Fault("is of a later release", str(file), remedy="restore it with that one")])
    found: dict[str, Any] = first
    return found


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _filled(
    connection: sa.Connection, file: Path, told: dict[str, Any], progress: Progress
) -> dict[str, dict[str, Any]]:
    """Insert every row of a file; what the file says about each table at its end."""
    found: dict[str, dict[str, Any]] = {}
    part: _Part | None = None
    rows: list[list[Any]] = []
    sql = sql_of(connection)
    with progress.step("Restoring the ledger", told["seq"]) as tick:
        for line in _lines(file):
            value = json.loads(line)
            if isinstance(value, list):
                assert part is not None
                rows.append(value)
                if len(rows) < PIECE:
                    continue
            if part is not None and rows:
                sql.load(part.table, part.columns, rows)
                tick(len(rows) if part.table == "transactions" else 0)
                rows = []
            if isinstance(value, dict) and "columns" in value:
                part = _Part(value["table"], value["columns"], value["key"])
                _check(part, file)
            elif isinstance(value, dict) and "rows" in value:
                found[value["table"]], part = value, None
    return found


def _check(part: _Part, file: Path) -> None:
    """Refuse names that are none of ours: they become part of statements."""
    if part.table not in JOURNAL and part.table not in SUMS:
        raise InputError([Fault(f"has a table {part.table!r} of a later release", str(file), remedy="get that one")])
    if not all(_WORD.fullmatch(name) for name in (*part.columns, *part.key)):
        raise InputError([Fault("names columns that no ledger has", str(file), remedy=_REMEDY)])
