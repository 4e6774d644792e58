"""p-medians of points in a file, sites in another; and results checked without holding a pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from nearer.study.benchmark import solve_file, write_result
from nearer.study.request import Request
from nearer.study.result import verify_result


def test_points_with_sites_of_their_own_are_planned_and_checked(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    people, sites = tmp_path / "people.csv", tmp_path / "sites.csv"
    table = pd.DataFrame(rng.uniform(0, 40, (300, 2)), columns=["x", "y"])
    table["weight"] = rng.integers(1, 9, 300)
    table.to_csv(people, index=False)
    pd.DataFrame(rng.uniform(0, 40, (25, 2)), columns=["x", "y"]).to_csv(sites, index=False)
    request = Request("p-median", "points", 4, sites_file=str(sites))
    result = solve_file(people, request, with_assignment=True, proof_file=tmp_path / "proof.npz")
    assert result["status"] == "optimal"

    def differences(**changed: object) -> str:
        write_result(result | changed, tmp_path / "result.json")
        return " ".join(verify_result(tmp_path / "result.json", people).differences)

    assert differences() == ""
    assert "are worth" in differences(objective=result["objective"] * 1.01)
    assert "the certificate proves" in differences(bound=result["bound"] * 1.0001, objective=result["objective"] * 1.01)
    assert "bound lies above" in differences(bound=result["objective"] * 1.1)
    assert "where p is 4" in differences(open=result["open"][:3])
    assert "open twice" in differences(open=[*result["open"], result["open"][0]])
    other = [k + 1 for k in range(25) if k + 1 not in result["open"]]
    assert "not open" in differences(assignment=[other[0]] * 300)
    farther = [result["open"][0]] * 300
    assert "farther than" in differences(assignment=farther)
    table.drop(columns="weight").to_csv(tmp_path / "alike.csv", index=False)
    center = Request("p-center", "points", 4, sites_file=str(sites))
    solve_file(tmp_path / "alike.csv", center, proof_file=tmp_path / "center.npz")
    assert "one of a p-center" in differences(proof_file=str(tmp_path / "center.npz"))
