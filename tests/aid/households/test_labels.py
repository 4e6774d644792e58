"""Labels: the codes on the sheets say what they should, and each stays in its place."""

from __future__ import annotations

import re
import stat
import zlib
from pathlib import Path

import pytest
import segno

from nearer.aid.households.cards import card_hash, new_token
from nearer.aid.households.labels import Label, card_label, lot_labels, on_terminal, write_sheets
from nearer.aid.store import Store

from ..town import Desk, Ticking
from .conftest import Run

MM = 72 / 25.4
RECT = re.compile(rb"([\d.]+) ([\d.]+) ([\d.]+) (-?[\d.]+) re f")
PAGES = re.compile(rb"/Type /Page\b")


def pages_of(file: Path) -> list[bytes]:
    """What is drawn on each page."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", file.read_bytes(), re.DOTALL)
    drawn = [zlib.decompress(stream) for stream in streams if stream[:1] == b"x"]
    return [page for page in drawn if b" re f" in page]


def matrix_of(page: bytes, label: int) -> list[list[int]]:
    """The dark and light squares that are drawn in the place of a label, from their millimetres."""
    left, top = label % 3 * 70.0, 0.5 + label // 3 * 37.0
    dark = []
    for found in RECT.findall(page):
        x, y, width, height = (float(value) / MM for value in found)
        y = 297 - y
        if left <= x < left + 70 and top <= y < top + 37:
            dark.append((x, y, width, abs(height)))
    unit = min(height for *_, height in dark)
    x0, y0 = min(x for x, *_ in dark), min(y for _, y, *_ in dark)
    size = round((max(x + width for x, _, width, _ in dark) - x0) / unit)
    rows = [[0] * size for _ in range(size)]
    for x, y, width, _ in dark:
        for step in range(round(width / unit)):
            rows[round((y - y0) / unit)][round((x - x0) / unit) + step] = 1
    return rows


def qr(text: str) -> list[list[int]]:
    return [[1 if sign else 0 for sign in row] for row in segno.make_qr(text, error="q").matrix]


def test_the_codes_on_the_sheets_are_those_of_their_labels(tmp_path: Path) -> None:
    tokens = [new_token() for _ in range(26)]
    assert write_sheets([card_label(token) for token in tokens], tmp_path / "cards.pdf") == 2
    first, second = pages_of(tmp_path / "cards.pdf")
    for page, label, token in ((first, 0, tokens[0]), (first, 23, tokens[23]), (second, 1, tokens[25])):
        assert matrix_of(page, label) == qr(token.replace("-", ""))
    assert matrix_of(first, 1) != qr(tokens[0].replace("-", ""))
    assert tokens[5][:9].replace("-", " ").encode() in first


def test_a_card_s_label_is_that_card_however_it_is_read() -> None:
    token = new_token()
    label = card_label(token)
    assert card_hash(label.code) == card_hash(token) == card_hash("".join(label.lines))


def test_the_same_labels_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.pdf", "other.pdf"):
        write_sheets([Label("L8-1", ("L8-1", "Rice"))], tmp_path / name)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "other.pdf").read_bytes()


def test_lots_have_what_a_shelf_needs_and_leave_out_what_cannot_be_printed(
    sqlite_templates: dict[str, str], tmp_path: Path
) -> None:
    import shutil

    from nearer.aid import commands as c

    with Store(str(shutil.copy(sqlite_templates["town"], tmp_path / "aid.db")), clock=Ticking()) as store:
        desk = Desk(store)
        desk.do(c.AddItem(item="lentils", name="عدس", unit="g"))
        later = desk.give("north", item="rice", quantity=5, use_by="2026-09-30", best_before="2026-06-30")
        sooner = desk.give("north", item="lentils", quantity=5, best_before="2026-05-01")
        desk.give("south", item="rice", quantity=5)
        labels = lot_labels(store, (), "north")
    assert [label.code for label in labels] == [sooner, later]
    assert labels[1].lines == (later, "rice", "Rice", "use by 2026-09-30", "best before 2026-06-30")
    write_sheets(labels, tmp_path / "lots.pdf")
    (page,) = pages_of(tmp_path / "lots.pdf")
    assert b"(lentils)" in page
    assert b"(use by 2026-09-30)" in page
    assert matrix_of(page, 1) == qr(later)


def test_a_long_line_stays_on_its_label(tmp_path: Path) -> None:
    write_sheets([Label("L8-1", ("W" * 120,))], tmp_path / "wide.pdf")
    (page,) = pages_of(tmp_path / "wide.pdf")
    (text,) = re.findall(rb"\((W+)\)", page)
    assert 5 < len(text) < 30


def test_a_terminal_shows_the_same_code() -> None:
    token = new_token()
    assert len(on_terminal(token).splitlines()) > 10


def test_a_sheet_of_new_cards_is_for_its_owner_alone(run: Run, tmp_path: Path) -> None:
    assert run("labels cards.pdf --cards 30") == "cards.pdf: 30 labels on 2 sheets.\n"
    assert stat.S_IMODE((tmp_path / "cards.pdf").stat().st_mode) == 0o600
    run("labels lots.pdf --site north")
    assert stat.S_IMODE((tmp_path / "lots.pdf").stat().st_mode) == 0o644
    assert not list(tmp_path.glob("*households*"))  # nobody has these cards yet


@pytest.mark.parametrize("lines", [[], ["L14-1", "L14-1"]])
def test_labels_are_as_many_as_asked_for(run: Run, lines: list[str]) -> None:
    if lines:
        assert run(f"labels lots.pdf {' '.join(lines)} --json")["labels"] == 2
    else:
        assert "Labels of what?" in run("labels lots.pdf", exit=2)
