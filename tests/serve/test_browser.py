"""The planning map in a real browser."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nearer.report import tokens

from .conftest import NO_WEBGL, Server, is_foreign, launch, map_drawn, visiting

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))


def violations(page: Any) -> list[str]:
    """What axe finds, one line each."""
    assert AXE.is_file(), "run `make web`"
    page.get_by_role("heading", level=1).first.wait_for()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [f"{one['id']}: {[node['target'] for node in one['nodes']][:3]}" for one in found["violations"]]


def pixel(page: Any, lon: float, lat: float) -> tuple[float, float]:
    """Where a place lies on the screen, by the address's camera and the Mercator projection."""
    west, north, zoom = map(float, page.url.split("map=")[1].split("&")[0].split(","))
    box = page.locator(".middle .map").first.bounding_box()
    scale = 512 * 2**zoom

    def world(a: float, b: float) -> tuple[float, float]:
        return (a / 360 + 0.5) * scale, (0.5 - math.log(math.tan(math.pi / 4 + math.radians(b) / 2)) / math.tau) * scale

    (x0, y0), (x, y) = world(west, north), world(lon, lat)
    return box["x"] + box["width"] / 2 + x - x0, box["y"] + box["height"] / 2 + y - y0


CAMERA = "map=-0.002,0.0055,14.5"


def test_a_first_visit_ends_with_a_proven_plan_of_liechtenstein(visit: Callable[..., Any], server: Server) -> None:
    page = visit()
    assert violations(page) == []
    page.get_by_role("button", name="Open the example").click()
    page.get_by_role("heading", name="Liechtenstein: eight more neighbourhood centres").wait_for()
    page.set_default_timeout(60_000)
    seen = map_drawn(page)
    assert len(seen) > 500, "people in shades under streets and names"
    assert rgb(tokens.LIGHT["existing"]) in seen
    page.get_by_text("Today 43% of all people have a centre within 15 minutes").wait_for()
    page.get_by_role("button", name="Find the best places").click()
    page.get_by_text("No other choice of 8 places is better: proven.").wait_for()
    page.wait_for_function("() => document.querySelector('.legend .mark-opened')")
    page.wait_for_timeout(300)
    assert rgb(tokens.LIGHT["opened"]) in map_drawn(page)
    assert violations(page) == []
    study = page.url.split("/study/")[1].split("?")[0]
    plan = json.loads((server.home / study / "plans" / "1" / "plan.json").read_text(encoding="utf-8"))
    rows = page.get_by_role("row").filter(has_text="new centre")
    assert rows.count() == plan["opened"] == 8
    first = next(site for site in plan["sites"] if site["order"] == 1)
    assert first["name"] in rows.first.inner_text()
    page.get_by_role("button", name="What changes").click()
    page.get_by_text("People by minutes saved").click()
    page.get_by_text("newly within reach").wait_for()
    page.reload()
    page.get_by_text("People by minutes saved").wait_for()


def test_own_files_with_three_faults_are_mended_on_the_page(
    visit: Callable[..., Any], server: Server, tmp_path: Path
) -> None:
    people = "residents,longitude,latitude,old\n100,0,0.000,10\n10,0,0.001,0\n50,0,95,5\n40,0,0.010,0\n"
    schools = "id,name,lon,lat\nS,School,0,0.002\nP,Parish hall,0,0.003\nS,Library,0,0.010\n"
    centres = "id;name;lon;lat\nH;Town hall;0;0,0005\n"
    for name, text in (("people.csv", people), ("schools.csv", schools), ("centres.csv", centres)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    page = visit("/#/own")
    page.get_by_label("What is it called?").fill("Three faults")
    page.set_input_files("#files", [tmp_path / name for name in ("people.csv", "schools.csv", "centres.csv")])
    page.get_by_text("3 things are to be mended.").wait_for()
    assert violations(page) == []
    page.get_by_role("checkbox", name="old").check()
    page.get_by_text("3 things are to be mended.").wait_for()

    def mend(file: str, value: str) -> None:
        card = page.get_by_role("article", name=file)
        card.get_by_label("New value").fill(value)
        card.get_by_role("button", name="Save").click()

    mend("people.csv", "0.002")
    page.get_by_text("2 things are to be mended.").wait_for()
    mend("schools.csv", "L")
    page.get_by_text("One thing is to be mended.").wait_for()
    mend("centres.csv", "0.0005")
    page.get_by_label("New centres to begin with").fill("2")
    page.get_by_label("New centres to begin with").press("Tab")
    page.get_by_text("200 people, 1 centres of today, 3 places that could open.").wait_for()
    study = server.home / page.url.split("study=")[1]
    settings = tomllib.loads((study / "nearer.toml").read_text(encoding="utf-8"))
    assert settings["people"] == {
        "file": "people.csv", "total": "residents", "lon": "longitude", "lat": "latitude", "groups": {"old": "old"}
    }  # fmt: skip
    assert (study / "schools.csv").read_text(encoding="utf-8").splitlines()[3] == "L,Library,0,0.010"
    page.get_by_role("link", name="Open the map").click()
    map_drawn(page)


def test_faults_of_files_are_told_in_the_readers_language(visit: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("population,lon,lat\n10,0,0\n5,0,95\n", encoding="utf-8")
    (tmp_path / "schools.csv").write_text("id,lon,lat\nS,0,0.002\nS,0,0.010\n", encoding="utf-8")
    page = visit("/#/own", locale="es-ES")
    page.set_input_files("#files", [tmp_path / name for name in ("people.csv", "schools.csv")])
    page.get_by_text("la latitud 95 pasa de ±90 grados").wait_for()
    page.get_by_text("el id «S» ya está en la fila 2 – dé a cada fila un id propio").wait_for()
    page.get_by_label("Idioma").select_option("fa")
    page.get_by_text("شناسهٔ «S» پیش‌تر در ردیف 2 آمده است").wait_for()
    assert violations(page) == []


def test_a_centre_is_dragged_and_the_change_undone(visit: Callable[..., Any], planned: str) -> None:
    page = visit(f"/#/study/{planned}?plan=1&{CAMERA}")
    map_drawn(page)
    page.get_by_text("No other choice of 2 places is better").wait_for()
    before = page.locator(".figures").inner_text()
    page.mouse.move(*pixel(page, 0, 0.002))
    page.mouse.down()
    page.mouse.move(*pixel(page, 0.0005, 0.0025), steps=4)
    page.mouse.move(*pixel(page, 0, 0.003), steps=4)
    page.mouse.up()
    page.get_by_text("You changed the plan by hand.").wait_for()
    assert "at=o2.3" in page.url, "the school is out and the parish hall in"
    page.wait_for_function("was => document.querySelector('.figures').innerText !== was", arg=before)
    page.get_by_text("minutes more than with the plan.").wait_for()
    page.keyboard.press("Control+z")
    page.wait_for_function("was => document.querySelector('.figures').innerText === was", arg=before)
    assert "at=" not in page.url
    page.get_by_role("button", name="Redo").click()
    page.wait_for_function("() => location.hash.includes('at=o2.3')")
    page.get_by_role("button", name="Plan again with this kept").click()
    page.get_by_text("The plan is ready.").wait_for(timeout=60_000)
    assert "plan=2" in page.url


def test_a_centre_may_stand_where_no_candidate_is(visit: Callable[..., Any], planned: str) -> None:
    page = visit(f"/#/study/{planned}?plan=1&{CAMERA}")
    map_drawn(page)
    page.get_by_text("No other choice of 2 places is better").wait_for()
    page.mouse.move(*pixel(page, 0, 0.002))
    page.mouse.down()
    page.mouse.move(*pixel(page, 0.002, 0.004), steps=3)
    page.mouse.move(*pixel(page, 0.004, 0.0065), steps=3)
    page.mouse.up()
    page.get_by_text("You changed the plan by hand.").wait_for()
    assert "at=o3@0.00" in page.url
    page.get_by_role("button", name="How far from a place?").click()
    page.mouse.click(*pixel(page, -0.003, 0.005))
    page.get_by_text("People by minutes from this place").wait_for()


def test_a_candidate_is_explained_opened_and_kept_by_keyboard_alone(
    visit: Callable[..., Any], planned: str, server: Server
) -> None:
    page = visit(f"/#/study/{planned}?plan=1")
    page.get_by_text("No other choice of 2 places is better").wait_for()

    def tab_to(name: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            here = page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel || ''")
            if here.startswith(name):
                assert page.evaluate("document.activeElement.matches(':focus-visible')")
                return
        raise AssertionError(f"{name} is not reached by Tab")

    page.locator("body").press("Tab")
    tab_to("Library")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Library").wait_for()
    page.get_by_text("have a shorter way because of it").wait_for()
    page.get_by_text("The best other place for it is Gym").wait_for()
    move = page.get_by_label("Move it to")
    move.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => location.hash.includes('at=o')")
    page.get_by_text("You changed the plan by hand.").wait_for()
    page.locator("#undo").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => !location.hash.includes('at=o')")
    page.locator("[data-key='site-P']").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Must open", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#rule-force').ariaPressed === 'true'")
    text = (server.home / planned / "nearer.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["plan"]["force"] == ["P"]


def test_two_plans_are_compared_with_a_line_that_moves(visit: Callable[..., Any], planned: str, server: Server) -> None:
    from nearer.study import run_study

    run_study(server.home / planned, open=1, out=server.home / planned / "plan", threads=1)
    page = visit(f"/#/study/{planned}?plan=1")
    map_drawn(page)
    page.get_by_role("button", name="Compare").click()
    line = page.get_by_label("Move the line between the two plans")
    line.wait_for()
    page.wait_for_selector(".swipe .map[data-drawn]")
    line.focus()
    before = page.evaluate("document.querySelector('.swipe').style.clipPath")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('.swipe').style.clipPath") != before
    page.get_by_role("button", name="What changes").click()
    page.get_by_text("People by minutes saved").wait_for()
    assert page.locator(".swipe").count() == 0


def test_drawn_ground_is_flooded_and_the_page_about_it_opens(
    visit: Callable[..., Any], planned: str, server: Server
) -> None:
    page = visit(f"/#/study/{planned}?plan=1&{CAMERA}")
    map_drawn(page)
    page.get_by_role("button", name="What if an area is flooded? Draw it").click()
    gym = (0, 0.011)  # a corner may lie on a place that could open
    for lon, lat in ((-0.002, 0.0085), (0.002, 0.0085), gym, (-0.002, 0.012)):
        page.mouse.click(*pixel(page, lon, lat))
    page.get_by_role("button", name="Done drawing (4 corners)").click()
    page.get_by_role("button", name="See what happens then").click()
    link = page.get_by_role("link", name="Open the page about what happens then")
    link.wait_for(timeout=60_000)
    stress = json.loads(
        (server.home / planned / "plans" / "1" / "stress-2" / "stress.json").read_text(encoding="utf-8")
    )
    assert [site["id"] for site in stress["sites"] if site["out"]] == ["L"]
    with page.context.expect_page() as opened:
        link.click()
    opened.value.get_by_role("heading").first.wait_for()


@pytest.mark.parametrize("language", ["fa", "es"])
def test_another_language_mirrors_the_page_where_it_runs_from_the_right(
    visit: Callable[..., Any], planned: str, language: str
) -> None:
    page = visit(f"/#/study/{planned}?plan=1")
    page.get_by_label("Language").select_option(language)
    page.wait_for_function(
        "code => document.documentElement.lang === code && document.querySelector('.proof')", arg=language
    )
    map_drawn(page)
    ask, answer = (page.locator(name).bounding_box()["x"] for name in (".ask", ".answer"))
    assert (ask > answer) == (language == "fa")
    inner, outer = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert inner <= outer
    text = page.locator("#page").inner_text()
    assert "Find the best places" not in text
    assert ("۲" in text) == (language == "fa")
    with page.context.expect_page() as opened:
        page.locator("#report").click()
    opened.value.locator(f"html[lang={language}][dir={'rtl' if language == 'fa' else 'ltr'}] h1").wait_for()
    assert violations(page) == []


TOLD_BY_THE_SERVER = (
    ("goods.csv, row 3, column quantity: 'x' is no number; write such as 1200 or 1.5.", {"goods", "csv", "quantity"}),
    ("hub gets 3 of 5 rice asked for: 60 %; whole packs leave 2 open. From lots L1-1 and L2-1.", {"hub", "rice"}),
    (
        "hub gets 2 of 5 rice asked for: 40 %. Its fair share is 40 %; it is held down by the 4 of rice that can be "
        "used (9 are asked for), shared with 1 more. From lot L1-1.",
        {"hub", "rice"},
    ),
    ("Transaction 12 (claim-1): a row of postings is missing.", {"claim", "postings"}),
    (
        "No plan keeps these rules together:\n  open 3 in 2027: exactly 3 asked\n  budget of 2027: at most 5 allowed",
        set(),
    ),
    ("Food and Water was never heard of", {"Food", "and", "Water", "was", "never", "heard"}),
)
"""What the server says, and the words of it that are names, or are told by nobody."""


@pytest.mark.parametrize("language", ["fa", "es"])
def test_what_the_server_says_is_told_part_by_part_and_names_stay(visit: Callable[..., Any], language: str) -> None:
    page = visit("/")
    page.get_by_label("Language").select_option(language)
    page.wait_for_function("code => document.documentElement.lang === code", arg=language)
    texts = [text for text, _ in TOLD_BY_THE_SERVER]
    ask = (
        "async (texts) => { const words = await import('/js/words.js');"
        " await words.learnFaults(); return texts.map(words.fromServer); }"
    )
    for (text, stay), said in zip(TOLD_BY_THE_SERVER, page.evaluate(ask, texts), strict=True):
        english = set(re.findall(r"[A-Za-z]{3,}", text))
        assert english & set(re.findall(r"[A-Za-z]{3,}", said)) - {"plan"} == stay, said
        assert re.findall(r"\d+", text) == re.findall(r"\d+", said) or "gets" in text, said


def test_on_a_phone_nothing_sticks_out_and_the_first_step_is_in_reach(visit: Callable[..., Any], rows: str) -> None:
    page = visit(f"/#/study/{rows}", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    map_drawn(page)
    inner, outer = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert inner <= outer
    button = page.get_by_role("button", name="Find the best places")
    box = button.bounding_box()
    assert box["height"] >= 44
    assert box["y"] < 2 * 740
    assert violations(page) == []
    button.tap()
    page.get_by_text("No other choice of 2 places is better").wait_for(timeout=60_000)


@pytest.fixture
def blind(playwright: Any, server: Server) -> Iterator[Callable[..., Any]]:
    browser = launch(playwright, NO_WEBGL)
    yield from visiting(browser, server)
    browser.close()


def test_without_webgl_the_table_and_a_plain_map_stand_in(blind: Callable[..., Any], planned: str) -> None:
    page = blind(f"/#/study/{planned}?plan=1")
    page.get_by_text("This browser cannot draw the full map").wait_for()
    page.wait_for_selector(".plain-site")
    assert page.locator(".plain-site").count() == 5
    page.locator(".plain-site.nr-opened").first.click()
    page.get_by_role("heading", name="School").wait_for()
    page.get_by_role("button", name="Take it out").click()
    page.get_by_text("You changed the plan by hand.").wait_for()


def test_a_dark_page_is_dark_and_its_contrasts_hold(visit: Callable[..., Any], planned: str) -> None:
    page = visit(f"/#/study/{planned}?plan=1", color_scheme="dark")
    seen = map_drawn(page)
    assert rgb(tokens.DARK["opened"]) in seen
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(15, 20, 25)"
    assert violations(page) == []


def test_what_foreign_means(server: Server) -> None:
    assert not is_foreign(server.address + "/x", server)
    assert is_foreign(server.address + ".evil.example/x", server)
    assert is_foreign("https://tiles.example/1.pbf", server)
