"""The driver's connection under one open transaction: one way to write a statement for both databases."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol, cast

Value = int | str | None
Record = tuple[Any, ...]


class _Cursor(Protocol):
    rowcount: int

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def execute(self, statement: str, values: Sequence[Value] = ..., /) -> Any: ...

    def executemany(self, statement: str, values: Sequence[Sequence[Value]], /) -> Any: ...


class _Driver(Protocol):
    def cursor(self) -> _Cursor: ...

    def execute(self, statement: str, values: Sequence[Value] = ..., /) -> _Cursor: ...


@cache
def insertion(table: str, columns: tuple[str, ...]) -> str:
    """The statement that inserts a row."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


class Sql:
    """
    Runs statements with ``?`` for values.

    The posting path goes past SQLAlchemy's compiler: what a command costs is then what its statements cost.

    Parameters
    ----------
    driver
        Connection of ``sqlite3`` or ``psycopg``.
    is_postgres
        Which of the two.
    """

    def __init__(self, driver: object, is_postgres: bool) -> None:
        self._driver = cast(_Driver, driver)
        self._is_postgres = is_postgres

    def _spelled(self, statement: str) -> str:
        return statement.replace("?", "%s") if self._is_postgres else statement

    def run(self, statement: str, *values: Value) -> int:
        """Run a statement and return how many rows it touched."""
        return self._driver.execute(self._spelled(statement), values).rowcount

    def one(self, statement: str, *values: Value) -> Record | None:
        """The first row of an answer, None without any."""
        return cast("Record | None", self._driver.execute(self._spelled(statement), values).fetchone())

    def all(self, statement: str, *values: Value) -> list[Record]:
        """All rows of an answer."""
        return self._driver.execute(self._spelled(statement), values).fetchall()

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> None:
        """Insert rows into a table."""
        statement = self._spelled(insertion(table, tuple(columns)))
        if len(rows) == 1:
            self._driver.execute(statement, rows[0])
        elif rows:
            self._driver.cursor().executemany(statement, rows)

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> None:
        """Insert many rows, as quickly as the database takes them."""
        if not self._is_postgres:
            self.insert(table, columns, rows)
            return
        with cast(Any, self._driver).cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
