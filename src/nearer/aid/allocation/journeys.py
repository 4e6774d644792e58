"""Every way in which a lot can serve a request, and what it uses on the way, in sparse arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy.sparse import csc_array

from nearer.aid.allocation.case import Case
from nearer.units import BoolArray, FloatArray, IntArray


class Limit(IntEnum):
    """What can run short; the subject of a limit is a lot, a request, a link or a place."""

    LOT = 0
    ASKED = 1
    LINK_KG = 2
    LINK_LITRES = 3
    SEND_KG = 4
    SEND_LITRES = 5
    STORE_KG = 6
    STORE_LITRES = 7
    STORE_COLD = 8


NO_LINK = -1


@dataclass(frozen=True)
class Journeys:
    """
    Columns and rows of the linear programmes.

    A column is a journey: so much of a lot leaves its place on one day, goes over one link, over two with a stay at a
    hub, or over none where it lies at the centre already, and is handed over on the first day on which the centre is
    open, the request may be served and the goods are there. To hand over earlier never uses more, so nothing is lost.

    Parameters
    ----------
    goal, request, lot
        int32 (n_columns,), columns sorted by them, then by links and days. A goal is a pair of an item and a centre.
    link, day, link2, day2
        int32 (n_columns,): the links and the days of leaving; ``NO_LINK`` where there is none.
    handed
        int32 (n_columns,): day of handing over.
    upper
        float64 (n_columns,), base units: the most that a journey can carry.
    matrix
        (n_rows, n_columns): what one base unit uses of each limit.
    room
        float64 (n_rows,): what there is of it.
    limit, subject, limit_day
        int32 (n_rows,): what each row limits; day −1 where it holds for all days.
    goal_item, goal_centre
        int32 (n_goals,), positions; goals that some journey serves or not, sorted by item and centre.
    asked
        float64 (n_goals,), base units.
    start
        int64 (n_goals + 1,): the columns of each goal.
    goal_of_request
        int32 (n_requests,).
    """

    goal: IntArray
    request: IntArray
    lot: IntArray
    link: IntArray
    day: IntArray
    link2: IntArray
    day2: IntArray
    handed: IntArray
    upper: FloatArray
    matrix: csc_array
    room: FloatArray
    limit: IntArray
    subject: IntArray
    limit_day: IntArray
    goal_item: IntArray
    goal_centre: IntArray
    asked: FloatArray
    start: IntArray
    goal_of_request: IntArray

    @property
    def n_goals(self) -> int:
        """Pairs of an item and a centre that asks for it."""
        return len(self.asked)

    @property
    def n_columns(self) -> int:
        """Journeys."""
        return len(self.goal)

    @property
    def n_rows(self) -> int:
        """Limits that can bind."""
        return len(self.room)


def open_table(case: Case) -> BoolArray:
    """Whether each place is open on each day: bool (n_places, days)."""
    table = np.zeros((len(case.places), case.days), dtype=bool)
    for p, place in enumerate(case.places):
        table[p, sorted(place.open_days)] = True
    return table


def hand_over_days(case: Case) -> IntArray:
    """The first day from each day on when each request can be served: int32 (n_requests, days), −1 for never."""
    centre = np.array([r.centre for r in case.requests], dtype=np.int32)
    first = np.array([r.first for r in case.requests])
    last = np.array([r.last for r in case.requests])
    is_open = open_table(case)[centre] if len(centre) else np.zeros((0, case.days), dtype=bool)
    found = np.full((len(centre), case.days), -1, dtype=np.int32)
    later = np.full(len(centre), -1, dtype=np.int32)
    for day in range(case.days - 1, -1, -1):
        later = np.where(is_open[:, day] & (first <= day) & (day <= last), day, later).astype(np.int32)
        found[:, day] = later
    return found


@dataclass(frozen=True)
class _Ways:
    """Columns while they are gathered."""

    request: IntArray
    lot: IntArray
    link: IntArray
    day: IntArray
    link2: IntArray
    day2: IntArray
    handed: IntArray


def build_journeys(case: Case) -> Journeys:
    """List all journeys of a case and what they use; limits that cannot bind and journeys that differ in nothing go."""
    asked_of = np.array([r.quantity for r in case.requests], dtype=np.float64)
    keys = np.array([(r.item, r.centre) for r in case.requests], dtype=np.int64).reshape(-1, 2)
    pairs, goal_of_request = np.unique(keys, axis=0, return_inverse=True)
    goal_of_request = goal_of_request.reshape(-1).astype(np.int32)
    asked = np.bincount(goal_of_request, weights=asked_of, minlength=len(pairs)).astype(np.float64)

    ways = _ways(case)
    order = np.lexsort(
        (ways.day2, ways.day, ways.link2, ways.link, ways.lot, ways.request, goal_of_request[ways.request])
    )
    ways = _Ways(*(np.asarray(getattr(ways, name))[order] for name in _Ways.__dataclass_fields__))
    row_key, column, value = _uses(case, ways)
    goal = goal_of_request[ways.request]
    # The last pack for a request may hold more than is asked for.
    largest = np.zeros(len(asked_of))
    np.maximum.at(largest, ways.request, np.array([lot.pack - 1 for lot in case.lots] or [0])[ways.lot])
    brought = asked + np.bincount(goal_of_request, weights=largest, minlength=len(pairs))
    keep_row, row_of, room = _rows(case, row_key, column, value, goal, brought, ways.lot)
    kept = row_of >= 0
    matrix = csc_array((value[kept], (row_of[kept], column[kept])), shape=(len(keep_row), len(goal)))
    ways, matrix = _without_twins(ways, matrix)
    goal = goal_of_request[ways.request]
    limit, rest = np.divmod(keep_row, _KIND)
    subject, day = np.divmod(rest, case.days + 1)
    quantity = np.array([lot.quantity for lot in case.lots], dtype=np.float64)
    return Journeys(
        goal=goal, request=ways.request, lot=ways.lot, link=ways.link, day=ways.day, link2=ways.link2, day2=ways.day2,
        handed=ways.handed, upper=np.minimum(quantity[ways.lot], asked_of[ways.request]) if len(goal) else np.zeros(0),
        matrix=matrix, room=room, limit=limit.astype(np.int32), subject=subject.astype(np.int32),
        limit_day=(day - 1).astype(np.int32), goal_item=pairs[:, 0].astype(np.int32),
        goal_centre=pairs[:, 1].astype(np.int32), asked=asked,
        start=np.searchsorted(goal, np.arange(len(pairs) + 1)).astype(np.int64), goal_of_request=goal_of_request,
    )  # fmt: skip


_KIND = 1 << 40
"""Row keys are kind · this + subject · (days + 1) + day + 1."""


def _ways(case: Case) -> _Ways:
    lots, requests = case.lots, case.requests
    by_item: dict[int, tuple[list[int], list[int]]] = {}
    for i, goods in enumerate(lots):
        by_item.setdefault(goods.item, ([], []))[0].append(i)
    for i, asks in enumerate(requests):
        by_item.setdefault(asks.item, ([], []))[1].append(i)
    grids = [np.meshgrid(ls, rs, indexing="ij") for ls, rs in by_item.values() if ls and rs]
    none = np.zeros(0, dtype=np.int32)
    lot = np.concatenate([g[0].ravel() for g in grids] or [none]).astype(np.int32)
    request = np.concatenate([g[1].ravel() for g in grids] or [none]).astype(np.int32)
    programmes = {name: k for k, name in enumerate(sorted({r.programme for r in requests}))}
    wants = np.array([programmes[r.programme] for r in requests], dtype=np.int64)
    only = np.array([-1 if x.programme is None else programmes.get(x.programme, -2) for x in lots], dtype=np.int64)
    for_centre = np.array([-1 if x.centre is None else x.centre for x in lots], dtype=np.int64)
    centre_of = np.array([r.centre for r in requests], dtype=np.int64)
    allowed = ((only[lot] == -1) | (only[lot] == wants[request])) & (
        (for_centre[lot] == -1) | (for_centre[lot] == centre_of[request])
    )
    lot, request = lot[allowed], request[allowed]

    days = case.days
    first = np.array([x.first for x in lots], dtype=np.int64)
    last = np.array([days - 1 if x.last is None else min(x.last, days - 1) for x in lots], dtype=np.int64)
    place = np.array([x.place for x in lots], dtype=np.int64)
    is_open, hand_over = open_table(case), hand_over_days(case)
    n_places = len(case.places)
    link_at = np.full((n_places, n_places), NO_LINK, dtype=np.int64)
    for i, way in enumerate(case.links):
        link_at[way.origin, way.to] = i
    takes = np.array([x.days for x in case.links], dtype=np.int64)
    parts: list[tuple[IntArray, ...]] = []

    def keep(r: IntArray, x: IntArray, l1: IntArray, d1: IntArray, l2: IntArray, d2: IntArray, there: IntArray) -> None:
        """Keep the journeys whose goods can be handed over in time."""
        handed = hand_over[r, there]
        good = (handed >= 0) & (handed <= last[x])
        parts.append(tuple(np.asarray(a[good], dtype=np.int32) for a in (r, x, l1, d1, l2, d2, handed)))

    here = place[lot] == centre_of[request]
    own_lot, own_request = lot[here], request[here]
    inside = first[own_lot] < days
    own_lot, own_request = own_lot[inside], own_request[inside]
    absent = np.full(len(own_lot), NO_LINK)
    keep(own_request, own_lot, absent, absent, absent, absent, first[own_lot])

    link = link_at[place[lot], centre_of[request]]
    direct = ~here & (link >= 0)
    x, r, over = (np.repeat(a[direct], days) for a in (lot, request, link))
    day = np.tile(np.arange(days), int(direct.sum()))
    there = day + takes[over] if len(over) else day
    good = (day >= first[x]) & (there < days)
    x, r, over, day, there = (a[good] for a in (x, r, over, day, there))
    good = is_open[place[x], day] & is_open[centre_of[r], there]
    x, r, over, day, there = (a[good] for a in (x, r, over, day, there))
    absent = np.full(len(x), NO_LINK)
    keep(r, x, over, day, absent, absent, there)

    far = ~here & (link < 0)
    for hub in (p for p, at in enumerate(case.places) if at.hub):
        to_hub, from_hub = link_at[place[lot], hub], link_at[hub, centre_of[request]]
        via = far & (to_hub >= 0) & (from_hub >= 0) & (place[lot] != hub)
        if not via.any():
            continue
        both = [(a, b) for a in range(days) for b in range(a, days)]
        x, r, one, two = (np.repeat(a[via], len(both)) for a in (lot, request, to_hub, from_hub))
        left, onward = (np.tile(np.array(a), int(via.sum())) for a in zip(*both, strict=True))
        at_hub, there = left + takes[one], onward + takes[two]
        good = (left >= first[x]) & (at_hub <= onward) & (there < days)
        x, r, one, two, left, onward, at_hub, there = (a[good] for a in (x, r, one, two, left, onward, at_hub, there))
        good = is_open[place[x], left] & is_open[hub, at_hub] & is_open[hub, onward] & is_open[centre_of[r], there]
        x, r, one, two, left, onward, there = (a[good] for a in (x, r, one, two, left, onward, there))
        keep(r, x, one, left, two, onward, there)
    return _Ways(*(np.concatenate([part[k] for part in parts]) for k in range(7)))


def _uses(case: Case, ways: _Ways) -> tuple[IntArray, IntArray, FloatArray]:
    """Entries of the matrix: row key int64, column int64, value float64 per base unit."""
    n, span = len(ways.lot), case.days + 1
    column = np.arange(n)
    item = np.array([x.item for x in case.lots], dtype=np.int64)[ways.lot] if n else np.zeros(0, dtype=np.int64)
    kg = np.array([x.kg for x in case.items])[item] if n else np.zeros(0)
    litres = np.array([x.litres for x in case.items])[item] if n else np.zeros(0)
    cold = np.array([x.cold for x in case.items], dtype=bool)[item] if n else np.zeros(0, dtype=bool)
    keys: list[IntArray] = []
    columns: list[IntArray] = []
    values: list[FloatArray] = []

    def use(limit: Limit, subject: IntArray, day: IntArray, at: IntArray, value: FloatArray) -> None:
        some = value != 0
        keys.append((limit * _KIND + subject.astype(np.int64) * span + day + 1)[some])
        columns.append(at[some])
        values.append(value[some])

    ones = np.ones(n)
    use(Limit.LOT, ways.lot, np.full(n, -1), column, ones)
    use(Limit.ASKED, ways.request, np.full(n, -1), column, ones)
    place = np.array([x.place for x in case.lots], dtype=np.int64)[ways.lot] if n else np.zeros(0, dtype=np.int64)
    takes = np.array([x.days for x in case.links] or [0], dtype=np.int64)
    to = np.array([x.to for x in case.links] or [0], dtype=np.int64)
    for link, day in ((ways.link, ways.day), (ways.link2, ways.day2)):
        gone = np.flatnonzero(link >= 0)
        origin = np.array([x.origin for x in case.links] or [0], dtype=np.int64)[link[gone]]
        for limit, subject in ((Limit.LINK_KG, link[gone]), (Limit.SEND_KG, origin)):
            use(limit, subject, day[gone], gone, kg[gone])
            use(Limit(limit + 1), subject, day[gone], gone, litres[gone])

    def stays(at: IntArray, where: IntArray, come: IntArray, go: IntArray, sign: float) -> None:
        """Goods lie at a place from one day to another, both included."""
        for day in range(case.days):
            lies = (come <= day) & (day <= go)
            where_lies, at_lies = where[lies], at[lies]
            days = np.full(len(at_lies), day)
            warm = ~cold[at_lies]
            use(Limit.STORE_KG, where_lies[warm], days[warm], at_lies[warm], sign * kg[at_lies[warm]])
            use(Limit.STORE_LITRES, where_lies[warm], days[warm], at_lies[warm], sign * litres[at_lies[warm]])
            use(Limit.STORE_COLD, where_lies[~warm], days[~warm], at_lies[~warm], sign * litres[at_lies[~warm]])

    gone = np.flatnonzero((ways.link >= 0) & (ways.link2 < 0))
    stays(gone, to[ways.link[gone]], (ways.day + takes[ways.link])[gone], ways.handed[gone], 1.0)
    twice = np.flatnonzero(ways.link2 >= 0)
    stays(twice, to[ways.link[twice]], (ways.day + takes[ways.link])[twice], ways.day2[twice], 1.0)
    stays(twice, to[ways.link2[twice]], (ways.day2 + takes[ways.link2])[twice], ways.handed[twice], 1.0)
    # What leaves makes room from the next day on, as long as it would have lain there.
    last = np.array(
        [case.days - 1 if x.last is None else min(x.last, case.days - 1) for x in case.lots], dtype=np.int64
    )
    leaves = np.where(ways.link >= 0, ways.day, ways.handed)
    stays(column, place, leaves + 1, last[ways.lot] if n else leaves, -1.0)
    return np.concatenate(keys), np.concatenate(columns), np.concatenate(values)


def _rows(
    case: Case, key: IntArray, column: IntArray, value: FloatArray, goal: IntArray, asked: FloatArray, lot: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Keys of the rows that can bind, the row of each entry (−1 for none), and the room of each row."""
    unique, row = np.unique(key, return_inverse=True)
    limit, rest = np.divmod(unique, _KIND)
    subject, day = np.divmod(rest, case.days + 1)
    day = day - 1
    room = np.full(len(unique), np.inf)
    lying = _lying(case)
    overfull = np.zeros(len(unique), dtype=bool)
    for i in range(len(unique)):
        at = int(subject[i])
        kind = Limit(int(limit[i]))
        if kind == Limit.LOT:
            room[i] = case.lots[at].quantity
        elif kind == Limit.ASKED:
            room[i] = case.requests[at].quantity
        elif kind in (Limit.LINK_KG, Limit.LINK_LITRES):
            room[i] = case.links[at].kg if kind == Limit.LINK_KG else case.links[at].litres
        elif kind in (Limit.SEND_KG, Limit.SEND_LITRES):
            place = case.places[at]
            send, taken = (
                (place.send_kg, place.taken_kg) if kind == Limit.SEND_KG else (place.send_litres, place.taken_litres)
            )
            room[i] = max(0.0, send - taken[int(day[i])]) if taken else send
        else:
            place = case.places[at]
            which = int(kind - Limit.STORE_KG)
            left = (place.store_kg, place.store_litres, place.store_cold_litres)[which] - lying[which, at, int(day[i])]
            room[i], overfull[i] = max(0.0, left), left < 0
    # Where more lies than should, nothing comes in on top, whatever leaves.
    counted = ~(overfull[row] & (value < 0))
    quantity = np.array([x.quantity for x in case.lots], dtype=np.float64)
    used = np.maximum(value, 0)
    most = _most(row, goal[column], used, asked, len(unique))
    by_lots = _most(row, lot[column], used, quantity, len(unique))
    most = np.where(limit == Limit.LOT, most, np.minimum(most, by_lots))
    # Each request counts within its own quantity where its pair has several; a pair's own row does that for one.
    binds = most > room * (1 + 1e-12)
    several = np.bincount([r.centre * len(case.items) + r.item for r in case.requests] or [0])
    ask = limit == Limit.ASKED
    asking = [case.requests[s] for s in subject[ask]]
    pair = np.array([r.centre * len(case.items) + r.item for r in asking], dtype=np.int64)
    binds[ask] = several[pair] > 1 if len(pair) else False
    place_of = np.full(len(unique), -1)
    place_of[binds] = np.arange(int(binds.sum()))
    return unique[binds], np.where(counted, place_of[row], -1), room[binds]


def _most(row: IntArray, group: IntArray, value: FloatArray, size: FloatArray, n_rows: int) -> FloatArray:
    """The most that each row can be used, if each group uses its dearest entry in full."""
    if not len(row):
        return np.zeros(n_rows)
    key = row.astype(np.int64) * len(size) + group
    order = np.argsort(key, kind="stable")
    key, ordered = key[order], value[order]
    begins = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    dearest = np.maximum.reduceat(ordered, begins)
    worth = dearest * size[key[begins] % len(size)]
    return np.bincount(key[begins] // len(size), weights=worth, minlength=n_rows).astype(np.float64)


def _lying(case: Case) -> FloatArray:
    """What lies at each place if nothing moves: float64 (kg, litres and cold litres; n_places, days)."""
    table = np.zeros((3, len(case.places), case.days))
    for lot in case.lots:
        item = case.items[lot.item]
        last = case.days - 1 if lot.last is None else min(lot.last, case.days - 1)
        span = slice(lot.first, last + 1)
        if item.cold:
            table[2, lot.place, span] += lot.quantity * item.litres
        else:
            table[0, lot.place, span] += lot.quantity * item.kg
            table[1, lot.place, span] += lot.quantity * item.litres
    return table


def _without_twins(ways: _Ways, matrix: csc_array) -> tuple[_Ways, csc_array]:
    """Of journeys of one lot for one request that use the same of everything, keep the first."""
    n = len(ways.lot)
    if n == 0:
        return ways, matrix
    rng = np.random.default_rng(0)
    print_a, print_b = (matrix.T @ rng.uniform(1, 2, matrix.shape[0]) for _ in range(2))
    # The first of its twins is the first in the order of columns, which has days last.
    table = np.column_stack([ways.request, ways.lot, ways.link, ways.link2, print_a, print_b])
    _, first = np.unique(table, axis=0, return_index=True)
    first.sort()
    kept = _Ways(*(np.asarray(getattr(ways, name))[first] for name in _Ways.__dataclass_fields__))
    return kept, csc_array(matrix[:, first])
