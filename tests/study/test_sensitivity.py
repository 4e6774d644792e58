"""``run_sensitivity`` from files to files; what is expected is found by trying every plan by hand."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import jsonschema
import pytest

from nearer.errors import InputError, UsageError
from nearer.planning.curvefiles import schema_text_of
from nearer.planning.sensdoc import SensitivityDocument
from nearer.study.new import new_study
from nearer.study.run import run_study
from nearer.study.scenarios import ScenarioSettings
from nearer.study.sensitivity import run_sensitivity
from nearer.study.verify import verify_plan
from nearer.study.verify_sensitivity import verify_sensitivity

# Steps of the meridian between points; see conftest. H stands at 0; S, P, L, G at 2, 3, 10, 11. One step is 66,344 ms.
PEOPLE = {0: (100, 10), 1: (10, 0), 2: (50, 50), 3: (10, 0), 10: (40, 0), 11: (30, 30)}
PLACES = {"S": 2, "P": 3, "L": 10, "G": 11}

SCENARIOS = """
[[scenarios]]
name = "more older"
groups = { older = 2.0 }

[[scenarios]]
name = "slower"
speed = 0.5

[[scenarios]]
name = "no library"
lost = ["L"]

[[scenarios]]
name = "older count"
group_weights = { older = 4.0 }
"""


def value(opened: tuple[str, ...], older: float = 1.0, count: float = 1.0, slow: int = 1, lost: str = "") -> float:
    """Weighted person-steps; out of reach (60 minutes) where a way takes more than 30."""
    at = [0, *(PLACES[site] for site in opened if site != lost)]
    total = 0.0
    for place, (people, old) in PEOPLE.items():
        weight = people + (older - 1) * old + (count - 1) * old * older
        ms = min(abs(place - here) for here in at) * 66_344 * slow
        total += weight * (ms if ms <= 1_800_000 else 3_600_000)
    return total / 60_000


def in_all(opened: tuple[str, ...]) -> list[float]:
    return [
        value(opened),
        value(opened, older=2.0),
        value(opened, slow=2),
        value(opened, lost="L"),
        value(opened, count=4.0),
    ]


@pytest.fixture
def changing(study: Path) -> Path:
    with (study / "nearer.toml").open("a", encoding="utf-8") as file:
        file.write(SCENARIOS)
    return study


def test_every_scenario_has_its_best_plan_and_the_robust_plan_is_the_best_of_all(changing: Path) -> None:
    made = run_sensitivity(changing)
    assert [one.name for one in made.scenarios] == ["as given", "more older", "slower", "no library", "older count"]
    plans = list(combinations(PLACES, 2))
    table = {plan: in_all(plan) for plan in plans}
    best = [min(values[t] for values in table.values()) for t in range(5)]
    assert [one.value for one in made.scenarios] == pytest.approx(best, rel=1e-4)
    assert all(one.status == "optimal" for one in made.scenarios)
    worst = {plan: max(v / b - 1 for v, b in zip(values, best, strict=True)) for plan, values in table.items()}
    assert made.robust.value == pytest.approx(min(worst.values()), abs=1e-4)
    assert made.robust.bound <= min(worst.values()) + 1e-4
    assert made.robust.value - made.robust.bound <= 2e-4
    for row in made.plans:
        known = table[tuple(site for site in PLACES if site in row.sites)]
        assert row.values == pytest.approx(known, rel=1e-4)
        assert row.regret == pytest.approx([v / b - 1 for v, b in zip(known, best, strict=True)], abs=1e-4)


def test_least_worst_value_can_be_asked_for(changing: Path) -> None:
    made = run_sensitivity(changing, goal="value")
    worst = min(max(in_all(plan)) for plan in combinations(PLACES, 2))
    assert made.robust.value == pytest.approx(worst / made.scenarios[0].value, rel=1e-4)


ONE_PLACE = """
[streets]
mode = "straight"
[people]
file = "people.csv"
[[sites]]
file = "sites.csv"
[plan]
open = 1
"""


def test_where_everybody_lives_at_a_site_nothing_can_be_compared(tmp_path: Path) -> None:
    (tmp_path / "nearer.toml").write_text(ONE_PLACE, encoding="utf-8")
    (tmp_path / "people.csv").write_text("id,lon,lat,population\na,9.5,47.1,5\n", encoding="utf-8")
    sites = "id,lon,lat,status\nold,9.5,47.1,existing\nnew,9.5,47.1,candidate\n"
    (tmp_path / "sites.csv").write_text(sites, encoding="utf-8")
    with pytest.raises(UsageError, match="Nobody has any way to go"):
        run_sensitivity(tmp_path, threads=1)


def test_an_answer_is_verified_and_a_changed_one_is_not(changing: Path) -> None:
    run_sensitivity(changing)
    verdict = verify_sensitivity(changing / "sensitivity")
    assert verdict.ok, [str(check) for check in verdict.differing]
    file = changing / "sensitivity" / "sensitivity.json"
    whole = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(whole, json.loads(schema_text_of(SensitivityDocument)))
    whole["scenarios"][1]["value"] *= 1.01
    whole["scenarios"][2]["bound"] *= 1.01
    whole["plans"][0]["values"][3] += 1.0
    whole["choices"][0]["count"] -= 1
    whole["robust"]["mix_bound"] += 0.5
    file.write_text(json.dumps(whole), encoding="utf-8")
    found = {check.name for check in verify_sensitivity(changing / "sensitivity").differing}
    assert {"more older: value", "slower: bound", "plan as given: values (no library)"} <= found
    assert {f"choices: {whole['choices'][0]['id']}", "robust: bound of the mix"} <= found


def test_groups_with_a_speed_of_their_own_are_verified_too(changing: Path) -> None:
    file = changing / "nearer.toml"
    text = file.read_text(encoding="utf-8").replace(
        "limit_min = 30", "limit_min = 30\ngroup_speeds_kmh = { older = 3.7 }"
    )
    file.write_text(text, encoding="utf-8")
    made = run_sensitivity(changing)
    assert made.scenarios[0].value != pytest.approx(min(value(plan) for plan in combinations(PLACES, 2)), rel=1e-3)
    verdict = verify_sensitivity(changing / "sensitivity")
    assert verdict.ok, [str(check) for check in verdict.differing]


def test_without_scenarios_groups_areas_speeds_and_losses_are_tried(study: Path) -> None:
    made = run_sensitivity(study, percent=10)
    names = [one.name for one in made.scenarios]
    assert names[:3] == ["as given", "older +10 %", "older −10 %"]
    assert {"everybody 10 % slower", "everybody 10 % faster", "without Library"} <= set(names)
    assert verify_sensitivity(study / "sensitivity").ok


def test_the_same_question_gives_the_same_bytes_whatever_the_threads(changing: Path) -> None:
    texts = []
    for threads in (1, 2):
        run_sensitivity(changing, threads=threads, out=changing / f"out{threads}")
        texts.append([(changing / f"out{threads}" / name).read_bytes() for name in ("sensitivity.json", "sites.csv")])
    assert texts[0] == texts[1]


def test_scenarios_that_cannot_be_are_refused_with_key_and_remedy(study: Path) -> None:
    with (study / "nearer.toml").open("a", encoding="utf-8") as file:
        file.write('[[scenarios]]\nname = "a"\ngroups = { young = 2.0 }\n[[scenarios]]\nname = "a"\n')
    with pytest.raises(InputError) as caught:
        run_sensitivity(study)
    text = str(caught.value)
    assert "scenarios[1].groups.young: there is no group 'young'" in text
    assert 'scenarios[2].name: another scenario is called "a"' in text
    assert "nothing is otherwise in it" in text


def test_unknown_sites_and_areas_are_named(study: Path) -> None:
    with (study / "nearer.toml").open("a", encoding="utf-8") as file:
        file.write('[[scenarios]]\nname = "a"\nlost = ["X"]\nareas = { Nowhere = 2.0 }\n')
    with pytest.raises(InputError, match="there is no site 'X'") as caught:
        run_sensitivity(study)
    assert "there is no area 'Nowhere'" in str(caught.value)


def test_a_plan_stays_verified_when_scenarios_are_added_later(study: Path) -> None:
    run_study(study)
    with (study / "nearer.toml").open("a", encoding="utf-8") as file:
        file.write(SCENARIOS)
    assert verify_plan(study / "plan").ok


def test_a_scenario_that_changes_nothing_is_known_as_such() -> None:
    assert not ScenarioSettings(name="x").changes
    assert ScenarioSettings(name="x", speed=0.9).changes


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = Path(__file__).resolve().parents[2] / "docs" / "sensitivity.schema.json"
    assert published.read_text(encoding="utf-8") == schema_text_of(SensitivityDocument)


def test_an_answer_stopped_at_once_still_has_a_bound_that_can_be_checked(tmp_path: Path) -> None:
    new_study(tmp_path / "town")
    made = run_sensitivity(tmp_path / "town", time_limit_s=0.0)
    assert made.robust.mix_bound >= -1.0 - 1e-9
    verdict = verify_sensitivity(tmp_path / "town" / "sensitivity")
    assert verdict.ok, verdict.differing
