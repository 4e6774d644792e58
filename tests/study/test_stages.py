"""Phases, levels, money, agencies and promises: each alone and in pairs, against enumeration in plain Python."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from nearer.errors import InfeasibleError, InputError
from nearer.study.check import check_study
from nearer.study.run import run_study
from nearer.study.verify import verify_plan

STEP_MS = 66_344  # a thousandth of a degree of latitude at the equator, 110.574 m at 6 km/h
UNREACHED_MS = 60 * 60_000
PEOPLE = [("a", 0, 100, 10), ("b", 1, 10, 0), ("c", 2, 50, 50), ("d", 3, 10, 0), ("e", 10, 40, 0), ("f", 11, 30, 30)]
SITES = [
    # id, place, status, agency, district, cost, running
    ("H", 0, "existing", "city", "south", 0, 2),
    ("S", 2, "candidate", "city", "south", 5, 3),
    ("P", 3, "candidate", "parish", "south", 1, 1),
    ("L", 10, "candidate", "parish", "north", 8, 4),
]
LEVELS = {"small": (70, 10, 1), "large": (160, 30, 2)}  # capacity, cost, running

RULES: dict[str, dict[str, Any]] = {
    "phases": {},
    "levels": {},
    "budget": {"budget": 40},
    "running": {"running_budget": 9},
    "agencies": {"parish_budget": 12, "city_max": 1},
    "district": {"north_min": 1},
    "floor": {"older_mean_min": 2.5},
    "within": {"share": 0.9, "within_min": 3},
    "closing": {"close_max": 1},
    "apart": {"separation_m": 150},
    "growth": {"growth": 1.5},
    "force": {"force": "P"},
    "everyone": {"everyone_within_min": 4},
    "coverage": {"objective": "coverage", "coverage_min": 3},
    "decay": {"objective": "coverage", "decay": (1, 6)},
    "equal": {"objective": "equal"},
    "cost": {"objective": "cost", "within_share": 0.7, "coverage_min": 3},
}
AIMS = ("coverage", "decay", "equal", "cost")
PROMISES = ("floor", "within", "everyone")


def write_study(folder: Path, rules: dict[str, dict[str, Any]]) -> None:
    folder.mkdir()
    people = ["id,lon,lat,population,old", *(f"{i},0,{at / 1000},{n},{old}" for i, at, n, old in PEOPLE)]
    sites = ["id,name,lon,lat,status,agency,district,cost,running,closing_cost,level"]
    for i, at, status, agency, district, cost, running in SITES:
        level = "small" if "levels" in rules and status == "existing" else ""
        sites.append(f"{i},{i},0,{at / 1000},{status},{agency},{district},{cost},{running},3,{level}")
    (folder / "people.csv").write_text("\n".join(people))
    (folder / "sites.csv").write_text("\n".join(sites))
    lines = ["[streets]", 'mode = "straight"', "detour = 1.0", "speed_kmh = 6.0", "limit_min = 30"]
    lines += ["[people]", 'file = "people.csv"', 'groups = { older = "old" }', "[[sites]]", 'file = "sites.csv"']
    lines += ["[plan]", "open_max = 2"]
    for key in ("budget", "running_budget", "close_max", "separation_m", "within_share", "coverage_min"):
        lines += [f"{key} = {rule[key]}" for rule in rules.values() if key in rule]
    lines += [f'objective = "{rule["objective"]}"' for rule in rules.values() if "objective" in rule]
    lines += [f"decay_min = {list(rule['decay'])}" for rule in rules.values() if "decay" in rule]
    lines += [f'force = ["{rule["force"]}"]' for rule in rules.values() if "force" in rule]
    lines += [
        f"everyone_within_min = {rule['everyone_within_min']}"
        for rule in rules.values()
        if "everyone" in rules and "everyone_within_min" in rule
    ]
    if "phases" in rules or "growth" in rules:
        growth = [f"growth = {rules['growth']['growth']}"] if "growth" in rules else []
        lines += ["[[plan.phases]]", 'name = "one"', "open_max = 1", "years = 2"]
        lines += ["[[plan.phases]]", 'name = "two"', *growth]
    if "district" in rules:
        lines += ["[[plan.districts]]", 'name = "north"', "min = 1"]
    if "floor" in rules:
        lines += ["[[plan.floors]]", 'group = "older"', f"mean_min = {rules['floor']['older_mean_min']}"]
    if "within" in rules:
        lines += [
            "[[plan.floors]]",
            f"within_min = {rules['within']['within_min']}",
            f"share = {rules['within']['share']}",
        ]
    if "agencies" in rules:
        lines += ["[[agencies]]", 'name = "city"', "max_open = 1"]
        lines += ["[[agencies]]", 'name = "parish"', "budget = 12"]
    if "levels" in rules:
        for name, (capacity, cost, running) in LEVELS.items():
            lines += [
                "[[levels]]",
                f'name = "{name}"',
                f"capacity = {capacity}",
                f"cost = {cost}",
                f"running = {running}",
            ]
    (folder / "nearer.toml").write_text("\n".join(lines))


def test_a_check_finds_what_a_plan_would_refuse_in_costs_and_agencies(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, {"agencies": RULES["agencies"], "budget": RULES["budget"]})
    check_study(folder, threads=1)
    sites = folder / "sites.csv"
    sites.write_text(sites.read_text().replace("parish,south,1", "priests,south,much"))
    with pytest.raises(InputError) as caught:
        check_study(folder, threads=1)
    told = str(caught.value)
    assert 'sites.csv, row 4, column cost: "much" of site P is no number' in told
    assert 'sites.csv, row 4, column agency: site P belongs to "priests"' in told


def paths(n_phases: int, rules: dict[str, dict[str, Any]]) -> Iterator[list[tuple[int, ...]]]:
    """Every way in which each site may go: -1 closed, else a level."""
    top = 2 if "levels" in rules else 1
    choices = []
    for _, _, status, *_ in SITES:
        if status == "candidate":
            choices.append(list(combinations_with_replacement(range(-1, top), n_phases)))
        else:
            stays = list(combinations_with_replacement(range(top), n_phases))
            if "closing" in rules:
                stays += [(0,) * k + (-1,) * (n_phases - k) for k in range(n_phases)]
            choices.append(stays)
    yield from (list(one) for one in product(*choices))


def best_by_hand(rules: dict[str, dict[str, Any]]) -> float:
    """Best value of the objective over everything the rules allow, ``inf`` if nothing is; totals are made small."""
    phased = "phases" in rules or "growth" in rules
    years = [2.0, 1.0] if phased else [1.0]
    growth = [1.0, rules.get("growth", {}).get("growth", 1.0)] if phased else [1.0]
    best = math.inf
    cache: dict[Any, float | None] = {}
    for way in paths(len(years), rules):
        if obeys(way, rules, phased):
            total = money_of(way, rules, years) if "cost" in rules else 0.0
            for t in range(len(years)):
                key = (tuple(path[t] for path in way), t)
                if key not in cache:
                    cache[key] = sent([path[t] for path in way], growth[t], rules, t == len(years) - 1)
                met = cache[key]
                total += math.inf if met is None else 0.0 if "cost" in rules else years[t] * met
            best = min(best, total)
    return told(best, rules, sum(y * g for y, g in zip(years, growth, strict=True)))


def told(total: float, rules: dict[str, dict[str, Any]], years: float) -> float:
    """The objective's value for a total."""
    people = sum(one[2] for one in PEOPLE) * years
    if math.isinf(total) or "cost" in rules:
        return total
    if "coverage" in rules or "decay" in rules:
        return people - total
    return 60.0 + math.log(total / people) / kappa() if "equal" in rules else total / 60_000


def kappa() -> float:
    """Σ p·t / Σ p·t² of today."""
    minutes = [(n, at * STEP_MS / 60_000) for _, at, n, _ in PEOPLE]
    return sum(n * t for n, t in minutes) / sum(n * t * t for n, t in minutes)


def money_of(way: list[tuple[int, ...]], rules: dict[str, dict[str, Any]], years: list[float]) -> float:
    """Everything that opening, rising, closing and running cost."""
    spent, running = spending(way, rules)
    return float(spent.sum() + (running * np.array(years)).sum())


def spending(way: list[tuple[int, ...]], rules: dict[str, dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    levels = list(LEVELS.values())
    spent, running = np.zeros(len(way[0])), np.zeros(len(way[0]))
    for (_, _, status, _, _, cost, run), path in zip(SITES, way, strict=True):
        before = 0 if status == "existing" else -1
        for t, now in enumerate(path):
            spent[t] += step(before, now, cost, rules)
            if now >= 0:
                running[t] += run + (levels[now][2] if "levels" in rules else 0)
            before = now
    return spent, running


def step(before: int, now: int, cost: float, rules: dict[str, dict[str, Any]]) -> float:
    levels = list(LEVELS.values())
    if before == -1 and now >= 0:
        return cost + (levels[now][1] if "levels" in rules else 0)
    if before >= 0 and now == -1:
        return 3.0
    return levels[now][1] - levels[before][1] if now > before >= 0 else 0.0


def obeys(way: list[tuple[int, ...]], rules: dict[str, dict[str, Any]], phased: bool) -> bool:
    n_phases = len(way[0])
    spent, running = spending(way, rules)
    parish, opened, closed, by_city = 0.0, np.zeros(n_phases), 0, 0
    for (_, _, status, agency, _, cost, _), path in zip(SITES, way, strict=True):
        before = 0 if status == "existing" else -1
        for t, now in enumerate(path):
            parish += step(before, now, cost, rules) * (agency == "parish")
            opened[t] += before == -1 and now >= 0
            by_city += before == -1 and now >= 0 and agency == "city"
            closed += before >= 0 and now == -1
            before = now
    if opened.sum() > 2 or (phased and opened[0] > 1):
        return False
    if "budget" in rules and spent.sum() > 40:
        return False
    if "running" in rules and running.max() > 9:
        return False
    if "agencies" in rules and (parish > 12 or by_city > 1):
        return False
    if "closing" in rules and closed > 1:
        return False
    if "district" in rules and way[3][-1] < 0:
        return False
    if "force" in rules and way[2][-1] < 0:
        return False
    if "apart" in rules:
        for t in range(n_phases):
            for a, b in combinations(range(len(SITES)), 2):
                new = SITES[a][2] == "candidate" or SITES[b][2] == "candidate"
                near = abs(SITES[a][1] - SITES[b][1]) * 110.574 < 150
                if new and near and way[a][t] >= 0 and way[b][t] >= 0:
                    return False
    return True


def sent(level: list[int], growth: float, rules: dict[str, dict[str, Any]], last: bool) -> float | None:
    """Person-milliseconds of a phase by linear programme; None if its promises cannot be kept."""
    cost, rows, ends, equal, upper, _ = programme(level, growth, rules, last)
    found = linprog(
        cost, A_ub=rows, b_ub=ends, A_eq=equal, b_eq=np.ones(len(PEOPLE)),
        bounds=np.column_stack([np.zeros(len(cost)), upper]), method="highs",
    )  # fmt: skip
    return float(found.fun) if found.status == 0 else None


def programme(level: list[int], growth: float, rules: dict[str, dict[str, Any]], last: bool) -> tuple[Any, ...]:
    """Who may be sent where in a phase: costs, ceilings and their ends, sums, upper ends, people farther than 3 min."""
    n, m = len(PEOPLE), len(SITES)
    people = np.array([one[2] for one in PEOPLE]) * growth
    old = np.array([one[3] for one in PEOPLE]) * growth
    time = np.array([[abs(p[1] - s[1]) * STEP_MS for s in SITES] for p in PEOPLE], dtype=float)
    time = np.column_stack([time, np.full(n, UNREACHED_MS)])
    cost = (people[:, None] * price(time, rules)).ravel()
    equal = np.kron(np.eye(n), np.ones(m + 1))
    upper = np.tile([*(1.0 if one >= 0 else 0.0 for one in level), 1.0], n)
    rows, ends = [], []
    if "levels" in rules:
        for j, one in enumerate(level):
            row = np.zeros((n, m + 1))
            row[:, j] = people
            rows.append(row.ravel())
            ends.append(list(LEVELS.values())[max(one, 0)][0])
    if last and "floor" in rules:
        rows.append((old[:, None] * time).ravel())
        ends.append(rules["floor"]["older_mean_min"] * 60_000 * old.sum())
    if last and "within" in rules:
        rows.append((people[:, None] * (time > rules["within"]["within_min"] * 60_000)).ravel())
        ends.append((1 - rules["within"]["share"]) * people.sum())
    if last and "cost" in rules:
        rows.append((people[:, None] * (time > 3 * 60_000)).ravel())
        ends.append((1 - rules["cost"]["within_share"]) * people.sum())
    if last and "everyone" in rules:
        could = time[:, :m].min(axis=1) <= 4 * 60_000
        rows.append(((people * could)[:, None] * (time > 4 * 60_000)).ravel())
        ends.append(0.0)
    far = (people[:, None] * (time > 3 * 60_000)).ravel()
    return cost, np.array(rows).reshape(len(rows), n * (m + 1)), np.array(ends, dtype=float), equal, upper, far


def price(time: np.ndarray, rules: dict[str, dict[str, Any]]) -> np.ndarray:
    if "coverage" in rules:
        return (time > 3 * 60_000).astype(float)
    if "decay" in rules:
        return np.clip((time / 60_000 - 1) / 5, 0, 1)
    return np.exp(kappa() * (time / 60_000 - 60)) if "equal" in rules else time


def together(names: tuple[str, ...]) -> bool:
    """Whether a study may ask for all of these."""
    aims = [name for name in names if name in AIMS]
    promised = any(name in PROMISES for name in names)
    staged = any(name not in (*AIMS, "force", "everyone") for name in names)
    return staged and len(aims) <= 1 and not (promised and aims and aims != ["cost"])


PAIRS = [names for n in (1, 2) for names in combinations(RULES, n) if together(names)]
TRIPLES = [names for names in combinations(RULES, 3) if together(names)]


@pytest.mark.parametrize("names", random.Random(0).sample(PAIRS, 26), ids="+".join)
def test_a_rule_and_every_pair_of_rules_give_the_enumerated_best_and_verify_agrees(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    check_rules_together(tmp_path, names)


@pytest.mark.long
@pytest.mark.parametrize("names", [*PAIRS, *random.Random(1).sample(TRIPLES, 60)], ids="+".join)
def test_all_pairs_and_many_triples(tmp_path: Path, names: tuple[str, ...]) -> None:
    check_rules_together(tmp_path, names)


def check_rules_together(tmp_path: Path, names: tuple[str, ...]) -> None:
    rules = {name: RULES[name] for name in names}
    folder = tmp_path / "study"
    write_study(folder, rules)
    best = best_by_hand(rules)
    if math.isinf(best):
        with pytest.raises(InfeasibleError):
            run_study(folder, gap=0.0)
        return
    plan = run_study(folder, gap=0.0)
    assert plan.document.status in ("optimal", "gap")
    assert plan.document.gap <= 1e-7
    assert plan.document.objective.value == pytest.approx(best, rel=1e-3)  # degrees are not quite metres
    verdict = verify_plan(folder / "plan")
    assert verdict.ok, verdict.differing


@pytest.mark.parametrize("what", ["spent", "level", "value", "opened", "unmet", "assignment"])
def test_a_changed_figure_is_found(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] for name in ("phases", "levels", "budget", "agencies")})
    run_study(folder, gap=0.0)
    path = folder / "plan" / "plan.json"
    document = json.loads(path.read_text())
    opened = next(site for site in document["sites"] if site["status"] == "opened")
    if what == "spent":
        document["phases"][0]["spent"] += 1.0
    elif what == "level":
        opened["steps"][0]["level"] = "large" if opened["steps"][0]["level"] == "small" else "small"
    elif what == "value":
        document["phases"][1]["value"] *= 0.99
    elif what == "opened":
        document["phases"][0]["opened"] = []
    elif what == "unmet":
        document["phases"][0]["unmet"] += 5.0
    else:
        arrays = dict(np.load(folder / "plan" / "assignment.npz"))
        arrays["share"] = arrays["share"] * 1.5
        np.savez_compressed(folder / "plan" / "assignment.npz", **arrays)
    path.write_text(json.dumps(document))
    assert not verify_plan(folder / "plan").ok


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("min = 1", "min = 3\nmax = 2"), "more than max"),
        (("older", "children"), "no group"),
        (('name = "parish"\nbudget', 'name = "city"\nbudget'), "given twice"),
        (("mean_min = 2.5", "mean_min = 2.5\nnot_worse = true"), "one thing"),
        (("open_max = 1\nyears", "open = 3\nyears"), "the phases open 3 and the plan 2"),
    ],
)
def test_rules_that_cannot_be_are_refused_with_the_key(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] for name in ("phases", "agencies", "district", "floor")})
    text = (folder / "nearer.toml").read_text()
    groups, rest = text.split("[[sites]]", 1)
    assert change[0] in rest
    (folder / "nearer.toml").write_text(groups + "[[sites]]" + rest.replace(*change))
    with pytest.raises(InputError, match=words):
        run_study(folder)


def test_columns_of_sites_are_checked_all_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] for name in ("levels", "agencies", "budget")})
    text = (folder / "sites.csv").read_text()
    text = text.replace(",parish,south,1,", ",church,south,-1,").replace(",small", ",tiny")
    (folder / "sites.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        run_study(folder)
    said = str(caught.value)
    assert "church" in said
    assert '"-1" of site P' in said
    assert "tiny" in said


def test_a_fault_of_many_sites_is_told_once_with_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] for name in ("agencies", "budget")})
    text = (folder / "sites.csv").read_text()
    (folder / "sites.csv").write_text(text.replace(",city,", ",church,").replace(",8,4,", ",8000€,4,"))
    with pytest.raises(InputError) as caught:
        run_study(folder)
    said = sorted(str(caught.value).splitlines())
    assert len(said) == 2
    assert said[0].startswith('sites.csv, row 2, column agency: site H and 1 other belong to "church"')
    assert said[1].startswith('sites.csv, row 5, column cost: "8000€" of site L')


def test_a_fault_names_the_file_of_its_site_and_the_column_as_it_is_called_there(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] for name in ("agencies", "budget")})
    text = (folder / "sites.csv").read_text()
    head, *rows = text.splitlines()
    (folder / "sites.csv").write_text("\n".join([head, *rows[:2]]) + "\n")
    far = "\n".join([head.replace("cost,running", "price,running", 1), *rows[2:]]) + "\n"
    (folder / "far.csv").write_text(far.replace(",1,1,", ",cheap,1,").replace(",8,4,", ",cheap,4,") + "\n")
    toml = (folder / "nearer.toml").read_text()
    (folder / "nearer.toml").write_text(toml + '\n[[sites]]\nfile = "far.csv"\ncost = "price"\n')
    with pytest.raises(InputError, match=r'far\.csv, row 2, column price: "cheap" of site P and 1 other is no number'):
        run_study(folder)


@pytest.mark.parametrize("shares", ["city", "city:0.5", "city:x", "city:nan; parish:nan", "city:2; parish:-1"])
def test_shares_that_are_none_and_shares_of_strangers_are_told_with_their_rows(tmp_path: Path, shares: str) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] for name in ("agencies", "budget")})
    head, *rows = (folder / "sites.csv").read_text().splitlines()
    given = ["", shares, "city:0.5; club:0.3; guild:0.2", "club:1"]
    lines = [f"{head},shares", *(f"{row},{share}" for row, share in zip(rows, given, strict=True))]
    (folder / "sites.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        run_study(folder)
    assert [(fault.row, fault.message) for fault in caught.value.faults] == [
        (3, f'"{shares}" of site S does not say who pays which part'),
        (4, '"club" in the shares of site P and 1 other is none of the agencies'),
        (4, '"guild" in the shares of site P is none of the agencies'),
    ]


@pytest.mark.parametrize(
    ("file", "old", "new"), [("sites.csv", ",8,4,", ",1e13,4,"), ("nearer.toml", "= 40", "= 1e13")]
)
def test_amounts_too_large_to_count_exactly_are_refused(tmp_path: Path, file: str, old: str, new: str) -> None:
    folder = tmp_path / "study"
    write_study(folder, {"budget": RULES["budget"]})
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises(InputError, match=r"1e\+12|1,000,000,000,000"):
        run_study(folder)


def test_centres_without_any_room_are_still_the_nearest_ones(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] for name in ("phases", "levels")})
    text = (folder / "nearer.toml").read_text()
    text = text.replace("capacity = 70", "capacity = 0").replace("capacity = 160", "capacity = 0")
    (folder / "nearer.toml").write_text(text)
    made = run_study(folder)
    verdict = verify_plan(folder / "plan")
    assert verdict.ok, verdict.differing
    for phase in made.document.phases:
        assert phase.mean_min == 60.0  # nobody finds room
        assert phase.mean_nearest_min < 30.0


def test_no_phase_of_a_plan_is_better_than_the_best_by_then(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] for name in ("phases", "levels", "growth")})
    for phase in run_study(folder, gap=0.9).document.phases:
        assert phase.alone_value is not None
        assert phase.alone_value <= phase.value


def test_a_clock_that_leaves_no_time_for_each_phase_alone_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] for name in ("phases", "levels", "growth")})
    full, hasty = run_study(folder).document, run_study(folder, time_limit_s=0.0).document
    assert full.compared
    assert full.greedy_value is not None
    assert not hasty.compared
    assert hasty.greedy_value is None
    assert all(phase.alone_value is None for phase in hasty.phases)
    assert verify_plan(folder / "plan").ok


def test_a_column_of_capacities_that_a_plan_does_not_count_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, {})
    lines = (folder / "sites.csv").read_text().splitlines()
    (folder / "sites.csv").write_text("\n".join([lines[0] + ",capacity", *(line + ",20" for line in lines[1:])]))
    assert any("capacity" in note for note in run_study(folder).document.notes)
    with (folder / "nearer.toml").open("a") as file:
        file.write('\n[[levels]]\nname = "centre"\n')
    made = run_study(folder).document
    assert not any("do not count" in note for note in made.notes)
    assert made.phases[0].unmet > 0  # 240 people, three centres of 20
