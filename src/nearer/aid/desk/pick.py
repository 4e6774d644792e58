"""
Which lots to take: first-ended, first out, split over as many lots as it needs.

A lot is left out that is past its use-by day, recalled, or earmarked for something else. Of two that end on the same
day the earmarked one goes first, then the older.
"""

from __future__ import annotations

from nearer.aid.book import Book
from nearer.aid.refusals import NotEnoughError

NO_END = "9999-12-31"
"""When a lot ends that does not."""


def pick(
    book: Book,
    account: str,
    item: str,
    quantity: int,
    *,
    day: str,
    programme: str | None = None,
    site: str | None = None,
    to_buy: str | None = None,
    or_less: bool = False,
) -> list[tuple[str, int]]:
    """
    Take a quantity of an item from an account.

    Parameters
    ----------
    account
        Where from.
    item, quantity
        What, and how many base units.
    day
        The day that it is there.
    programme, site, to_buy
        What it is for: lots earmarked for another programme, another site or (money) another item are left alone.

    or_less
        Take what there is where there is not enough.

    Returns
    -------
    list
        Lot and quantity, in the order of taking.

    Raises
    ------
    NotEnoughError
        Says how much there is, and how much is left out and why.
    """
    rows = book.sql.all(
        "SELECT b.lot, b.quantity, l.use_by, r.lot, l.for_programme, l.for_site, l.for_item "
        "FROM balances b JOIN lots l ON l.lot = b.lot LEFT JOIN recalls r ON r.lot = b.lot "
        "WHERE b.account = ? AND b.quantity > 0 AND l.item = ? "
        "ORDER BY l.first_out, l.for_programme IS NULL AND l.for_site IS NULL AND l.for_item IS NULL, l.seq, l.line",
        account,
        item,
    )
    taken: list[tuple[str, int]] = []
    missing = quantity
    left_out: dict[str, int] = {}
    for lot, held, use_by, recalled, for_programme, for_site, for_item in rows:
        why = (
            "recalled"
            if recalled is not None
            else "past its use-by day"
            if use_by is not None and use_by < day
            else "earmarked for something else"
            if for_programme not in (None, programme) or for_site not in (None, site) or for_item not in (None, to_buy)
            else None
        )
        if why is not None:
            left_out[why] = left_out.get(why, 0) + held
        elif missing:
            take = min(missing, held)
            taken.append((lot, take))
            missing -= take
    if missing and not or_less:
        kind, place, reference = account.split(":", 2)
        where = place if kind == "STOCK" else reference
        besides = "".join(f"; {amount} more {'is' if amount == 1 else 'are'} {why}" for why, amount in left_out.items())
        raise NotEnoughError(
            "{where} has {there} {item} for this, not {asked}{besides}.",
            where=where,
            there=quantity - missing,
            item=item,
            asked=quantity,
            besides=besides,
        )
    return taken
