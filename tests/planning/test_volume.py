"""What a table of past volume says: recovered where the truth is known, and silent where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nearer.errors import InputError
from nearer.inputs.columns import Frame
from nearer.inputs.history import Past, past_of
from nearer.planning.volume import blocked, describe, poisson, rank_correlation


def table(**columns: list[object]) -> Frame:
    frame = pd.DataFrame(columns).astype(str)
    return Frame("visits.csv", frame, np.arange(2, len(frame) + 2))


def made(seed: int, reach_power: float, open_power: float, n_periods: int = 24) -> tuple[Past, np.ndarray]:
    """Volumes that are a product of powers, with noise; centres come and go."""
    rng = np.random.default_rng(seed)
    n = 40
    people = rng.integers(200, 5000, n).astype(float)
    rows = []
    for period in range(n_periods):
        n_open = 20 + int(rng.integers(0, 21))
        for centre in rng.permutation(n)[:n_open]:
            mean = people[centre] ** reach_power * (n_open / 30.0) ** open_power
            rows.append((f"c{centre}", period, float(rng.poisson(mean * rng.gamma(5.0, 0.2))), people[centre]))
    frame = pd.DataFrame(rows, columns=["centre", "period", "visits", "reach"])
    past = past_of(table(**{name: frame[name].tolist() for name in ("centre", "period", "visits")}))
    return past, frame["reach"].to_numpy()


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for seed in range(60):
        past, reach = made(seed, 0.7, -0.5)
        found = describe(past, reach, reach > 0, [], "sha256:0", 40)
        effects = {effect.of: effect for effect in next(f for f in found.fits if f.name == "per centre").effects}
        held += effects["reach"].low <= 2**0.7 <= effects["reach"].high
        assert effects["reach"].low < effects["reach"].doubled < effects["reach"].high
    assert held >= 50  # 57 expected; fewer than 50 of 60 has a chance below 1 % at 95 %


def test_poisson_regression_solves_its_own_equations_with_zeros_in_the_volume() -> None:
    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(50), rng.normal(size=50)])
    volume = rng.poisson(np.exp(design @ [0.2, 0.6])).astype(float)
    assert (volume == 0).any()
    beta = poisson(design, volume)
    assert beta is not None
    assert design.T @ (volume - np.exp(design @ beta)) == pytest.approx([0.0, 0.0], abs=1e-8)


def test_the_interval_is_that_of_the_jackknife() -> None:
    rng = np.random.default_rng(2)
    design = np.column_stack([np.ones(8), np.log(np.arange(3, 11))])
    volume = rng.integers(50, 90, 8).astype(float)
    found = blocked(design, volume, np.arange(8))
    assert found is not None
    each = np.array([poisson(np.delete(design, k, 0), np.delete(volume, k)) for k in range(8)])[:, 1]
    spread = np.sqrt(7 / 8 * ((each - each.mean()) ** 2).sum())
    assert found.interval(np.array([0.0, 1.0]))[2] == pytest.approx(found.beta[1] + 2.364624 * spread, rel=1e-5)


def test_nothing_is_said_beyond_what_was_observed() -> None:
    past, reach = made(5, 0.5, 0.3)
    found = describe(past, reach, reach > 0, [], "sha256:0", 200)
    low, high = found.observed
    fit = next(fit for fit in found.fits if fit.curve)
    assert [row["centres"] for row in fit.curve] == list(range(low, high + 1))
    assert any(f"Nobody has seen more than {high} centres" in text for text in found.says)


def test_few_periods_and_a_number_that_rises_with_time_are_named() -> None:
    rows = [(f"c{c}", p, 100 * (p + 4) + c) for p in range(8) for c in range(p + 4)]
    past = past_of(table(centre=[r[0] for r in rows], period=[r[1] for r in rows], units=[r[2] for r in rows]))
    found = describe(past, np.full(len(rows), 50.0), np.ones(len(rows), dtype=bool), [], "sha256:0", 12)
    text = " ".join(found.says)
    assert found.time_correlation == pytest.approx(1.0)
    assert "went the same way" in text
    assert "with 8 the interval is itself uncertain" in text


def test_too_little_says_so() -> None:
    past = past_of(table(centre=["a", "b"], period=["2026-01", "2026-01"], visits=[3, 4]))
    found = describe(past, np.array([10.0, 20.0]), np.ones(2, dtype=bool), [], "sha256:0", 3)
    assert found.fits == []
    assert "Too few centres" in " ".join(found.says)


def test_faults_name_row_and_column() -> None:
    with pytest.raises(InputError) as caught:
        past_of(table(centre=["a", "a", ""], period=["1", "1", "2"], visits=[3, 4, -1]))
    text = str(caught.value)
    assert "row 3, column period: this centre and period stand already in row 2" in text
    assert "row 4, column visits: must be a number, 0 or more" in text
    assert "row 4, column centre: the cell is empty" in text
    with pytest.raises(InputError, match="column visits or units: there is neither"):
        past_of(table(centre=["a"], period=["1"], kilos=[3]))


def test_periods_are_in_order_of_number_or_text() -> None:
    assert past_of(table(centre=["a", "a"], period=["10", "9"], visits=[1, 2])).periods == ["9", "10"]
    assert past_of(table(centre=["a", "a"], period=["2026-02", "2025-12"], visits=[1, 2])).periods[0] == "2025-12"


def test_rank_correlation_by_hand() -> None:
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 9.0])) == pytest.approx(1.0)
    assert rank_correlation(np.array([1.0, 1.0]), np.array([0.0, 1.0])) is None
    # ranks 1.5 1.5 3 against 1 2 3: covariance 1.5, spreads 1.5 and 2
    assert rank_correlation(np.array([5.0, 5.0, 7.0]), np.array([0.0, 1.0, 2.0])) == pytest.approx(1.5 / np.sqrt(3.0))
