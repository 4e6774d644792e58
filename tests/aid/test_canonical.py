"""The one byte form of a row is that of the JSON module, however it is made."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from nearer.aid.canonical import former, link, link_forms, row_form
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
