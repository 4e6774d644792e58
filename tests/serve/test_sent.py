"""Who is sent where by a plan with limited room, beside who goes to the nearest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearer.errors import UsageError
from nearer.planning.files import read_document
from nearer.serve.making import situations_of
from nearer.serve.scene import read_scene
from nearer.serve.sent import sending_of
from nearer.serve.situation import Situation
from nearer.study import run_study

from .conftest import Server, map_drawn, write_rows

LEVELS = 'whole = true\n\n[[levels]]\nname = "small"\ncapacity = 35\n'
"""Room for 35 at each new centre: the library cannot take the 40 people at its door, who go together."""


def limited(folder: Path) -> None:
    """The study of two rows, with little room, planned."""
    toml = folder / "nearer.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + LEVELS, encoding="utf-8")
    run_study(folder, out=folder / "plans" / "1", threads=1)


def test_everybody_is_shown_where_the_plan_sends_them(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    write_rows(folder)
    limited(folder)
    scene, document = read_scene(folder), read_document(folder / "plans" / "1")
    told = situations_of(document, scene, sending_of(folder, "1"))
    sent = Situation.parse(told["sent"])
    assert str(sent) == told["sent"]
    assert Situation.parse(told["plan"]).opened == sent.opened
    nearest, as_sent = (scene.seen(Situation.parse(told[key])).access for key in ("plan", "sent"))
    n = scene.tables.sites.n
    ids = scene.tables.sites.table["id"].tolist()
    planned = {site.id: site.sent or 0.0 for site in document.sites if site.sent is not None}
    load = as_sent.people_per_site(n)
    assert {ids[k]: load[k] for k in range(n) if ids[k] in planned} == pytest.approx(planned)
    assert max(load[1:]) <= 35 < max(nearest.people_per_site(n)[1:])
    assert np.all(as_sent.time_ms >= nearest.time_ms), "nobody is sent nearer than the nearest"
    with pytest.raises(UsageError, match="made anew"):
        scene.seen(Situation.parse(told["sent"][:-8] + "00000000"))


@pytest.mark.browser
def test_the_map_shows_both_rules_and_who_is_sent_to_a_centre(
    visit: Callable[..., Any], rows: str, server: Server
) -> None:
    limited(server.home / rows)
    page = visit(f"/#/study/{rows}?plan=1")
    page.get_by_role("button", name="As room allows", pressed=True).wait_for()
    map_drawn(page)
    page.get_by_text("People by minutes to the centre with room for them").wait_for()
    before = page.locator(".figures").inner_text()
    row = page.get_by_role("row").filter(has_text="new centre").first
    row.get_by_role("button").click()
    page.get_by_text("It has room for 35.").wait_for()
    page.get_by_text("people are sent here").wait_for()
    page.get_by_role("button", name="Show who goes there").click()
    page.get_by_role("button", name="To the nearest").click()
    page.get_by_text("It is the nearest centre for").wait_for()
    page.wait_for_function("was => document.querySelector('.figures').innerText !== was", arg=before)
    assert "nearest=1" in page.url
