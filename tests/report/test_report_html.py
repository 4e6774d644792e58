"""The report: one file, nothing from outside, every figure that of the plan."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from nearer.errors import OutputError
from nearer.planning.plan import Plan
from nearer.report import plan_words, report_html, words, write_report
from nearer.report.html import settings_lines

VOID = {"meta", "link", "br", "hr", "img", "input", "col"}
SHAPES = {"path", "rect", "circle", "use"}


class Page(HTMLParser):
    """Checks that elements nest, and collects what tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SHAPES, f"<{tag}/> means nothing in HTML"
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words).replace(words.THIN, " "))


def test_the_page_is_well_formed_and_asks_nothing_of_the_network(any_plan: Plan) -> None:
    text = report_html(any_plan)
    page = Page(text)
    assert not {"script", "iframe", "link", "object", "embed", "img", "base", "form"} & {
        tag for tag, _ in page.elements
    }
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), "no handlers"
            if name in ("src", "href", "xlink:href", "srcset", "action", "data"):
                assert (value or "").startswith("#")
            if "url(" in (value or ""):
                assert "url(#" in (value or "")
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    assert "@import" not in styles
    assert "url(" not in styles


def test_names_are_text_and_never_markup(build: Callable[..., Plan]) -> None:
    name = '<b>&"</b><script>alert(1)</script>{{ 7*7 }}'
    plan = build(names=(name,), areas=(name, "b", "c", "d"), groups=(name,), study=name)
    text = report_html(plan)
    assert "<script" not in text
    assert '<b>&"' not in text
    assert Page(text).text.count(name) >= 5


def test_every_id_is_used_once_and_every_use_finds_one(any_plan: Plan) -> None:
    page = Page(report_html(any_plan))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    asked = {a["href"][1:] for tag, a in page.elements if tag == "use"}  # type: ignore[index]
    asked |= {part for _, a in page.elements for part in (a.get("aria-labelledby") or "").split()}
    assert asked <= set(ids)


def test_tables_pictures_and_language_are_named_for_those_who_do_not_see(any_plan: Plan) -> None:
    text = report_html(any_plan)
    page = Page(text)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("caption") == tags.count("table") > 0
    assert all(a.get("scope") or not "".join(str(v) for v in a.values()) for tag, a in page.elements if tag == "th")
    pictures = [a for tag, a in page.elements if tag == "svg" and a.get("aria-hidden") != "true"]
    assert pictures
    assert all(a.get("role") == "img" and a.get("aria-labelledby") for a in pictures)
    assert ("html", {"lang": "en", "dir": "ltr"}) in page.elements
    assert re.search(r'<h1><span dir="auto">', text)
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_the_figures_are_those_of_the_document(any_plan: Plan) -> None:
    document = any_plan.document
    text = Page(report_html(any_plan)).text
    before, after = document.measures.before, document.measures.after
    expected = [
        plan_words.headline(document),
        plan_words.proof(document),
        *words.minutes_pair(before.mean_min, after.mean_min),
        words.percent(before.within["15"]),
        words.percent(after.within["15"]),
        words.whole(before.unreached),
        words.whole(after.unreached),
        f"{document.objective.value:,.1f}",
        f"{document.bound:,.1f}",
        document.inputs["people.csv"].removeprefix("sha256:"),
    ]
    expected += [words.whole(group.people) for group in after.groups.values()]
    expected += [words.hours(site.gain_person_min) for site in document.sites if site.order]
    expected += [words.hours(site.loss_person_min) for site in document.sites if site.order]
    expected += [words.whole(area.after_unreached) for area in document.areas]
    for figure in expected:
        assert re.sub(r"\s+", " ", figure.replace(words.THIN, " ")).replace("\x0b", "") in text


def test_all_new_centres_are_listed_in_order_of_gain(build: Callable[..., Plan]) -> None:
    plan = build(n_opened=60, n_candidates=40)
    text = report_html(plan)
    assert re.findall(r'<td><span class="disc ">(\d+)</span>', text) == [str(n) for n in range(1, 61)]


def test_a_plan_without_streets_districts_and_groups_has_no_empty_tables(build: Callable[..., Plan]) -> None:
    text = report_html(build(streets=False, districts=False, groups=(), areas=()))
    assert "<b>Areas</b>" not in text
    assert "joined to the streets" not in text
    assert "straight lines" in text


def test_the_word_optimal_is_not_used_of_a_plan_that_is_not(any_plan: Plan) -> None:
    if any_plan.document.status != "optimal":
        assert "optimal" not in Page(report_html(any_plan)).text.lower()


def test_phases_and_agencies_appear_where_the_study_has_them(plan: Plan) -> None:
    from dataclasses import replace

    from nearer.planning.document import AgencyPlan, PhasePlan

    def phase(name: str, spent: float, **more: float) -> PhasePlan:
        given = {"mean_min": 9.0, "mean_nearest_min": 8.0, "mean_room_min": 9.5, "unmet": 0.0, "unmet_room": 0.0} | more
        return PhasePlan(
            name=name, years=2.0, counted=2.0, people=100.0, opened=[], upgraded=[], closed=[], centres=3, spent=spent,
            running=1_250_000.0, value=600.0, **given,
        )  # fmt: skip

    phases = [phase("2027", 40_000.0), phase("2029", 0.0, alone_value=540.0, alone_bound=540.0, greedy_value=660.0)]
    document = plan.document.model_copy(update={"phases": phases, "greedy_value": 1320.0})
    text = Page(report_html(replace(plan, document=document))).text
    for said in ("2027", "40,000", "1.25 M", "11 %", "The price of the long run"):
        assert said in text
    assert "Who opens, hosts and pays" not in text
    city = AgencyPlan(name="City", venues_today=2, opened=[], people=5.0, spent=[40_000.0, 0.0], running=[1.0, 2.0])
    text = Page(report_html(replace(plan, document=document.model_copy(update={"agencies": [city]})))).text
    assert "Who opens, hosts and pays" in text
    assert "City" in text


def test_settings_are_listed_by_their_keys() -> None:
    lines = settings_lines({"plan": {"open": 98, "note": None}, "sites": [{"file": "a.csv"}, {"file": "b.csv"}]})
    assert lines == ["plan.open = 98", 'sites[1].file = "a.csv"', 'sites[2].file = "b.csv"']


def test_the_same_plan_gives_the_same_bytes(any_plan: Plan, tmp_path: Path) -> None:
    write_report(any_plan, tmp_path / "a.html")
    write_report(any_plan, tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert (tmp_path / "a.html").read_bytes().decode() == report_html(any_plan)


def test_a_folder_that_cannot_be_written_is_said_plainly(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        write_report(plan, tmp_path / "file" / "report.html")


def test_a_large_city_stays_small_and_quick(build: Callable[..., Plan]) -> None:
    plan = build(n_side=150, cell_m=62.0, n_existing=20, n_opened=12, n_candidates=8, split=2)
    start = time.process_time()
    text = report_html(plan)
    assert time.process_time() - start < 2.0
    assert len(text.encode()) < 4_000_000


def test_the_command_that_repeats_a_plan_has_what_it_was_asked(plan: Plan) -> None:
    from dataclasses import replace

    settings = {**plan.document.settings, "plan": {**plan.document.settings["plan"], "open": None, "open_max": 5}}
    asked = plan.document.model_copy(update={"settings": settings})
    text = Page(report_html(replace(plan, document=asked, run={"gap": 0.01, "work_limit": 5000}))).text
    assert "nearer plan . --open-max 5 --gap 0.01 --work-limit 5000 --seed 7" in text
    assert "--gap" not in Page(report_html(replace(plan, run={"gap": 1e-4, "work_limit": None}))).text
