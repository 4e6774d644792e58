"""
Greedy and interchange over regions: each says what every move would save there, and the moves are chosen here.

Moves of which neither touches sites that another one touches are made together, and taken back, but for the best of
them, where together they brought less than that one alone. A plan is a local optimum when no single swap, opening or
closing saves anything, wherever the borders of the regions run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nearer.solvers import regions as asked
from nearer.solvers.budget import Budget
from nearer.solvers.regions import Regions, summed
from nearer.units import BoolArray, FloatArray, IntArray

_AT_ONCE = 0.25  # share of the sites still to open that greedy tries in one round
_NEARLY = 0.95  # of what the first site that was not tried would save, for one that was

Note = Callable[[BoolArray, int], None]
"""Told a plan on the way, and the work done before it was looked at: who starts from there does the rest of it."""


@dataclass(frozen=True)
class Field:
    """
    What is left to choose, and the regions that know what it costs.

    Parameters
    ----------
    regions, standing
        Who is asked, and what stands by now, int8 (n_sites,).
    k_min, k_max
        Free sites to open, at least and at most.
    price
        Of each free site, in whole units, int64 (m,).
    scale
        Units in 1 of cost.
    """

    regions: Regions
    standing: IntArray
    k_min: int
    k_max: int
    price: IntArray
    scale: float

    @property
    def m(self) -> int:
        """Free sites."""
        return len(self.price)

    def ask(self, task: asked.Task, **arrays: np.ndarray) -> list[asked.Arrays]:
        """Ask all regions about what stands by now."""
        return self.regions.ask(task, None, standing=self.standing, scale=np.array(self.scale), **arrays)


@dataclass(frozen=True)
class Moves:
    """
    What single moves of a plan save, of all rows and prices together, in whole units.

    Parameters
    ----------
    cost
        Of the plan.
    loss, gain
        What closing each open site costs, and what opening each closed one saves, int64 (m,).
    out, come, extra
        Sites that share rows, and how much of the loss of one the other makes good beyond its gain, ascending by them.
    """

    cost: int
    loss: IntArray
    gain: IntArray
    out: IntArray
    come: IntArray
    extra: IntArray


def look(field: Field, plan: BoolArray, budget: Budget) -> Moves:
    """Ask all regions what the moves of a plan come to."""
    m = field.m
    found = field.ask(asked.moves_of, plan=plan)
    loss, gain = -field.price.copy(), -field.price.copy()
    loss[~plan] = 0
    gain[plan] = 0
    for one in found:
        loss[one["loss_site"]] += one["loss"]
        gain[one["gain_site"]] += one["gain"]
    pair, extra = summed(*(np.concatenate([one[name] for one in found]) for name in ("pair", "extra")))
    budget.spend(sum(int(one["scanned"]) for one in found))
    cost = sum(int(one["cost"]) for one in found) + int(field.price[plan].sum())
    return Moves(cost, loss, gain, pair // m, pair % m, extra)


def greedy(field: Field, budget: Budget, start: BoolArray | None = None, note: Note | None = None) -> BoolArray:
    """Open the sites that save most, several at a time where each saves nearly as much as if alone; bool (m,)."""
    plan = np.zeros(field.m, dtype=bool) if start is None else start.copy()
    while (left := field.k_max - int(plan.sum())) > 0:
        if note is not None:
            note(plan, budget.spent)
        gain = -field.price
        for one in field.ask(asked.gains, plan=plan):
            gain[one["gain_site"]] += one["gain"]
            budget.spend(int(one["scanned"]))
        order = np.argsort(-np.where(plan, np.iinfo(np.int64).min + 1, gain), kind="stable")[:left]
        must = field.k_min - int(plan.sum())
        order = order[: max(must, int(np.count_nonzero(gain[order] > 0)))]
        if not len(order):
            break
        tried = order[: max(1, int(_AT_ONCE * left))]
        turn = np.full(field.m, -1, dtype=np.int32)
        turn[tried] = np.arange(len(tried))
        saved = -field.price[tried]
        for one in field.ask(asked.in_turn, plan=plan, turn=turn):
            saved += one["saved"]
            budget.spend(int(one["scanned"]))
        others = np.delete(gain, np.concatenate([tried, np.flatnonzero(plan)]))
        enough = _NEARLY * max(int(others.max(initial=0)), 0)
        keep = saved >= enough
        keep[0] = True
        plan[tried[keep]] = True
    return plan


def polished(field: Field, plan: BoolArray, budget: Budget, note: Note | None = None) -> BoolArray:
    """Swap, open and close until no single move saves anything, or the budget ends; never worse than the start."""
    plan, before = plan.copy(), budget.spent
    now = look(field, plan, budget)
    while not budget.exhausted():
        if note is not None:
            note(plan, before)
        chosen, promise = independent(field, plan, now)
        if not chosen:
            break
        trial, before = moved(plan, chosen), budget.spent
        then = look(field, trial, budget)
        if then.cost > now.cost - promise:
            trial, before = moved(plan, chosen[:1]), budget.spent
            then = look(field, trial, budget)
        plan, now = trial, then
    return plan


def moved(plan: BoolArray, chosen: list[tuple[int, int]]) -> BoolArray:
    """A plan after some moves."""
    plan = plan.copy()
    for come, out in chosen:
        if come >= 0:
            plan[come] = True
        if out >= 0:
            plan[out] = False
    return plan


def independent(field: Field, plan: BoolArray, now: Moves) -> tuple[list[tuple[int, int]], int]:
    """
    Moves that save something, the best first, none touching what another touches; and what the first saves.

    A move is the site that opens and the one that closes, -1 for none.
    """
    n_open, m = int(plan.sum()), field.m
    opened, closed = np.flatnonzero(plan), np.flatnonzero(~plan)
    come, out = [now.come], [now.out]
    net: list[IntArray] = [now.gain[now.come] - now.loss[now.out] + now.extra]
    if len(opened) and len(closed):
        easy = int(opened[np.argmin(now.loss[opened])])
        come.append(closed)
        out.append(np.full(len(closed), easy))
        net.append(now.gain[closed] - now.loss[easy])
    if n_open < field.k_max:
        come.append(closed)
        out.append(np.full(len(closed), -1))
        net.append(now.gain[closed])
    if n_open > field.k_min:
        come.append(np.full(len(opened), -1))
        out.append(opened)
        net.append(-now.loss[opened])
    comes, outs, nets = (np.concatenate(parts).astype(np.int64) for parts in (come, out, net))
    good = np.flatnonzero(nets > 0)
    order = good[np.lexsort((outs[good], comes[good], -nets[good]))]
    by_come = np.argsort(now.come, kind="stable")
    begins = np.searchsorted(now.come[by_come], np.arange(m + 1))
    taken = np.zeros(m, dtype=bool)
    chosen: list[tuple[int, int]] = []
    for at in order.tolist():
        j, r = int(comes[at]), int(outs[at])
        if chosen and (j < 0 or r < 0):
            continue  # how many may open or close is counted once in a round
        touched = [r] if r >= 0 else []
        if j >= 0:
            touched = [j, *touched, *now.out[by_come[begins[j] : begins[j + 1]]].tolist()]
        if taken[touched].any():
            continue
        taken[touched] = True
        chosen.append((j, r))
        if j < 0 or r < 0:
            break
    return chosen, int(nets[order[0]]) if len(order) else 0


def scale_for(total: float, whole: bool) -> float:
    """Units in 1 of cost, a power of two: 1 where all is whole, else as many as sums of ``total`` leave room for."""
    return 1.0 if whole else float(2.0 ** np.floor(60 - np.log2(max(total, 1.0))))


def in_units(price: FloatArray, scale: float) -> IntArray:
    """Prices in whole units."""
    return np.asarray(np.rint(price * scale).astype(np.int64))
