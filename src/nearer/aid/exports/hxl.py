"""Published tables with the tags of the Humanitarian Exchange Language (hxlstandard.org)."""

from __future__ import annotations

from nearer.aid.driver import Sql
from nearer.aid.exports.sheets import csv_text
from nearer.aid.publishing import Release

TAGS = {
    "site": "#loc+code",
    "site_name": "#loc+name",
    "programme": "#activity+code",
    "programme_name": "#activity+name",
    "week": "#date+week",
    "month": "#date+month",
    "households": "#reached+households",
}
"""Column → tag."""


def hxl_text(sql: Sql, release: Release) -> str:
    """
    A published table as CSV with a row of tags below the header.

    Only what is published: a hidden count is empty, and totals are left out, since tools add columns up.
    """
    table, code = ("sites", "site") if release.rows == "site" else ("programmes", "programme")
    names = {str(key): str(name) for key, name in sql.all(f"SELECT {code}, name FROM {table}")}
    rows = [
        {code: row, f"{code}_name": names[row], release.columns: column, "households": count}
        for (row, column), count in release.cells.items()
        if row is not None and column is not None
    ]
    return csv_text(rows, TAGS)
