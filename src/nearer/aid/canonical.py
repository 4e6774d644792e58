"""
One byte form for all that is hashed, the same whatever database it was read from.

A row is a JSON object of its columns, keys sorted, without blanks, in UTF-8; columns that hold nothing are left out, so
that a column added by a later release does not change what earlier rows hash to. Values are whole numbers and text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256 as _sha256
from json.encoder import c_make_encoder  # type: ignore[attr-defined]
from json.encoder import encode_basestring as _quoted
from typing import Any

Row = Mapping[str, int | str | None]

GENESIS = "0" * 64
"""What the first transaction is chained to."""

_SHOWN = 8

_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
# ``encode`` makes this anew for each value, which takes as long as a short value itself.
_pieces: Callable[[Any, int], Iterable[str]] | None = c_make_encoder and c_make_encoder(
    None, _encoder.default, _quoted, None, ":", ",", True, False, False
)


def canonical(value: Any) -> bytes:
    """The one byte form of a JSON value."""
    text = _encoder.encode(value) if _pieces is None else "".join(_pieces(value, 0))
    return text.encode("utf-8")


def sha256_hex(data: bytes) -> str:
    """SHA-256 in 64 hexadecimal digits."""
    return _sha256(data).hexdigest()


def row_form(row: Row) -> bytes:
    """The byte form of one row."""
    return canonical({name: value for name, value in row.items() if value is not None})


Former = Callable[[Sequence[int | str | None]], bytes]


@cache
def former(columns: tuple[str, ...]) -> Former:
    """
    Make a function that gives the byte form of a row of these columns, as ``row_form`` does, several times as fast.

    Most of what an audit does is this; so it is compiled, for each set of columns that hold something.
    """
    whole = _compiled(columns, (True,) * len(columns))
    partly: dict[tuple[bool, ...], Former] = {}

    def form(values: Sequence[int | str | None]) -> bytes:
        if None not in values:
            return whole(values)
        there = tuple([value is not None for value in values])
        known = partly.get(there)
        if known is None:
            known = partly[there] = _compiled(columns, there)
        return known(values)

    return form


def _compiled(columns: tuple[str, ...], there: tuple[bool, ...]) -> Former:
    """``lambda v: ('{"a":%s,"b":%s}' % (…, …)).encode()`` with whole numbers as they are and text quoted."""
    order = sorted((place for place in range(len(columns)) if there[place]), key=columns.__getitem__)
    text = "{" + ",".join(f'"{columns[place]}":%s' for place in order) + "}"
    values = "".join(f"v[{place}] if v[{place}].__class__ is int else q(v[{place}])," for place in order)
    made: Former = eval(f"lambda v: ({text!r} % ({values})).encode()", {"q": _quoted})
    return made


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
    return link_forms(previous, seq, {name: [row_form(row) for row in rows] for name, rows in tables.items()})


def link_forms(previous: str, seq: int, tables: Mapping[str, list[bytes]]) -> tuple[str, str]:
    """As ``link``, for rows whose byte forms are known."""
    digests: list[tuple[str, int, str]] = []
    parts: list[str] = []
    for name in sorted(tables):
        forms = tables[name]
        if forms:
            forms.sort()
            digests.append((name, len(forms), _sha256(b"\n".join(forms)).hexdigest()))
            parts.append(f"{name}:{','.join([_sha256(form).hexdigest()[:_SHOWN] for form in forms])}")
    return sha256_hex(canonical([previous, seq, digests])), " ".join(parts)


def read_parts(parts: str) -> dict[str, list[str]]:
    """Marks of the rows per table, as ``link`` wrote them."""
    found: dict[str, list[str]] = {}
    for part in parts.split():
        name, _, marks = part.partition(":")
        found[name] = [mark for mark in marks.split(",") if mark]
    return found
