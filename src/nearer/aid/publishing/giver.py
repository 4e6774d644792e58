"""
What a giver may know of a gift, by its thank-you number: how much was handed over, and never to whom.

Where and in which week is told only where at least k households were served from the gift there, and only of weeks that
are over: somebody who looks again and again then learns of a week at a time, and of no single hand-over.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

from nearer.aid.clock import local_day, moment_of
from nearer.aid.driver import Sql
from nearer.aid.refusals import unknown
from nearer.aid.seeing.origins import Origins
from nearer.aid.seeing.span import monday, week_name, zones
from nearer.aid.store import Store, sql_of

LEAST = 10

_HANDED_OVER = (
    "SELECT h.site, t.at, h.programme, h.period, h.tag, p.quantity FROM postings p "
    "JOIN accounts a ON a.account = p.account JOIN handovers h ON h.seq = p.seq JOIN transactions t ON t.seq = p.seq "
    "LEFT JOIN transactions r ON r.reverses = p.seq "
    "WHERE p.lot = ? AND a.kind = 'HANDED_OVER' AND p.quantity > 0 AND r.seq IS NULL"
)


def gift_of(store: Store, number: str, *, least: int = LEAST) -> dict[str, Any]:
    """
    The giver's view of a gift.

    Parameters
    ----------
    number
        The thank-you number.
    least
        Households that must have been served from the gift at a place in a week for it to be told.

    Returns
    -------
    dict
        ``until`` (the last day that counts, a Sunday) and ``gifts``: for each lot its item, what was given and handed
        over in base units (a share, rounded down, where it went into kits or purchases), and ``places``: site, week,
        quantity. Of money, what was handed over of the goods that it bought is told in money.

    Raises
    ------
    RefusedError
        There is no such number.
    """
    with store.reading() as connection:
        return _told(sql_of(connection), number, least, store.now())


def _told(sql: Sql, number: str, least: int, now: Any) -> dict[str, Any]:
    lots = sql.all(
        "SELECT l.lot, l.item, i.name, i.unit FROM lots l JOIN items i ON i.item = l.item WHERE l.thanks = ? "
        "ORDER BY l.seq, l.line",
        number,
    )
    if not lots:
        raise unknown("gift", number, "look at the number on the receipt")
    today = min((local_day(now, zone) for zone in zones(sql).values()), default=now.date())
    until = monday(today) - timedelta(days=1)
    zone_of = zones(sql)
    origins = Origins(sql)
    gifts = []
    for lot, item, name, unit in lots:
        total = Fraction(0)
        amounts: dict[tuple[str, str], Fraction] = {}
        households: dict[tuple[str, str], dict[tuple[str, str], set[str]]] = {}
        for made, share in origins.shares_of(lot).items():
            for site, at, programme, period, tag, quantity in sql.all(_HANDED_OVER, made):
                day = local_day(moment_of(at), zone_of[site])
                if day > until:
                    continue
                place = site, week_name(day)
                total += share * int(quantity)
                amounts[place] = amounts.get(place, Fraction(0)) + share * int(quantity)
                households.setdefault(place, {}).setdefault((programme, period), set()).add(tag)
        places = [
            {"site": place[0], "week": place[1], "quantity": int(amount)}
            for place, amount in sorted(amounts.items(), key=lambda entry: (entry[0][1], entry[0][0]))
            if max(len(tags) for tags in households[place].values()) >= least
        ]
        gifts.append(
            {
                "item": item,
                "name": name,
                "unit": unit,
                "given": origins.made(lot),
                "handed_over": int(total),
                "places": places,
            }
        )
    return {"thanks": number, "until": until.isoformat(), "least": least, "gifts": gifts}
