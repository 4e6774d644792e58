"""What a table of past volume says, once more: read anew, counted anew, fitted by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr, t

from nearer.files import sha256
from nearer.inputs.frames import read_frame
from nearer.inputs.history import Past, past_of
from nearer.planning.curvedoc import Fit, History
from nearer.study.checks import Check, equal, vector
from nearer.study.recount import Recount
from nearer.units import FloatArray, StrArray

_ITERATIONS = 1e-6  # two ways of iterating to the same point agree this well


def check_history(told: History, to: int, recount: Recount, folder: Path) -> tuple[list[Check], tuple[str, ...]]:
    """
    Compare everything told of past volume, except its sentences.

    Parameters
    ----------
    recount
        With every pair, since people also went to centres that are gone.
    folder
        The study's, from where the file is named.
    """
    file = folder / told.file
    if not file.is_file():
        return [], (f"{told.file} is not there, so that what past {told.unit} say was not checked.",)
    checks = [Check("history: file", sha256(file) == told.sha256, told.sha256, sha256(file))]
    if not checks[0].ok:
        return checks, ()
    past = past_of(read_frame(file, name=told.file))
    total = [float(past.volume[past.period == p].sum()) for p in range(len(past.periods))]
    n_open = past.open.astype(np.float64)
    checks += [
        equal("history: unit", told.unit, past.unit),
        equal("history: periods", told.periods, past.periods),
        vector("history: open", [float(n) for n in told.open], n_open.tolist(), past.periods),
        vector("history: volume", told.volume, total, past.periods),
        equal("history: observed", told.observed, [int(past.open.min()), int(past.open.max())]),
    ]
    if told.time_correlation is not None:
        checks.append(
            _near(
                "history: time_correlation",
                told.time_correlation,
                float(spearmanr(n_open, np.arange(len(total))).statistic),
            )
        )
    time = np.arange(len(total), dtype=np.float64)
    for fit in told.fits:
        if fit.name == "per centre":
            checks += _per_centre(fit, past, recount)
        else:
            columns = [np.ones(len(total)), np.log(n_open)] + ([time] if "trend" in fit.name else [])
            checks += _fit(fit, np.column_stack(columns), np.array(total), np.arange(len(total)).astype(object))
    return checks, ()


def _per_centre(fit: Fit, past: Past, recount: Recount) -> list[Check]:
    table = recount.tables.sites.table
    place = {site: at for at, site in enumerate(table["id"])}
    rows = [k for k, centre in enumerate(past.centre) if centre in place]
    reach = np.zeros(len(past.centre))
    for period in range(len(past.periods)):
        here = [k for k in rows if past.period[k] == period]
        mask = (table["status"] == "other").to_numpy().copy()
        mask[[place[past.centre[k]] for k in here]] = True
        served = recount.people_per_site(recount.nearest(mask))
        reach[here] = [served[place[past.centre[k]]] for k in here]
    use = [k for k in rows if reach[k] > 0]
    columns = [np.ones(len(use)), np.log(reach[use])]
    if len(fit.effects) == 2:
        columns.append(np.log(past.open[past.period[use]].astype(np.float64)))
    return _fit(fit, np.column_stack(columns), past.volume[use], past.centre[use])


def _fit(fit: Fit, design: FloatArray, volume: FloatArray, block: StrArray) -> list[Check]:
    beta = _newton(design, volume)
    names = sorted(set(block.tolist()))
    each = np.array([_newton(design[block != name], volume[block != name]) for name in names])
    n = len(names)
    factor = float(t.ppf(0.975, n - 1))
    found = [
        equal(f"history, {fit.name}: observations", fit.observations, len(volume)),
        equal(f"history, {fit.name}: blocks", fit.blocks, n),
        _near(f"history, {fit.name}: intercept", fit.intercept, float(beta[0])),
    ]
    for at, effect in enumerate(fit.effects, start=1):
        half = factor * float(np.sqrt((n - 1) / n * ((each[:, at] - each[:, at].mean()) ** 2).sum()))
        for key, value in (("doubled", beta[at]), ("low", beta[at] - half), ("high", beta[at] + half)):
            found.append(_near(f"history, {fit.name}: {effect.of} {key}", getattr(effect, key), float(2.0**value)))
    for row in fit.curve:
        line = each[:, 0] + each[:, 1] * np.log(row["centres"])
        half = factor * float(np.sqrt((n - 1) / n * ((line - line.mean()) ** 2).sum()))
        value = beta[0] + beta[1] * np.log(row["centres"])
        for key, exponent in (("volume", value), ("low", value - half), ("high", value + half)):
            if not np.isclose(row[key], np.exp(exponent), rtol=_ITERATIONS):
                found.append(
                    Check(f"history, {fit.name}: {key} of {row['centres']:g}", False, row[key], float(np.exp(exponent)))
                )
    return found


def _newton(design: FloatArray, volume: FloatArray) -> FloatArray:
    """Poisson regression by Newton's method with halved steps, from the mean."""

    def fit(beta: FloatArray) -> float:
        linear = design @ beta
        return float((volume * linear - np.exp(np.minimum(linear, 700))).sum())

    beta = np.zeros(design.shape[1])
    beta[0] = np.log(volume.mean())
    for _ in range(200):
        mean = np.exp(np.minimum(design @ beta, 700))
        step = np.linalg.solve(design.T @ (design * mean[:, None]), design.T @ (volume - mean))
        while fit(beta + step) < fit(beta) and np.abs(step).max() > 1e-14:
            step = step / 2
        beta = beta + step
        if np.abs(step).max() <= 1e-11:
            break
    return beta


def _near(name: str, told: float, found: float) -> Check:
    scale: Sequence[float] = (abs(told), abs(found), 1e-3)
    return Check(name, abs(told - found) <= _ITERATIONS * max(scale), told, found)
