"""What agencies gain by planning together, on a street that can be planned by hand."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nearer.cli import app
from nearer.errors import UsageError
from nearer.study.agencies import AGENCY_FILES, compare_agencies
from nearer.study.run import run_study
from nearer.study.verify import verify_plan
from nearer.study.verify_agencies import verify_agencies

PEOPLE = {"a": (0, 100), "b": (4, 40), "c": (8, 60), "d": (12, 80), "e": (16, 50), "f": (20, 90)}
SITES = {"H": (0, "existing", "city"), "S": (10, "candidate", "city"), "P": (19, "candidate", "parish"),
         "L": (18, "candidate", "city"), "W": (9, "candidate", "")}  # fmt: skip
STEP_MIN = 110.574 / 100.0  # a thousandth of a degree at 6 km/h


def write(folder: Path, agencies: str) -> Path:
    folder.mkdir()
    rows = ["id,lon,lat,population", *(f"{i},0,{at / 1000},{n}" for i, (at, n) in PEOPLE.items())]
    (folder / "people.csv").write_text("\n".join(rows))
    sites = ["id,name,lon,lat,status,agency", *(f"{i},{i},0,{at / 1000},{s},{a}" for i, (at, s, a) in SITES.items())]
    (folder / "sites.csv").write_text("\n".join(sites))
    (folder / "nearer.toml").write_text(
        '[streets]\nmode = "straight"\ndetour = 1.0\nspeed_kmh = 6.0\n[people]\nfile = "people.csv"\n'
        '[[sites]]\nfile = "sites.csv"\n[plan]\nopen_max = 2\n' + agencies
    )
    return folder


def walked(open_sites: set[str]) -> float:
    return sum(n * min(abs(at - SITES[site][0]) for site in open_sites) * STEP_MIN for at, n in PEOPLE.values())


def best_of(members: set[str]) -> float:
    """Least person-minutes with at most two new venues, at most one of the city, of members or of nobody."""
    may = [site for site, (_, status, agency) in SITES.items() if status == "candidate" and agency in {*members, ""}]
    found = []
    for k in range(3):
        for chosen in combinations(may, k):
            if sum(SITES[site][2] == "city" for site in chosen) <= 1:
                found.append(walked({"H", *chosen}))
    return min(found)


TWO = '[[agencies]]\nname = "city"\nmax_open = 1\n[[agencies]]\nname = "parish"\n'


def test_every_coalition_has_its_enumerated_value_and_shares_add_up(tmp_path: Path) -> None:
    folder = write(tmp_path / "street", TWO)
    found = compare_agencies(folder, gap=0.0)
    by_members = {tuple(one.members): one for one in found.coalitions}
    assert set(by_members) == {(), ("city",), ("parish",), ("city", "parish")}
    for members, one in by_members.items():
        assert one.value == pytest.approx(best_of(set(members)), rel=2e-3)
        assert one.bound == pytest.approx(one.value, rel=1e-6)
    saved = found.coalitions[0].value - found.joint_value
    assert sum(one.shapley or 0.0 for one in found.agencies) == pytest.approx(saved, rel=1e-9)
    for one in found.agencies:
        assert one.contribution_least <= one.contribution + 1e-6
        assert one.contribution <= one.contribution_most + 1e-6
    # the city alone would open W and one of its own, the parish W and P: three in all
    assert found.separate_breaks == ["open at most 2"]
    assert found.joint_gain is None
    assert run_study(folder, gap=0.0).document.objective.value == pytest.approx(found.joint_value, rel=1e-9)
    assert {path.name for path in (folder / "agencies").iterdir()} == {*AGENCY_FILES} - {"proofs"}
    assert json.loads((folder / "agencies" / "agencies.json").read_text())["kind"] == "agencies"
    assert "parish" in (folder / "agencies" / "agencies.html").read_text()


def test_two_who_do_not_talk_open_side_by_side(tmp_path: Path) -> None:
    folder = write(tmp_path / "street", TWO + "max_open = 1\n")
    sites = (folder / "sites.csv").read_text().splitlines()
    (folder / "sites.csv").write_text("\n".join(line for line in sites if not line.startswith("W")))
    found = compare_agencies(folder, gap=0.0)
    alone = min(walked({"H", "S"}), walked({"H", "L"})), walked({"H", "P"})
    by_members = {tuple(one.members): one for one in found.coalitions}
    assert by_members[("city",)].value == pytest.approx(alone[0], rel=2e-3)
    assert by_members[("parish",)].value == pytest.approx(alone[1], rel=2e-3)
    city = by_members[("city",)].sites[0].id
    assert found.separate_value == pytest.approx(walked({"H", "P", city}), rel=2e-3)
    assert found.joint_gain == pytest.approx(
        walked({"H", "P", city}) - min(walked({"H", "P", "S"}), walked({"H", "P", "L"})), abs=1
    )


def test_the_command_tells_in_a_language_what_is_kept_in_english(tmp_path: Path) -> None:
    folder = write(tmp_path / "street", TWO)
    kept = {}
    for code, said in (("en", "Together the agencies save"), ("es", "Juntas, las entidades ahorran")):
        done = CliRunner().invoke(app, ["agencies", str(folder), "--language", code])
        assert done.exit_code == 0, done.output
        assert said in done.output
        assert f'<html lang="{code}"' in (folder / "agencies" / "agencies.html").read_text(encoding="utf-8")
        kept[code] = [(folder / "agencies" / f"agencies.{kind}").read_bytes() for kind in ("json", "csv")]
    assert kept["en"] == kept["es"]


def test_one_agency_has_nobody_to_be_compared_with(tmp_path: Path) -> None:
    folder = write(tmp_path / "street", '[[agencies]]\nname = "city"\nmax_open = 1\n')
    with pytest.raises(UsageError, match="fewer than two"):
        compare_agencies(folder)


PROMISED = """
[[agencies.floors]]
group = "older"
within_min = 1.2
share = 0.7
[[agencies.floors]]
mean_min = 7
"""


def test_promises_of_an_agency_are_kept_by_the_best_plan_that_keeps_them(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "street", '[[agencies]]\nname = "city"\nmax_open = 1\n[[agencies]]\nname = "parish"\n' + PROMISED
    )
    older = {"a": 12, "b": 0, "c": 60, "d": 18, "e": 5, "f": 5}
    rows = ["id,lon,lat,population,old", *(f"{i},0,{at / 1000},{n},{older[i]}" for i, (at, n) in PEOPLE.items())]
    (folder / "people.csv").write_text("\n".join(rows))
    text = (folder / "nearer.toml").read_text()
    (folder / "nearer.toml").write_text(text.replace('"people.csv"', '"people.csv"\ngroups = { older = "old" }'))

    def near(open_sites: set[str]) -> float:
        reached = [
            i for i, (at, _) in PEOPLE.items() if min(abs(at - SITES[s][0]) for s in open_sites) * STEP_MIN <= 1.2
        ]
        return sum(older[i] for i in reached) / sum(older.values())

    everyone = sum(n for _, n in PEOPLE.values())
    candidates = [site for site, one in SITES.items() if one[1] == "candidate"]
    sets = [{"H", *some} for k in range(3) for some in combinations(candidates, k) if not {"S", "L"} <= {*some}]
    kept = [one for one in sets if near(one) >= 0.7 and walked(one) <= 7 * everyone]
    free = min(sets, key=walked)
    best = min(kept, key=walked)
    assert free not in kept  # or the promise would be none
    plan = run_study(folder, gap=0.0).document
    assert {site.id for site in plan.sites if site.status == "opened"} == best - {"H"}
    told = [rule for rule in plan.rules if rule.agency]
    assert [rule.agency for rule in told] == ["parish", "parish"]
    assert told[0].value == pytest.approx(near(best))
    assert told[1].value == pytest.approx(walked(best) / everyone, rel=2e-3)
    assert verify_plan(folder / "plan").ok
    path = folder / "plan" / "plan.json"
    document = json.loads(path.read_text())
    next(rule for rule in document["rules"] if rule["name"] == told[0].name)["value"] = 0.99
    path.write_text(json.dumps(document))
    assert [check.name for check in verify_plan(folder / "plan").differing] == [f"{told[0].name}: told"]

    compared = compare_agencies(folder, gap=0.0)
    assert [one.agency for one in compared.promises] == ["parish", "parish"]
    for one in compared.coalitions:
        opened = {"H", *(site.id for site in one.sites)}
        assert one.promises == pytest.approx([near(opened), walked(opened) / everyone], rel=2e-3)
    assert verify_agencies(folder / "agencies").ok
    assert "promise of parish, older" in (folder / "agencies" / "agencies.html").read_text()
