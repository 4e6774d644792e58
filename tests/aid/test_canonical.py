"""The one byte form of a row is that of the JSON module, however it is made."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearer.aid.canonical import canonical, former, link, link_forms, row_form
from nearer.aid.tables import COLUMNS

VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text()


@given(st.data(), st.sampled_from(sorted(COLUMNS)))
def test_the_quick_byte_form_of_a_row_is_the_plain_one(data: st.DataObject, table: str) -> None:
    columns = COLUMNS[table]
    values = data.draw(st.tuples(*(VALUES for _ in columns)))
    row = dict(zip(columns, values, strict=True))
    try:
        plain = row_form(row)
    except UnicodeEncodeError:  # half a sign of two; no database takes it
        return
    assert former(columns)(values) == plain
    kept = {name: value for name, value in row.items() if value is not None}
    assert plain == json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert link_forms("0" * 64, 7, {table: [plain]}) == link("0" * 64, 7, {table: [row]})


def test_the_quick_encoder_gives_the_bytes_of_the_plain_one() -> None:
    values: list[Any] = [
        "plain", "", "é\u2028\"\\\n\x7f\U0001f600", 0, -(10**18), None, True, 0.5, [], {},
        {"b": [1, {"ä": None, "a": ["x", 2]}], "a": "y"}, ["previous", 7, [("postings", 2, "mark")]],
    ]  # fmt: skip
    for value in values:
        plain = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        assert canonical(value) == plain.encode("utf-8")
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))
