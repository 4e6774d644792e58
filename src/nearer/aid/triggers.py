"""What refuses to change or delete a journal row, in each database's own words."""

from __future__ import annotations

from collections.abc import Iterable


def sqlite_statements(tables: Iterable[str]) -> list[str]:
    """Triggers for SQLite."""
    return [
        f"CREATE TRIGGER {name_of(table, event)} BEFORE {event} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
        for table in tables
        for event in ("UPDATE", "DELETE")
    ]


def postgres_statements(tables: Iterable[str]) -> list[str]:
    """A function and triggers for PostgreSQL."""
    return [
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME; END $$",
        *(
            f"CREATE TRIGGER {name_of(table, event)} BEFORE {event} ON {table} "
            f"FOR EACH {'STATEMENT' if event == 'TRUNCATE' else 'ROW'} EXECUTE FUNCTION refuse_change()"
            for table in tables
            for event in ("UPDATE", "DELETE", "TRUNCATE")
        ),
    ]


def name_of(table: str, event: str) -> str:
    """What a trigger is called."""
    return f"{table}_no_{event.lower()}"


def names_for(dialect: str, tables: Iterable[str]) -> set[str]:
    """All triggers that a ledger has."""
    events = ("UPDATE", "DELETE", "TRUNCATE") if dialect == "postgresql" else ("UPDATE", "DELETE")
    return {name_of(table, event) for table in tables for event in events}
