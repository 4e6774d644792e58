"""Which households go with a lease."""

from __future__ import annotations

from collections.abc import Collection

from nearer.aid.households.book import entitled
from nearer.aid.households.cards import card_hash
from nearer.aid.households.store import Households
from nearer.aid.offline.away import leased_out
from nearer.aid.offline.document import Card
from nearer.aid.refusals import unknown
from nearer.aid.store import Store, sql_of
from nearer.errors import Fault, InputError


def cards_for(
    store: Store,
    people: Households | None,
    programme: str,
    period: str,
    site: str,
    tokens: Collection[str] | None,
    id: str,
    by: str,
) -> tuple[list[Card], int]:
    """
    The cards that a desk takes along, and how many are left out because another desk has them.

    Parameters
    ----------
    people
        Where cards are; without, there are none.
    site
        Whose households, where no cards are named.
    tokens
        Cards as scanned; None for all that are at home at the site.
    id
        Of the lease to come: what it has leased already, when its answer was lost, is not another desk's.
    by
        Who asks; the reading is logged.

    Raises
    ------
    InputError
        Cards are nobody's, or were replaced or blocked.
    RefusedError, UsageError
        There is no such period; a token is no card; the period's key is gone or not there.
    """
    if people is None:
        if tokens:
            raise InputError([Fault("there is no household database, so no card leads to a household", column="cards")])
        return [], 0
    _need_period(store, programme, period)  # before a key is made for what is not there
    found = entitled(people, programme, period, by=by, home=site if tokens is None else None)
    if tokens is not None:
        wanted = {card_hash(token) for token in tokens}
        if missing := len(wanted - {card.card for card in found}):
            raise InputError(
                [Fault(f"{missing} of the cards are nobody's, or were replaced or blocked", column="cards")]
            )
        found = [card for card in found if card.card in wanted]
    mine = _leased_by(store, id)
    away = leased_out(store, programme, period)
    chosen = [
        Card(card.card, card.tag, card.size)
        for card in found
        if (card.tag not in away if mine is None else card.tag in mine)
    ]
    return chosen, len(found) - len(chosen)


def _need_period(store: Store, programme: str, period: str) -> None:
    asked = "SELECT 1 FROM periods WHERE programme = ? AND period = ?"
    with store.reading() as connection:
        if sql_of(connection).one(asked, programme, period) is None:
            raise unknown(f"period of {programme}", period, "see `nearer aid list periods`")


def _leased_by(store: Store, id: str) -> set[str] | None:
    """Tags that the lease with an id has; None where it was not taken yet."""
    with store.reading() as connection:
        sql = sql_of(connection)
        if sql.one("SELECT seq FROM transactions WHERE id = ?", id) is None:
            return None
        rows = sql.all(
            "SELECT c.tag FROM transactions t JOIN leases l ON l.seq = t.seq JOIN lease_claims c ON c.lease = l.lease "
            "WHERE t.id = ?",
            id,
        )
    return {str(row[0]) for row in rows}
