"""What refuses deletion to all but the retention job, in each database's own words."""

from __future__ import annotations

from collections.abc import Iterable

_RUNNING = "EXISTS (SELECT 1 FROM retention WHERE running = 1)"


def sqlite_statements(by_retention: Iterable[str], kept: Iterable[str], fixed: Iterable[str]) -> list[str]:
    """Triggers for SQLite."""
    refused = "BEGIN SELECT RAISE(ABORT, '{}'); END"
    return [
        *(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT {_RUNNING} "
            + refused.format(f"rows of {table} are deleted by the retention job only")
            for table in by_retention
        ),
        *(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            + refused.format(f"rows of {table} are not deleted")
            for table in kept
        ),
        *(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
            + refused.format(f"rows of {table} are not changed")
            for table in fixed
        ),
    ]


def postgres_statements(by_retention: Iterable[str], kept: Iterable[str], fixed: Iterable[str]) -> list[str]:
    """Functions and triggers for PostgreSQL."""

    def refusing(name: str, condition: str) -> str:
        # What is not refused goes on: OLD for a deleted row; the value of a statement's trigger is not looked at.
        return (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
            "RAISE EXCEPTION 'rows of % are deleted by the retention job only, or not at all', TG_TABLE_NAME; "
            "END IF; RETURN OLD; END $$"
        )

    def trigger(table: str, event: str, function: str) -> str:
        level = "STATEMENT" if event == "TRUNCATE" else "ROW"
        return (
            f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )

    by_retention, kept = tuple(by_retention), tuple(kept)
    return [
        refusing("refuse_unless_retention", f"NOT {_RUNNING}"),
        refusing("refuse_always", "true"),
        *(trigger(table, "DELETE", "refuse_unless_retention") for table in by_retention),
        *(trigger(table, "DELETE", "refuse_always") for table in kept),
        *(trigger(table, "TRUNCATE", "refuse_always") for table in (*by_retention, *kept)),
        *(trigger(table, "UPDATE", "refuse_always") for table in fixed),
    ]
