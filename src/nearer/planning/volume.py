"""
How past volume went with reach and the number of centres: what a table of visits can say, and no more.

Poisson regression with a logarithm between (Gourieroux, Monfort, Trognon 1984; Santos Silva, Tenreyro 2006): the
volume is a product of powers, zeros are welcome, and nothing is assumed of the spread. Intervals come from leaving out
one centre, or one period, at a time (Quenouille, Tukey) and Student's t: robust, and wide where there is little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from nearer.inputs.history import Past
from nearer.planning.curvedoc import Effect, Fit, History
from nearer.units import BoolArray, FloatArray, IntArray

LEAST_BLOCKS = 4
_FEW = 12
_TREND_PERIODS = 6
_SAME_WAY = 0.9

LIMITS = [
    "The table shows what went together, not what caused it: centres open where need is expected, and need changes.",
    "A season, a price, a crisis, more staff or fuller shelves change the volume too; the table does not know them.",
    "A new centre takes some of its visitors from others; a volume of one centre is not a volume gained.",
    "Volume is what was handed out, not what was needed: where shelves were empty it says little of demand.",
    "Nothing is said of more centres, or of fewer, than the table has seen: a line drawn on would be a guess.",
]


@dataclass(frozen=True)
class Blocked:
    """
    A regression with its replicates, each without one block.

    Parameters
    ----------
    beta
        Coefficients, float64 (k,).
    replicates
        float64 (n_blocks, k).
    """

    beta: FloatArray
    replicates: FloatArray

    def interval(self, direction: FloatArray) -> tuple[float, float, float]:
        """A combination of coefficients with its 95 % interval."""
        value = float(direction @ self.beta)
        each = self.replicates @ direction
        n = len(each)
        spread = float(np.sqrt((n - 1) / n * ((each - each.mean()) ** 2).sum()))
        half = float(stdtrit(n - 1, 0.975)) * spread
        return value, value - half, value + half


def poisson(design: FloatArray, volume: FloatArray) -> FloatArray | None:
    """
    Coefficients of ``volume ≈ exp(design · β)`` by iterated weighted least squares.

    Returns
    -------
    float64 (k,)
        None where the columns do not tell apart, or the volume is 0 throughout.
    """
    if volume.sum() <= 0 or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    mean = np.maximum(volume, 0.1 * volume.mean())
    beta = np.zeros(design.shape[1])
    for _ in range(200):
        linear = np.log(mean)
        weighted = design * mean[:, None]
        step = np.linalg.lstsq(design.T @ weighted, weighted.T @ (linear + (volume - mean) / mean), rcond=None)[0]
        moved = float(np.abs(step - beta).max())
        beta = step
        mean = np.exp(np.clip(design @ beta, -700.0, 700.0))
        if moved <= 1e-12 * (1.0 + float(np.abs(beta).max())):
            return np.asarray(beta)
    return None


def blocked(design: FloatArray, volume: FloatArray, block: IntArray) -> Blocked | None:
    """The regression and its replicates; None where there are too few blocks or one of the fits fails."""
    names = np.unique(block)
    beta = poisson(design, volume)
    if beta is None or len(names) < max(LEAST_BLOCKS, design.shape[1] + 2):
        return None
    replicates = []
    for name in names:
        part = poisson(design[block != name], volume[block != name])
        if part is None:
            return None
        replicates.append(part)
    return Blocked(beta, np.array(replicates))


def describe(past: Past, reach: FloatArray, known: BoolArray, unmatched: list[str], sha256: str, to: int) -> History:
    """
    Everything ``curve.json`` says of a table of past volume.

    Parameters
    ----------
    past
        The table.
    reach
        People nearest to the centre of each row among the centres of its period, float64 (n,); 0 where unknown.
    known
        Whether the study knows the centre of each row, bool (n,).
    unmatched
        Ids that it does not know.
    sha256
        Of the file.
    to
        Centres at the end of the curve.
    """
    total = np.bincount(past.period, weights=past.volume, minlength=len(past.periods)).astype(np.float64)
    n_open = past.open.astype(np.float64)
    time = np.arange(len(past.periods), dtype=np.float64)
    fits = [fit for fit in (_per_centre(past, reach, known), _in_all(n_open, total, None)) if fit]
    if len(time) >= _TREND_PERIODS and (fit := _in_all(n_open, total, time)):
        fits.append(fit)
    correlation = rank_correlation(n_open, time)
    return History(
        file=past.file,
        sha256=sha256,
        unit=past.unit,
        centres=len(set(past.centre.tolist())),
        periods=past.periods,
        open=[int(n) for n in past.open],
        volume=[float(value) for value in total],
        observed=[int(past.open.min()), int(past.open.max())],
        unmatched=unmatched[:100],
        time_correlation=correlation,
        fits=fits,
        says=_says(past, fits, correlation, unmatched, to),
        limits=LIMITS,
    )


def _per_centre(past: Past, reach: FloatArray, known: BoolArray) -> Fit | None:
    use = known & (reach > 0)
    if not use.any():
        return None
    n_open = np.log(past.open[past.period[use]].astype(np.float64))
    columns = [np.ones(int(use.sum())), np.log(reach[use])]
    names: list[str] = ["reach"]
    if np.ptp(n_open) > 0:
        columns.append(n_open)
        names.append("centres")
    _, block = np.unique(past.centre[use].astype(str), return_inverse=True)
    found = blocked(np.column_stack(columns), past.volume[use], block)
    if found is None:
        return None
    return Fit(
        name="per centre",
        observations=int(use.sum()),
        blocks=len(found.replicates),
        effects=[_effect(name, found, place + 1) for place, name in enumerate(names)],
        intercept=float(found.beta[0]),
    )


def _in_all(n_open: FloatArray, total: FloatArray, time: FloatArray | None) -> Fit | None:
    columns = [np.ones(len(total)), np.log(n_open)] + ([] if time is None else [time])
    found = blocked(np.column_stack(columns), total, np.arange(len(total)))
    if found is None:
        return None
    curve = []
    if time is None:
        for n in range(int(n_open.min()), int(n_open.max()) + 1):
            value, low, high = found.interval(np.array([1.0, np.log(n)]))
            curve.append({"centres": float(n), "volume": _exp(value), "low": _exp(low), "high": _exp(high)})
    return Fit(
        name="in all" if time is None else "in all, with a trend",
        observations=len(total),
        blocks=len(total),
        effects=[_effect("centres", found, 1)],
        intercept=float(found.beta[0]),
        trend_per_period=None if time is None else _exp(float(found.beta[2])),
        curve=curve,
    )


def _exp(value: float) -> float:
    return float(np.exp(np.clip(value, -700.0, 700.0)))


def _effect(name: str, found: Blocked, place: int) -> Effect:
    direction = np.zeros(len(found.beta))
    direction[place] = np.log(2.0)
    value, low, high = found.interval(direction)
    return Effect(of="reach" if name == "reach" else "centres", doubled=_exp(value), low=_exp(low), high=_exp(high))


def _says(past: Past, fits: list[Fit], correlation: float | None, unmatched: list[str], to: int) -> list[str]:
    """What was found, one sentence each."""
    by_name: Callable[[str], Fit | None] = lambda name: next((fit for fit in fits if fit.name == name), None)  # noqa: E731
    n_periods, low, high = len(past.periods), int(past.open.min()), int(past.open.max())
    n_centres = len(set(past.centre.tolist()))
    says = [
        f"{_count(n_periods, 'period')} with {low} to {high} centres open, {_count(n_centres, 'centre')} in the table."
        if low < high
        else f"{_count(n_periods, 'period')}, in all of which 1 centre was open."
        if low == 1
        else f"{_count(n_periods, 'period')}, in all of which {_count(low, 'centre')} were open."
    ]
    fit = by_name("per centre")
    if fit is None:
        says.append("Too few centres with people of their own to say how the volume went with reach.")
    else:
        effect = next(e for e in fit.effects if e.of == "reach")
        says.append(
            f"Where twice as many people lived nearest to a centre, its volume was {effect.doubled:.2f} times as large "
            f"(95 % interval {effect.low:.2f} to {effect.high:.2f}; {_count(fit.blocks, 'centre')})."
            f"{_small(fit.blocks)}"
        )
    fit = by_name("in all")
    if fit is None:
        says.append(
            "The number of centres hardly changed, or there are too few periods, so nothing can be said of how the "
            "volume went with it."
        )
    else:
        effect = fit.effects[0]
        says.append(
            f"Where twice as many centres were open, the whole volume was {effect.doubled:.2f} times as large "
            f"(95 % interval {effect.low:.2f} to {effect.high:.2f}; {_count(fit.blocks, 'period')})."
            f"{_small(fit.blocks)}"
        )
        says += _trend(by_name("in all, with a trend"), correlation)
    if to > high:
        says.append(
            f"Nobody has seen more than {_count(high, 'centre')}: what the volume would be with {to} is not said here."
        )
    if unmatched:
        says.append(f"{_count(len(unmatched), 'centre')} of the table are not in the study and were left out of reach.")
    return says


def _trend(fit: Fit | None, correlation: float | None) -> list[str]:
    """What time may have to do with it."""
    says = []
    if fit is not None:
        effect = fit.effects[0]
        says.append(
            f"With a steady change over time allowed for, it is {effect.doubled:.2f} times ({effect.low:.2f} to "
            f"{effect.high:.2f}): more centres and the passage of time cannot be told apart."
            if effect.low <= 1.0 <= effect.high
            else f"With a steady change over time allowed for, it is {effect.doubled:.2f} times ({effect.low:.2f} to "
            f"{effect.high:.2f})."
        )
    if correlation is not None and abs(correlation) >= _SAME_WAY:
        says.append("The number of centres and time went the same way, so either may stand behind the change.")
    return says


def _small(n: int) -> str:
    """What is added where there is little to go by."""
    return f" That is few: with {n} the interval is itself uncertain." if n < _FEW else ""


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def rank_correlation(one: FloatArray, other: FloatArray) -> float | None:
    """Spearman's rank correlation, ties at their mean rank; None where one does not vary."""
    left, right = (ranks - ranks.mean() for ranks in (_ranks(one), _ranks(other)))
    size = float(np.sqrt((left**2).sum() * (right**2).sum()))
    return None if size <= 0 else float((left * right).sum()) / size


def _ranks(values: FloatArray) -> FloatArray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2.0)[inverse], dtype=np.float64)
