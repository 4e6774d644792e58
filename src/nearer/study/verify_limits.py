"""What each turn of several objectives must keep of those before it, and what its certificate proves under that."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model import Certificate
from nearer.model.check import certified_bound
from nearer.model.check_center import certified_dearest
from nearer.planning.document import Turn
from nearer.study.verify_facts import Facts, Kept, Term
from nearer.study.verify_twofold import proven_twice
from nearer.units import FloatArray, minutes_to_ms

_MS = 60_000.0


def everyone_kept(facts: Facts) -> list[Kept]:
    """The rule that everyone is near, where there is one."""
    within_min = facts.recount.study.plan.everyone_within_min
    if within_min is None:
        return []
    term = facts.farther(minutes_to_ms(within_min), each=True)
    return [Kept("everyone_within", term, term.paid(facts.possible), hard=True)]


def no_farther(facts: Facts, name: str, within_ms: float, most: float) -> Kept:
    """At most so many people are farther than a time; row by row, where only those are left whom no site can serve."""
    people, rows = facts.farther(within_ms), facts.farther(within_ms, each=True)
    if most <= people.paid(facts.possible) * (1 + 1e-12):
        return Kept(name, rows, rows.paid(facts.possible), hard=True)
    return Kept(name, people, most)


def next_limits(facts: Facts, turn: Turn, limits: list[Kept], most_open: int | None) -> tuple[list[Kept], int | None]:
    """What the turns after this one must keep."""
    study = facts.recount.study
    limit_ms = minutes_to_ms(study.streets.limit_min)
    if turn.name == "cost":
        share = _share(facts)
        if facts.price is None:
            high = facts.recount.to_open[1] - int(facts.forced.sum())
            n_forced = int(facts.forced.sum())
            found = round(turn.found) - n_forced
            return [*limits, share], min(math.floor(found * (1 + turn.tolerance)), high)
        own = Kept("cost", None, turn.found * (1 + turn.tolerance), price=_free_price(facts))
        return [*limits, own, share], most_open
    if turn.name == "unreached":
        return [*limits, no_farther(facts, "unreached", limit_ms, turn.found)], most_open
    if turn.name == "farthest":
        within_ms = math.floor(round(turn.found * _MS) * (1 + turn.tolerance))
        others = [limit for limit in limits if limit.name != "unreached"]
        return [*others, no_farther(facts, "farthest", within_ms, _left(facts, limits))], most_open
    term = facts.term(turn.name)
    kept = turn.found * (1 - turn.tolerance if turn.name == "coverage" else 1 + turn.tolerance)
    most = facts.out_of_unit(turn.name, kept)
    if turn.name == "coverage" and study.plan.decay_min is None and most <= term.paid(facts.possible) * (1 + 1e-12):
        rows = Term((facts.weight > 0).astype(np.float64), term.cost)
        return [*limits, Kept(turn.name, rows, rows.paid(facts.possible), hard=True)], most_open
    return [*limits, Kept(turn.name, term, most)], most_open


def _left(facts: Facts, limits: list[Kept]) -> float:
    """People that the limit on who is out of reach leaves out."""
    reach = next(limit for limit in limits if limit.name == "unreached")
    return facts.term("unreached").paid(facts.possible) if reach.hard else reach.most


def _share(facts: Facts) -> Kept:
    plan, everyone = facts.recount.study.plan, math.fsum(facts.people)
    term = facts.farther(minutes_to_ms(plan.coverage_min))
    return Kept("within_share", term, everyone - (plan.within_share or 0.0) * everyone * (1 - 1e-12))


def _free_price(facts: Facts) -> FloatArray:
    assert facts.price is not None
    return facts.price


def proven(
    facts: Facts,
    turn: Turn,
    limits: list[Kept],
    most_open: int | None,
    certificate: Callable[[], Certificate],
) -> float:
    """What the certificate of a turn proves, in its unit."""
    n_forced = int(facts.forced.sum())
    if turn.name == "farthest":
        bound_ms = round(turn.bound * _MS)
        if bound_ms == 0:
            return 0.0
        if all(limit.hard for limit in limits):
            return certified_dearest(facts.centre(limits), certificate(), round(turn.found * _MS)) / _MS
        others = [limit for limit in limits if limit.name != "unreached"]
        at_least = evaluated(facts, facts.farther(bound_ms - 1), others, turn.prices, certificate(), most_open)
        return turn.bound if at_least > _left(facts, limits) * (1 + 1e-12) else 0.0
    if turn.name == "cost" and facts.price is None:
        few = round(turn.bound) - n_forced - 1
        if few < 0:
            return turn.bound if round(turn.bound) <= n_forced else 0.0
        share = _share(facts)
        assert share.term is not None
        at_least = evaluated(facts, share.term, limits, turn.prices, certificate(), few)
        return turn.bound if at_least > share.most * (1 + 1e-12) else 0.0
    if turn.name == "cost":
        kept = [*limits, _share(facts)]
        return evaluated(facts, None, kept, turn.prices, certificate(), most_open, _free_price(facts))
    if turn.name == "coverage" and facts.second_share is not None:
        return proven_twice(facts, certificate())
    total = evaluated(facts, facts.term(turn.name), limits, turn.prices, certificate(), most_open)
    return facts.in_unit(turn.name, max(total, 0.0))


def evaluated(
    facts: Facts,
    term: Term | None,
    limits: list[Kept],
    prices: dict[str, float],
    certificate: Certificate,
    most_open: int | None,
    site_price: FloatArray | None = None,
) -> float:
    """Least total cost of a term that a certificate proves, limits priced in and what they allow taken off."""
    terms = [(1.0, term)] if term is not None else []
    price, shift = np.zeros(len(facts.forced)) if site_price is None else site_price.copy(), 0.0
    for limit in limits:
        mu = prices.get(limit.name, 0.0)
        if not (math.isfinite(mu) and mu >= 0):
            raise CheckFailedError(f"The price {mu!r} of a limit is none.")
        if limit.term is not None and mu > 0:
            terms.append((mu, limit.term))
        if limit.price is not None:
            price = price + mu * limit.price
        shift += mu * limit.most
    instance = facts.instance(terms, most_open, price if np.any(price) else None)
    total = certified_bound(instance, certificate) - shift
    whole = facts.instance([(1.0, term)] if term is not None else [], most_open, site_price).whole
    return float(math.ceil(total - 1e-9 * max(abs(total), 1.0))) if whole and math.isfinite(total) else total
