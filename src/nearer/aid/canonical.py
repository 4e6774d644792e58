"""
One byte form for all that is hashed, the same whatever database it was read from.

A row is a JSON object of its columns, keys sorted, without blanks, in UTF-8; columns that hold nothing are left out, so
that a column added by a later release does not change what earlier rows hash to. Values are whole numbers and text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, int | str | None]

GENESIS = "0" * 64
"""What the first transaction is chained to."""

_SHOWN = 8

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Any) -> bytes:
    """The one byte form of a JSON value."""
    return _encode(value).encode("utf-8")


def sha256_hex(data: bytes) -> str:
    """SHA-256 in 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def row_form(row: Row) -> bytes:
    """The byte form of one row."""
    return canonical({name: value for name, value in row.items() if value is not None})


def row_mark(form: bytes) -> str:
    """A short mark of a row's form: enough to say which row was changed where the hash says that one was."""
    return sha256_hex(form)[:_SHOWN]


def link(previous: str, seq: int, tables: Mapping[str, Iterable[Row]]) -> tuple[str, str]:
    """
    Chain one transaction to the one before.

    Parameters
    ----------
    previous
        Hash of the transaction before, ``GENESIS`` for the first.
    seq
        Number of this one.
    tables
        Its rows in every journal table.

    Returns
    -------
    hash, parts
        SHA-256 over all of it; and per table ``name:mark,mark,…``, one for each row, which say what was changed where
        the hash says that something was.
    """
    digests: list[tuple[str, int, str]] = []
    parts: list[str] = []
    for name in sorted(tables):
        forms = sorted(row_form(row) for row in tables[name])
        if forms:
            digests.append((name, len(forms), sha256_hex(b"\n".join(forms))))
            parts.append(f"{name}:{','.join(map(row_mark, forms))}")
    return sha256_hex(canonical([previous, seq, digests])), " ".join(parts)


def read_parts(parts: str) -> dict[str, list[str]]:
    """Marks of the rows per table, as ``link`` wrote them."""
    found: dict[str, list[str]] = {}
    for part in parts.split():
        name, _, marks = part.partition(":")
        found[name] = [mark for mark in marks.split(",") if mark]
    return found
