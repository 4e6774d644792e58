"""The pages of further questions in every language: nothing left in English, and the same figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nearer import language as spoken_words
from nearer.language import LANGUAGES, language
from nearer.report import comparewords, curvewords, senspage
from nearer.study.agencies import compare_agencies
from nearer.study.compare import run_compare
from nearer.study.curve import run_curve
from nearer.study.frontier import run_frontier
from nearer.study.gaps import find_gaps
from nearer.study.run import run_study
from nearer.study.sensitivity import run_sensitivity
from nearer.study.stress import Question, run_stress
from tests.report.test_report_html import Page
from tests.report.test_report_languages import Mirror, cells, loaded
from tests.study.conftest import PEOPLE, SITES, TOML

OTHERS = [code for code in LANGUAGES if code != "en"]
UNTOUCHED = (
    r"people\.file|plan\.coverage_min|"
    r"nearer( verify)?( evaluates)?|proofs?\.npz|[a-z_]+\.(csv|json|gpkg|toml)|[0-9a-f]{64}|\[\[scenarios\]\]|HiGHS|"
    r"regret_most|SHA|Poisson|proofs|people|sites|travel|farthest|\bold\b|\bvisits\b"
)
"""Commands, files, keys and objectives as the study file writes them, which every language says alike."""


def _visits() -> str:
    rows = [f"H,{year},{visits}" for year, visits in ((2019, 90), (2020, 100), (2021, 120), (2022, 130))]
    return "centre,period,visits\n" + "\n".join([*rows, "S,2021,40", "S,2022,60", "L,2022,50"]) + "\n"


def curve(folder: Path) -> str:
    (folder / "visits.csv").write_text(_visits(), encoding="utf-8")
    run_curve(folder, to=4, step=2, history=folder / "visits.csv", threads=1)
    return (folder / "curve" / "curve.html").read_text(encoding="utf-8")


def frontier(folder: Path) -> str:
    run_frontier(folder, points=3, threads=1)
    return (folder / "frontier" / "frontier.html").read_text(encoding="utf-8")


def sensitivity(folder: Path) -> str:
    run_sensitivity(folder, threads=1)
    return (folder / "sensitivity" / "sensitivity.html").read_text(encoding="utf-8")


def stress(folder: Path) -> str:
    run_study(folder, threads=1)
    question = Question(
        out_of_service=("S",),
        surge=("all:1.2",),
        replan=1,
        random=1,
        worst=1,
        harden=1,
        stock=1,
        scenarios=("Ψ=0.1:H",),
    )
    run_stress(folder / "plan", question, threads=1)
    return (folder / "plan" / "stress" / "stress.html").read_text(encoding="utf-8")


def gaps(folder: Path) -> str:
    find_gaps(folder, minutes=1.0, standard_people=60.0, threads=1)
    return (folder / "gaps" / "gaps.html").read_text(encoding="utf-8")


AGENCIES = """
[[agencies]]
name = "Α"
max_open = 1
[[agencies]]
name = "Β"
max_open = 1
[[agencies.floors]]
group = "ψ"
within_min = 1.2
share = 0.7
[[agencies.floors]]
mean_min = 7
"""


def agencies(folder: Path) -> str:
    for name, changes in (
        ("sites.csv", (("owner", "agency"), ("city", "Α"), ("schools", "Α"), ("parish", "Β"))),
        ("nearer.toml", (("open = 2\n", f"open_max = 1\n{AGENCIES}"),)),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in changes:
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    document = compare_agencies(folder, threads=1)
    assert document.separate_breaks
    assert document.promises
    return (folder / "agencies" / "agencies.html").read_text(encoding="utf-8")


def compare(folder: Path) -> str:
    plans = [folder / name for name in "αβγ"]
    for n, plan in enumerate(plans, 1):
        run_study(folder, open=n, out=plan, threads=1)
    run_compare(plans, out=folder / "compare")
    return (folder / "compare" / "compare.html").read_text(encoding="utf-8")


def compare_others(folder: Path) -> str:
    """Plans that were not made from the same, and one file that the last one does not read."""
    run_study(folder, out=folder / "α", threads=1)
    people = (folder / "people.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "people.csv").write_text("".join(people[:-1]), encoding="utf-8")
    for name, text in (("β", "coverage_min = 7\nopen = 2"), ("γ", "coverage_min = 7\nopen = 1")):
        toml = (folder / "nearer.toml").read_text(encoding="utf-8")
        (folder / "nearer.toml").write_text(re.sub(r"(coverage_min.*\n)?open = \d", text, toml), encoding="utf-8")
        if name == "γ":
            _renamed(folder, "people.csv", "folk.csv")
        run_study(folder, out=folder / name, threads=1)
    made = run_compare([folder / name for name in "αβγ"], out=folder / "compare")
    assert [line for line in made.differs if "is read in" in line]
    assert [line for line in made.differs if " as in " in line and "and not in" in line]
    assert [line for line in made.differs if "coverage_min" in line]
    return (folder / "compare" / "compare.html").read_text(encoding="utf-8")


def _renamed(folder: Path, old: str, new: str) -> None:
    (folder / old).rename(folder / new)
    toml = folder / "nearer.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


PAGES: tuple[Callable[[Path], str], ...] = (
    curve,
    frontier,
    sensitivity,
    stress,
    gaps,
    agencies,
    compare,
    compare_others,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[Path], str], str], str]:
    """A page by who makes it and its language, each made once; what people named has no letters of ours."""
    kept: dict[tuple[str, str], str] = {}

    def page(make: Callable[[Path], str], code: str) -> str:
        key = (make.__name__, code)
        if key not in kept:
            folder = tmp_path_factory.mktemp(make.__name__)
            toml = TOML.replace("Two rows", "Σ").replace("older", '"ψ"')
            for name, text in (("nearer.toml", toml), ("people.csv", PEOPLE), ("sites.csv", _named(SITES))):
                (folder / name).write_text(text, encoding="utf-8")
            with language(code):
                kept[key] = make(folder)
        return kept[key]

    return page


def _named(sites: str) -> str:
    for name in ("Town hall", "School", "Parish hall", "Library", "Gym"):
        sites = sites.replace(name, "Φ")
    return sites


@pytest.fixture
def mirrored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Persian with every text translated into letters that are not ours."""
    report = Mirror(dict(loaded("report_words").texts()))
    notes = Mirror({form: None for form, _ in loaded("note_words").forms()})
    texts = {"report": report, "notes": notes}
    monkeypatch.setattr(spoken_words, "catalogue", lambda code, of: {} if code == "en" else texts[of])
    spoken_words._forms.cache_clear()
    yield
    spoken_words._forms.cache_clear()


@pytest.mark.parametrize("make", PAGES)
def test_every_word_of_a_page_goes_through_the_catalogues(
    mirrored: None, tmp_path_factory: pytest.TempPathFactory, make: Callable[[Path], str]
) -> None:
    folder = tmp_path_factory.mktemp("mirrored")
    toml = TOML.replace("Two rows", "Σ").replace("older", '"ψ"')
    for name, text in (("nearer.toml", toml), ("people.csv", PEOPLE), ("sites.csv", _named(SITES))):
        (folder / name).write_text(text, encoding="utf-8")
    with language("fa"):
        text = make(folder)
    seen = re.sub(r"(?s)<style>.*?</style>|<code.*?</code>|<pre.*?</pre>", "", text)
    seen = " ".join([*Page(seen).words, *re.findall(r'aria-label="([^"]*)"', seen)])
    assert sorted(set(re.findall(r"[A-Za-z]{2,}", re.sub(UNTOUCHED, "", seen)))) == []


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("make", PAGES)
def test_a_page_in_another_language_has_the_same_figures(
    made: Callable[[Callable[[Path], str], str], str], make: Callable[[Path], str], code: str
) -> None:
    page, english = made(make, code), made(make, "en")
    assert f'<html lang="{code}" dir="{"rtl" if code == "fa" else "ltr"}">' in page
    assert cells(page) == cells(english)
    assert len(cells(english)) >= 5
    assert "{" not in re.sub(r"(?s)<style>.*?</style>|<pre.*?</pre>|<code>.*?</code>", "", page)


def test_heads_and_figures_of_the_terminal_are_of_one_language(tmp_path: Path) -> None:
    toml = TOML.replace("Two rows", "Σ").replace("older", '"ψ"')
    for name, text in (("nearer.toml", toml), ("people.csv", PEOPLE), ("sites.csv", _named(SITES))):
        (tmp_path / name).write_text(text, encoding="utf-8")
    with language("fa"):
        compare(tmp_path)
        made = run_compare([tmp_path / name for name in "αβγ"], out=tmp_path / "again")
        tables = [
            comparewords.table(made),
            curvewords.table(run_curve(tmp_path, to=3, threads=1)),
            senspage.table(run_sensitivity(tmp_path, threads=1)),
        ]
        lines = comparewords.summary(made)
    for heads, rows in tables:
        assert rows
        assert {len(row) for row in rows} == {len(heads)}
        assert re.findall(r"[A-Za-z0-9]", " ".join([*heads, *(cell for row in rows for cell in row)])) == []
    assert re.findall(r"[A-Za-z0-9]", " ".join(lines)) == []
