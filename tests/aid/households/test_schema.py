"""The household database has no room for a person or a score, is what its migrations make, and keeps its rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from nearer.aid.households import book as b
from nearer.aid.households import signins, staff
from nearer.aid.households.migrate import VERSIONS
from nearer.aid.households.store import Households
from nearer.aid.households.tables import BY_RETENTION, FIXED, KEPT, metadata

from ..test_privacy import PARTS, PERSON

ALLOWED = {
    # A random number, how many people, and hashes; the job of the table.
    "households.household",
    "households.size",
    "household_needs.household",
    "cards.card",
    "cards.household",
    "access_log.card",
}


def test_no_column_of_the_household_database_can_hold_a_person_or_a_score() -> None:
    suspicious = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if any(PERSON.fullmatch(part) for part in PARTS.findall(column.name))
    }
    assert suspicious == ALLOWED


def test_the_tables_are_those_that_the_migrations_make(people: Households) -> None:
    with people.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSIONS})
        assert compare_metadata(context, metadata) == []


def test_the_tables_that_keep_their_rows_are_all_but_needs() -> None:
    assert {*BY_RETENTION, *KEPT, "household_needs"} == set(metadata.tables)


def test_no_row_is_deleted_but_by_the_retention_job(people: Households) -> None:
    staff.add(people, "boss", "coordinator", "four plain words here")
    household, _ = b.enrol(people, size=1, home="north", language="pt", by="boss")
    b.tag_of(people, "basics", "march", household.number)
    signins.keep(people, "boss", "in", "password", "127.0.0.0/24")
    for table in (*BY_RETENTION, *KEPT):
        with pytest.raises(sa.exc.DBAPIError, match=rf"rows of {table} are"), people.writing() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")
    for table in FIXED:
        with pytest.raises(sa.exc.DBAPIError, match=rf"rows of {table} are"), people.writing() as connection:
            connection.exec_driver_sql(f"UPDATE {table} SET staff = 'nobody'")
    if people.is_postgres:
        for table in (*BY_RETENTION, *KEPT):
            with pytest.raises(sa.exc.DBAPIError, match="rows of"), people.writing() as connection:
                connection.exec_driver_sql(f"TRUNCATE {table} CASCADE")
