"""The report in every language: nothing left in English, and the figures those of the English one."""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from nearer import language as spoken_words
from nearer.language import LANGUAGES, catalogue, direction, figures, language, spoken, t, tn, told
from nearer.planning.document import (
    AgencyPlan,
    Backup,
    Covered,
    LevelUse,
    OtherPlan,
    OtherPlans,
    Otherwise,
    PhasePlan,
    ProgrammeUse,
    RejectedSite,
    RuleUse,
    Turn,
    UnmetArea,
    Unservable,
)
from nearer.planning.plan import Plan
from nearer.report import report_html, words
from nearer.report.dates import day, solar_hijri
from tests.report.conftest import ODD
from tests.report.test_report_html import Page

TOOLS = Path(__file__).resolve().parents[2] / "tools"
OTHERS = [code for code in LANGUAGES if code != "en"]


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return loaded("report_words")


@pytest.fixture(scope="module")
def wanted(tool: ModuleType) -> dict[str, str | None]:
    return dict(tool.texts())


@pytest.fixture(scope="module")
def note_forms() -> list[str]:
    return [form for form, _ in loaded("note_words").forms()]


@pytest.fixture(scope="session")
def staged_plan(build: Callable[..., Plan]) -> Plan:
    """A plan with everything that a report can tell of; names that are given have no letters of ours."""
    plan = build(names=("Ω",), areas=("Δ", "Θ", "Λ", "Ξ"), study="Σ", groups=("ψ",), status="feasible")
    given = plan.document
    opened = [site for site in given.sites if site.status == "opened"]
    ids = [site.id for site in opened]
    half = [site.id for site in opened[:2]]
    lost = Otherwise(at_least_person_min=900.0, at_most_person_min=4000.0, searched=True, opens=["Φ"], closes=half)
    same = {"years": 2.0, "counted": 1.0, "people": 900.0, "upgraded": [ids[0]], "closed": [ids[1]], "centres": 4}
    same |= {"spent": 1_250_000.0, "running": 900.5, "mean_min": 8.0, "mean_nearest_min": 7.0, "mean_room_min": 9.0}
    same |= {"unmet": 7.0, "unmet_room": 8.0, "value": 600.0, "alone_value": 500.0, "greedy_value": 700.0}
    phases = [PhasePlan(name="α", opened=ids[:2], **same), PhasePlan(name="β", opened=ids[2:], **same)]
    turn = {"before": 9.0, "value": 8.0, "found": 8.0, "bound": 7.0, "gap": 0.1, "tolerance": 0.01, "status": "gap"}
    turns = [
        Turn(name="unreached", unit="people", proof="certificate", **turn),
        Turn(name="farthest", unit="minutes", proof="solver", **turn),
        Turn(name="coverage", unit="people", proof="solver", **turn),
    ]
    twice = Covered(once=0.6, twice=0.3)
    groups = {"people": given.snapping["people"], "sites": given.snapping["people"]}
    document = given.model_copy(
        update={
            "phases": phases,
            "objectives": turns,
            "greedy_value": 2.0 * given.objective.value,
            "backup": Backup(second_share=0.25, minutes=15.0, before=twice, after=twice),
            "sites": [
                *(site for site in given.sites if site.status != "opened"),
                *(
                    site.model_copy(
                        update={
                            "phase": "α",
                            "agency": "Γ",
                            "sent": 3.0,
                            "without": lost,
                            "replaced_loss_person_min": loss,
                            "replacement": given.sites[0].id,
                        }
                    )
                    for site, loss in zip(opened, (-900.0, 4000.0, 50_000.0, 70.0), strict=True)
                ),
            ],
            "rejected": [RejectedSite(id="Φ", name="Φ", forced=lost)] * 14,
            "alternatives": OtherPlans(
                count=2,
                differ=1,
                within=0.01,
                plans=[OtherPlan(value=1.01 * given.objective.value, bound=1.0, opens=["Φ"], closes=half)],
                no_more=True,
                in_all=ids[2:],
            ),
            "agencies": [
                AgencyPlan(name="Γ", venues_today=1, opened=half, people=5.0, spent=[5.0], running=[7.5], budget=1e9)
            ],
            "levels": [LevelUse(name="not stated", centres=3, people=9.0, capacity=None)],
            "programmes": [ProgrammeUse(name="Π", group="ψ", wanted=9.0, seated=8.0, mean_min=4.0)],
            "rules": [
                RuleUse(name="open 2 in α", value=2.0, lower=2.0, upper=2.0),
                RuleUse(name="promise of Γ, everyone: 9 minutes on average", value=9.5, upper=9.0),
                RuleUse(name="budget", value=1.0),
            ],
            "unmet": [UnmetArea(area="", people=7.0, groups={"ψ": 3.0})],
            "unservable": [Unservable(id="Φ", people=3.0, area="Δ", minutes=None)] * 2,
            "snapping": {name: one.model_copy(update={"unjoined": []}) for name, one in groups.items()},
            "notes": ["Whoever is farther than 30 minutes from every open site counts as out of reach, and as 60 "
                      "minutes in the mean and in what was minimised."],
            "settings": {
                **given.settings,
                "plan": {
                    **given.settings["plan"], "force": ["Φ"], "forbid": ["Φ"], "within_share": 0.8,
                    "everyone_within_min": 20.0, "group_weights": {"ψ": 2.0}, "decay_min": [5, 15],
                },
                "streets": {"mode": "straight", "limit_min": 30.0, "group_speeds_kmh": {"ψ": 3.5}},
            },
            "sources": [source.model_copy(update={"kind": "people, streets"}) for source in given.sources],
            "far": [place.model_copy(update={"mend_unreached": 2.0}) for place in given.far],
        }
    )  # fmt: skip
    people = plan.people.assign(
        minutes_phase_1=plan.people["minutes_before"], minutes_phase_2=plan.people["minutes_after"]
    )
    return replace(plan, document=document, people=people, run={"date": "2026-11-26"})


@pytest.mark.parametrize("code", OTHERS)
def test_no_text_of_a_report_is_left_untranslated(wanted: dict[str, str | None], code: str) -> None:
    found = catalogue(code, "report")
    assert len(wanted) > 250
    assert [text for text in wanted if text not in found] == [], "run tools/report_words.py, and translate"
    assert [text for text in found if text not in wanted] == [], "run tools/report_words.py"
    assert all(isinstance(found[text], list) == (many is not None) for text, many in wanted.items())


def test_what_may_be_one_is_not_always_told_as_many(wanted: dict[str, str | None]) -> None:
    several = re.compile(r"\{n\} (centres|sites|households|places|phases|agencies|candidates|visits) ")
    assert [text for text, many in wanted.items() if many is None and several.search(text)] == ["{n} places a head"]


@pytest.mark.parametrize("code", OTHERS)
def test_translations_keep_the_values_of_a_report(wanted: dict[str, str | None], code: str) -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    found = catalogue(code, "report")
    for one, many in wanted.items():
        said = found[one]
        if many is None:
            assert names(str(said)) == names(one), one
        else:
            assert isinstance(said, list)
            assert names(said[1]) == names(many), one
            assert names(said[0]) <= names(many), one


@pytest.mark.parametrize(
    ("code", "number", "written"),
    [("en", "12,345.6", "12,345.6"), ("es", "12,345.6", "12.345,6"), ("es", "1,234.5", "1234,5"),
     ("es", "-1,234,567", "-1.234.567"), ("fa", "12,345.6", "۱۲٬۳۴۵٫۶"), ("fa", "63\u202f%", "۶۳\u200f٪"),
     ("fa", "-5", "\u200e−۵")],
)  # fmt: skip
def test_numbers_are_written_as_the_language_writes_them(code: str, number: str, written: str) -> None:
    with language(code):
        assert figures(number) == written


def test_a_language_holds_in_its_block_and_its_thread_only() -> None:
    heard: list[str] = []
    with language("fa"):
        assert (spoken(), direction()) == ("fa", "rtl")
        other = threading.Thread(target=lambda: heard.append(spoken()))
        other.start()
        other.join()
        with language("es"):
            assert words.people(2.0) == "2 personas"
        assert words.people(2.0) == "۲ نفر"
    assert heard == ["en"]
    assert (spoken(), direction()) == ("en", "ltr")
    with pytest.raises(KeyError), language("xx"):
        pass


def test_a_text_that_nobody_translated_is_said_in_english() -> None:
    with language("es"):
        assert t("no such text, {name}", name="x") == "no such text, x"
        assert tn(3, "one thing", "{n} things") == "3 things"


@pytest.mark.parametrize("code", OTHERS)
def test_no_note_of_a_plan_is_left_untranslated(note_forms: list[str], code: str) -> None:
    found = catalogue(code, "notes")
    assert len(note_forms) > 40
    assert [form for form in note_forms if form not in found] == [], "run tools/note_words.py, and translate"
    assert [form for form in found if form not in note_forms] == [], "run tools/note_words.py"
    for form, said in found.items():
        assert len(re.findall(r"\{\d?\}", str(said))) == form.count("{}"), form


def test_notes_are_told_with_their_values() -> None:
    with language("fa"):
        assert told("open 3 in 2027") == "باز کردن ۳ در ۲۰۲۷"
        assert told("promise of Γ, everyone: 9.5 minutes on average") == "قول Γ، همهٔ مردم: میانگین ۹٫۵ دقیقه"
        assert told("near {Δ}") == "نزدیک {Δ}"
        assert told("nobody wrote this note") == "nobody wrote this note"
    assert told("open 3 in 2027") == "open 3 in 2027"


class Mirror(dict[str, object]):
    """Every text translated, in letters that are not ours; places of values stay."""

    def __init__(self, texts: dict[str, str | None]) -> None:
        def turned(text: str) -> str:
            return re.sub(r"(\{\w*\})|[A-Za-z]", lambda found: found[1] or "ж", text)

        super().__init__(
            {one: turned(one) if many is None else [turned(one), turned(many)] for one, many in texts.items()}
        )


UNTOUCHED = (
    r"nearer|proof\.npz|sites\.csv|plan\.gpkg|plan\.json|people\.csv|centres\.csv|streets\.osm\.pbf|[0-9a-f]{64}"
)
GIVEN = r"CC BY 4\.0, Newtown statistics 2024|ODbL 1\.0, © OpenStreetMap contributors|© OpenStreetMap contributors"


def test_every_word_of_a_report_goes_through_the_catalogues(
    staged_plan: Plan,
    build: Callable[..., Plan],
    wanted: dict[str, str | None],
    note_forms: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = {"report": Mirror(wanted), "notes": Mirror(dict.fromkeys(note_forms))}
    monkeypatch.setattr(spoken_words, "catalogue", lambda code, of: {} if code == "en" else texts[of])
    spoken_words._forms.cache_clear()
    try:
        with language("fa"):
            plain = build(names=("Ω",), areas=("Δ",) * 4, study="Σ", groups=("ψ",), status="optimal")
            notes = {"notes": [], "snapping": {}}
            plain = replace(plain, document=plain.document.model_copy(update=notes))
            for plan in (staged_plan, plain):
                page = report_html(plan)
                page = re.sub(r"(?s)<style>.*?</style>|<code.*?</code>|<pre.*?</pre>", "", page)
                seen = " ".join([*Page(page).words, *re.findall(r'aria-label="([^"]*)"', page)])
                seen = re.sub(f"{UNTOUCHED}|{GIVEN}", "", seen)
                assert sorted(set(re.findall(r"[A-Za-z]{2,}", seen))) == []
    finally:
        spoken_words._forms.cache_clear()


@pytest.mark.parametrize("code", OTHERS)
def test_a_report_in_another_language_has_the_same_figures_and_no_english_sentence(
    staged_plan: Plan, wanted: dict[str, str | None], code: str
) -> None:
    found = catalogue(code, "report")
    sentences = [one for one, many in wanted.items() if many is None and "{" not in one and one.strip().count(" ") > 1]
    english = [one for one in sentences if found[one] != one]
    assert len(english) > 80
    for plan in (staged_plan, *(ODD[kind]() for kind in ("arabic", "injected", "everyone reached", "hexagons"))):
        with language(code):
            text = report_html(plan)
        page = Page(text)
        assert ("html", {"lang": code, "dir": "rtl" if code == "fa" else "ltr"}) in page.elements
        assert [one for one in english if one in page.text] == []
        assert cells(text) == cells(report_html(plan))
        assert "{" not in re.sub(r"(?s)<style>.*?</style>", "", text).replace("{{ 7*7 }}", "")


def cells(page: str) -> list[str]:
    """What stands in cells of numbers, as plain English numbers without thousands apart."""
    found = re.findall(r'(?s)<td class="num[^"]*">(.*?)</td>', page)
    plain = str.maketrans("۰۱۲۳۴۵۶۷۸۹٫٪−", "0123456789.%-")
    if 'lang="es"' in page:
        found = [re.sub(r"<.*?>", " ", cell).replace(".", "").replace(",", ".") for cell in found]
    else:
        found = [re.sub(r"<.*?>", " ", cell).translate(plain).replace(",", "").replace("٬", "") for cell in found]
    return [" ".join(re.findall(r"[-\d][\d.]*", cell)) for cell in found]


def test_english_is_spoken_unless_another_language_is_asked_for(plan: Plan) -> None:
    before = report_html(plan)
    with language("fa"):
        assert report_html(plan) != before
    assert report_html(plan) == before


def test_days_are_those_of_the_reader() -> None:
    assert day("2026-11-26") == "2026-11-26"
    with language("es"):
        assert day("2026-11-26") == "26 de noviembre de 2026"
        assert day("") == ""
    with language("fa"):
        assert day("2026-11-26") == "۵ آذر ۱۴۰۵"
    # first days of Persian years, as the calendar centre in Tehran gave them
    for year, first in (
        (1399, date(2020, 3, 20)),
        (1400, date(2021, 3, 21)),
        (1404, date(2025, 3, 21)),
        (1409, date(2030, 3, 21)),
    ):
        assert solar_hijri(first) == (year, 1, 1)
        assert solar_hijri(first - timedelta(days=1))[:2] == (year - 1, 12)
