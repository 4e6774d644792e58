"""``Terms`` of sites over phases → their options and what each option spends, opens and runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations_with_replacement

import numpy as np

from nearer.model.rules import CLOSED, Rules, ServiceLimit
from nearer.units import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Terms:
    """
    What each site is today and may become.

    Parameters
    ----------
    today
        Level today, int16 (n_sites,), ``CLOSED`` where it is not open.
    allowed
        Levels a site may have, bool (n_sites, n_levels).
    may_close
        Whether a site that is open may close for good, bool (n_sites,).
    open_cost, running
        Money to open at a level, and to run it for a year, float64 (n_sites, n_levels).
    upgrade
        Money to come from one level to a higher one, float64 (n_levels, n_levels).
    close_cost
        float64 (n_sites,).
    """

    today: IntArray
    allowed: BoolArray
    may_close: BoolArray
    open_cost: FloatArray
    running: FloatArray
    upgrade: FloatArray
    close_cost: FloatArray

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.today)


@dataclass(frozen=True)
class Options:
    """
    Options of all sites, and what each does in each phase.

    Parameters
    ----------
    ptr, level
        As in ``Rules``.
    site
        int64 (n_options,).
    spent
        Money for opening, upgrading and closing, float64 (n_options, n_phases).
    running
        Money a year, float64 (n_options, n_phases).
    opened, upgraded, closed
        Whether a site opens, rises or closes in a phase, bool (n_options, n_phases).
    """

    ptr: IntArray
    level: IntArray
    site: IntArray
    spent: FloatArray
    running: FloatArray
    opened: BoolArray
    upgraded: BoolArray
    closed: BoolArray


def make_options(terms: Terms, n_phases: int, forced: BoolArray | None = None) -> Options:
    """
    Every path a site may take: once open it stays, never sinks to a lower level, and closes only where that is allowed.

    Parameters
    ----------
    forced
        Sites that must be open in the last phase, bool (n_sites,); None for none.

    Raises
    ------
    ValueError
        A site may not even stay as it is.
    """
    n_levels = terms.allowed.shape[1]
    rising = list(combinations_with_replacement(range(n_levels), n_phases))
    starting = list(combinations_with_replacement(range(CLOSED, n_levels), n_phases))
    cache: dict[tuple[int, bytes, bool], list[tuple[int, ...]]] = {}
    ptr, level = [0], []
    for site in range(terms.n_sites):
        today, allowed = int(terms.today[site]), terms.allowed[site]
        key = (today, allowed.tobytes(), bool(terms.may_close[site]))
        if key not in cache:
            cache[key] = _paths(today, allowed, bool(terms.may_close[site]), rising, starting)
        paths = cache[key] if forced is None or not forced[site] else [p for p in cache[key] if p[-1] != CLOSED]
        if not paths:
            raise ValueError("a site that must open may not")
        level += paths
        ptr.append(len(level))
    levels = np.array(level, dtype=np.int16).reshape(len(level), n_phases)
    option_ptr = np.array(ptr, dtype=np.int64)
    return _costed(terms, option_ptr, levels)


def _paths(
    today: int, allowed: BoolArray, may_close: bool, rising: list[tuple[int, ...]], starting: list[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    if today == CLOSED:
        found = [path for path in starting if all(level == CLOSED or allowed[level] for level in path)]
    else:
        found = [
            path for path in rising if path[0] >= today and all(allowed[level] or level == today for level in path)
        ]
        if may_close:
            # a site is not raised first and closed then
            found += [
                (today,) * stays + (CLOSED,) * (len(path) - stays) for path in rising[:1] for stays in range(len(path))
            ]
    if not found:
        raise ValueError("a site may not even stay as it is")
    return found


def _costed(terms: Terms, ptr: IntArray, level: IntArray) -> Options:
    site = np.repeat(np.arange(terms.n_sites), np.diff(ptr))
    n_options, n_phases = level.shape
    spent, running = np.zeros((n_options, n_phases)), np.zeros((n_options, n_phases))
    opened, upgraded, closed = (np.zeros((n_options, n_phases), dtype=bool) for _ in range(3))
    before = terms.today[site].astype(np.int64)
    for phase in range(n_phases):
        now = level[:, phase].astype(np.int64)
        opened[:, phase] = (before == CLOSED) & (now != CLOSED)
        closed[:, phase] = (before != CLOSED) & (now == CLOSED)
        upgraded[:, phase] = (before != CLOSED) & (now > before)
        spent[:, phase] = (
            np.where(opened[:, phase], terms.open_cost[site, now], 0.0)
            + np.where(upgraded[:, phase], terms.upgrade[before, now], 0.0)
            + np.where(closed[:, phase], terms.close_cost[site], 0.0)
        )
        running[:, phase] = np.where(now != CLOSED, terms.running[site, now], 0.0)
        before = now
    return Options(ptr, level, site, spent, running, opened, upgraded, closed)


@dataclass
class RuleBook:
    """Side rules and limits gathered one by one; ``rules`` closes the book."""

    options: Options
    names: list[str] = field(default_factory=list)
    wishes: list[str] = field(default_factory=list)
    limits: list[ServiceLimit] = field(default_factory=list)
    _rows: list[tuple[IntArray, FloatArray, float, float]] = field(default_factory=list)

    def add(self, name: str, value: FloatArray, lower: float = -np.inf, upper: float = np.inf, wish: str = "") -> None:
        """``lower ≤ Σ value · z ≤ upper``; ``value`` is float64 (n_options,), ``wish`` as in ``Rules``."""
        used = np.flatnonzero(value)
        self.names.append(name)
        self.wishes.append(wish)
        self._rows.append((used.astype(np.int32), np.asarray(value, dtype=np.float64)[used], lower, upper))

    def rules(self, option_cost: FloatArray | None = None) -> Rules:
        """The rules; ``option_cost`` is float64 (n_options,), None for nothing."""
        n_options = len(self.options.site)
        return Rules(
            option_ptr=self.options.ptr,
            option_level=self.options.level,
            option_cost=np.zeros(n_options) if option_cost is None else option_cost,
            side_ptr=np.cumsum([0, *(len(row[0]) for row in self._rows)]).astype(np.int64),
            side_option=np.concatenate([np.zeros(0, dtype=np.int32), *(row[0] for row in self._rows)]),
            side_value=np.concatenate([np.zeros(0), *(row[1] for row in self._rows)]),
            side_lower=np.array([row[2] for row in self._rows], dtype=np.float64),
            side_upper=np.array([row[3] for row in self._rows], dtype=np.float64),
            side_name=tuple(self.names),
            side_wish=tuple(self.wishes),
            limits=tuple(self.limits),
        )
