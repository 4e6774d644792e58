"""
Files that hold a whole database: one JSON value on each line, gzip where the name ends in ``.gz``.

First an object with what it is; for each table an object with its name, columns and key, its rows as arrays in the
order of the key, and an object with their number and SHA-256; last an object with the SHA-256 of all lines before. The
same database gives the same lines on SQLite and PostgreSQL.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from nearer.aid.canonical import canonical
from nearer.aid.store import sql_of
from nearer.errors import CheckFailedError, Fault, InputError
from nearer.files import written_whole

VERSION = 1
PIECE = 5_000
"""Rows written at once."""

Tick = Callable[[str, int], None]
"""Is told a table and how many more of its rows are done."""

_WORD = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True)
class Kind:
    """
    What a file is a copy of.

    Parameters
    ----------
    format
        The word for it in the file.
    what
        What it is a copy of, in words.
    tables
        Names of the tables, those first that others refer to.
    command
        What writes such a file, for remedies.
    secret
        Only the file's owner may read it.
    """

    format: str
    what: str
    tables: tuple[str, ...]
    command: str
    secret: bool = False

    @property
    def remedy(self) -> str:
        """What to do about a file that is none."""
        return f"give a file that `{self.command}` has written"


@dataclass
class Part:
    """One table of a file, and the sums over its rows."""

    table: str
    columns: list[str]
    key: list[str]
    rows: int = 0
    sha: Any = field(default_factory=hashlib.sha256)

    def begin(self) -> dict[str, Any]:
        """The object before its rows."""
        return {"table": self.table, "columns": self.columns, "key": self.key}

    def add(self, row: Iterable[Any]) -> bytes:
        """One row's line, counted."""
        line = canonical(list(row)) + b"\n"
        self.rows += 1
        self.sha.update(line)
        return line

    def end(self) -> dict[str, Any]:
        """The object after its rows."""
        return {"table": self.table, "rows": self.rows, "sha256": self.sha.hexdigest()}


def write(connection: sa.Connection, file: Path, kind: Kind, told: dict[str, Any], tick: Tick) -> dict[str, Any]:
    """
    Write what an open transaction sees to a file.

    Parameters
    ----------
    told
        What the first object says beside ``format`` and ``version``.

    Returns
    -------
    dict
        ``rows``, and ``sha256`` of the lines.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    total = 0
    whole = hashlib.sha256()
    with written_whole(file, secret=kind.secret) as beside, _writing(beside, file.name.endswith(".gz")) as out:

        def put(line: bytes) -> None:
            whole.update(line)
            out.write(line)

        put(canonical({"format": kind.format, "version": VERSION, **told}) + b"\n")
        for part in parts(connection, kind):
            put(canonical(part.begin()) + b"\n")
            for row in rows(connection, part):
                put(part.add(row))
            put(canonical(part.end()) + b"\n")
            total += part.rows
            tick(part.table, part.rows)
        out.write(canonical({"sha256": whole.hexdigest()}) + b"\n")
    return {"rows": total, "sha256": whole.hexdigest()}


def checked(file: Path, kind: Kind, forms: Collection[str]) -> dict[str, Any]:
    """
    The first object of a file whose last one holds.

    Raises
    ------
    InputError
        It is no such file, was changed or cut, or its form is none of ``forms``.
    """
    whole = hashlib.sha256()
    first: Any = None
    before = b""
    for line in lines(file, kind):
        if before:
            whole.update(before)
        elif first is None:
            first = _object(line)
            if first is None or first.get("format") != kind.format:
                raise InputError([Fault(f"is no backup of {kind.what}", str(file), remedy=kind.remedy)])
        before = line
    if first is None or _object(before) != {"sha256": whole.hexdigest()}:
        raise InputError([Fault("was cut or changed", str(file), remedy=kind.remedy)])
    if first.get("version") != VERSION or first.get("form") not in forms:
        raise InputError([Fault("is of a later release", str(file), remedy="restore it with that one")])
    found: dict[str, Any] = first
    return found


def filled(connection: sa.Connection, file: Path, kind: Kind, tick: Tick) -> dict[str, dict[str, Any]]:
    """Insert every row of a checked file; what the file says about each table at its end."""
    found: dict[str, dict[str, Any]] = {}
    part: Part | None = None
    waiting: list[list[Any]] = []
    sql = sql_of(connection)
    for line in lines(file, kind):
        value = json.loads(line)
        if isinstance(value, list):
            assert part is not None
            waiting.append(value)
            if len(waiting) < PIECE:
                continue
        if part is not None and waiting:
            sql.load(part.table, part.columns, waiting)
            tick(part.table, len(waiting))
            waiting = []
        if isinstance(value, dict) and "columns" in value:
            part = Part(value["table"], value["columns"], value["key"])
            _check(part, file, kind)
        elif isinstance(value, dict) and "rows" in value:
            found[value["table"]], part = value, None
    return found


def same_rows(connection: sa.Connection, file: Path, kind: Kind, sums: dict[str, dict[str, Any]]) -> None:
    """
    Read every row back and compare it with what the file says.

    Raises
    ------
    CheckFailedError
        A table is not what it was.
    """
    for part in parts(connection, kind):
        for row in rows(connection, part):
            part.add(row)
        if part.end() != sums.get(part.table):
            raise CheckFailedError(f"{part.table} was read back otherwise than it stands in {file}.")


def parts(connection: sa.Connection, kind: Kind) -> Iterator[Part]:
    """The tables that are there; columns as the database's form has them."""
    inspected = sa.inspect(connection)
    there = set(inspected.get_table_names())
    for name in kind.tables:
        if name in there:
            columns = [column["name"] for column in inspected.get_columns(name)]
            key = inspected.get_pk_constraint(name)["constrained_columns"]
            yield Part(name, columns, key)


def rows(connection: sa.Connection, part: Part) -> Iterator[Any]:
    """A table's rows in the order of its key."""
    statement = f"SELECT {', '.join(part.columns)} FROM {part.table} ORDER BY {', '.join(part.key)}"
    streamed = connection.execution_options(stream_results=True, yield_per=PIECE)
    try:
        yield from streamed.exec_driver_sql(statement)
    finally:
        connection.execution_options(stream_results=False, yield_per=None)


def lines(file: Path, kind: Kind) -> Iterator[bytes]:
    """The lines of a file, unpacked."""
    try:
        with file.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            yield from gzip.GzipFile(fileobj=raw) if zipped else raw
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError([Fault("was cut or changed", str(file), remedy=kind.remedy)]) from error
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror or error}", str(file))]) from error


@contextmanager
def _writing(file: Path, zipped: bool) -> Iterator[IO[bytes]]:
    with file.open("wb") as raw:
        if not zipped:
            yield raw
            return
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as out:  # no name and no time: the same bytes again
            yield out  # type: ignore[misc]


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _check(part: Part, file: Path, kind: Kind) -> None:
    """Refuse names that are none of ours: they become part of statements."""
    if part.table not in kind.tables:
        raise InputError([Fault(f"has a table {part.table!r} of a later release", str(file), remedy="get that one")])
    if not all(_WORD.fullmatch(name) for name in (*part.columns, *part.key)):
        raise InputError([Fault("names columns that no such database has", str(file), remedy=kind.remedy)])
