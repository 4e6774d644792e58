"""Colours that everyone can tell apart."""

from __future__ import annotations

from itertools import pairwise

import pytest

from nearer.report import tokens

SCHEMES = [tokens.LIGHT, tokens.DARK]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("role", "ground"),
    [("text", "page"), ("quiet", "page"), ("warning", "page"), ("error", "page"),
     ("text", "outside"), ("quiet", "outside")],
)  # fmt: skip
def test_text_meets_wcag_aa(scheme: dict[str, str], role: str, ground: str) -> None:
    assert tokens.contrast(scheme[role], scheme[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("role", ["existing", "opened", "upgraded", "closed", "candidate", "other"])
def test_marks_meet_wcag_aa_for_graphics(scheme: dict[str, str], role: str) -> None:
    assert tokens.contrast(scheme[role], scheme["page"]) >= 3.0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_numbers_are_readable_in_their_circles(scheme: dict[str, str]) -> None:
    assert tokens.contrast(scheme["on-opened"], scheme["opened"]) >= 4.5


@pytest.mark.parametrize("ramp", [tokens.MINUTES_LIGHT, tokens.MINUTES_DARK])
def test_minutes_grow_darker_with_distance_in_grey_too(ramp: tuple[str, ...]) -> None:
    shades = [tokens.luminance(colour) for colour in ramp]
    assert len(ramp) == len(tokens.MINUTE_BREAKS) + 1
    assert all(tokens.contrast(a, b) >= 1.2 for a, b in pairwise(ramp))
    assert shades == sorted(shades, reverse=True)


def test_the_farthest_cells_do_not_sink_into_a_dark_page() -> None:
    assert tokens.contrast(tokens.MINUTES_DARK[-1], tokens.DARK["page"]) >= 1.8


@pytest.mark.parametrize(("ramp", "page"), [(tokens.GAIN_LIGHT, "#FFFFFF"), (tokens.GAIN_DARK, "#0F1419")])
def test_gain_grows_away_from_the_page(ramp: tuple[str, ...], page: str) -> None:
    contrasts = [tokens.contrast(colour, page) for colour in ramp[1:]]
    assert contrasts == sorted(contrasts)
    assert len(ramp) == len(tokens.GAIN_BREAKS) + 2


def test_both_schemes_name_the_same_roles() -> None:
    assert list(tokens.LIGHT) == list(tokens.DARK)
    sheet = tokens.css()
    assert all(sheet.count(f"{name}:") == 2 for name in tokens.variables())
    assert "@media screen and (prefers-color-scheme:dark)" in sheet, "paper stays light"


def test_contrast_is_that_of_wcag() -> None:
    assert tokens.contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert tokens.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
