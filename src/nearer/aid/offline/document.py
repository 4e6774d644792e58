"""
What a desk takes with it, and what it sends back: plain JSON, the same for every kind of desk.

A card is never in a lease: only ``HMAC-SHA256(salt of the lease, card's hash)``, so that the lists of two leases cannot
be laid side by side and a found list names nobody. The ledger knows a household of a lease by its number on the list.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from nearer.aid import commands as c
from nearer.aid.clock import moment_text
from nearer.aid.households.cards import leased_hash
from nearer.aid.refusals import RefusedError
from nearer.aid.store import Store, sql_of

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$")]

MOST_CARDS = 20_000
"""Households on one list: more are not served in one day."""


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stocked(_Plain):
    """So much of a lot, in base units; lots are listed in the order in which they are to be given."""

    lot: c.Lot
    item: c.Code
    quantity: c.BaseUnits
    use_by: str | None = None


class Listed(_Plain):
    """A household that the desk may serve: its number on the list, its mark, what it has left, visits left."""

    claim: Annotated[int, Field(ge=1)]
    mark: Hash
    left: dict[c.Code, c.Count]
    visits: Annotated[int, Field(ge=0)] | None = None


class LeaseDocument(_Plain):
    """
    What a desk takes with it.

    ``units`` has the base units in each unit of an item, ``rules`` what a household gets by size (as pairs of the size
    from which on it holds and base units), for cards that are not on the list.
    """

    version: Literal[1] = 1
    ledger: str
    lease: c.Reference
    site: c.Code
    time_zone: str
    desk: c.Code
    programme: c.Code
    period: c.Code
    since: AwareDatetime
    until: AwareDatetime
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    units: dict[c.Code, dict[str, c.BaseUnits]]
    rules: dict[c.Code, list[tuple[int, int]]]
    stock: tuple[Stocked, ...]
    claims: tuple[Listed, ...]


class Entry(_Plain):
    """
    One hand-over in a desk's journal.

    ``claim`` is the household's number on the list; a card that is not on it has the hash ``card`` and the ``size``
    that was told. ``mark`` is the card's under the lease's salt, always.
    """

    id: Id
    lease: c.Reference
    moment: AwareDatetime
    by: c.Code
    mark: Hash
    claim: Annotated[int, Field(ge=1, le=10**6)] | None = None
    card: Hash | None = None
    size: Annotated[int, Field(ge=1, le=100)] | None = None
    lots: tuple[c.LotAmount, ...] = ()
    beyond: tuple[c.ItemAmount, ...] = ()
    proof: Literal["tap", "pin", "witness"] = "tap"
    witness: c.Code | None = None


class Card(NamedTuple):
    """
    A card that a lease may be of.

    Parameters
    ----------
    card
        Its hash (``nearer.aid.households.cards.card_hash``).
    tag, size
        Of its household in the lease's programme and period.
    """

    card: str
    tag: str
    size: int


def take_lease(
    store: Store,
    cards: Iterable[Card],
    *,
    site: str,
    desk: str,
    programme: str,
    period: str,
    until: datetime,
    lines: Iterable[c.Wanted] = (),
    id: str,
    actor: str,
    new_salt: Callable[[], bytes] = lambda: secrets.token_bytes(16),
) -> LeaseDocument:
    """
    Lease goods and households to a desk, and write what it takes with it.

    Sent again with the same id, cards and goods, the ledger is the same and the salt a new one.

    Raises
    ------
    RefusedError
        As the command ``lease``, or it is of nothing.
    """
    listed = sorted(cards, key=lambda card: card.tag)
    lines = tuple(lines)
    if not listed and not lines:
        raise RefusedError("There is nothing to take along: no goods were named, and no household is there for it.")
    if len(listed) > MOST_CARDS:
        raise RefusedError(
            "{number} households are too many for one desk; name those of {most} cards.",
            number=len(listed),
            most=MOST_CARDS,
        )
    command = c.Lease(
        site=site,
        desk=desk,
        programme=programme,
        period=period,
        until=until,
        lines=lines,
        claims=tuple(c.LeasedClaim(tag=card.tag, size=card.size) for card in listed),
    )
    answer = store.do(command, id=id, actor=actor, desk=desk)
    salt = new_salt()
    claims = [
        Listed(mark=leased_hash(salt, card.card), **line) for card, line in zip(listed, answer["claims"], strict=True)
    ]
    told = _read(store, answer["transaction"], site, programme, period)
    lots = told.pop("lots")
    return LeaseDocument(
        lease=answer["lease"],
        site=site,
        desk=desk,
        programme=programme,
        period=period,
        until=until,
        salt=salt.hex(),
        # In the order of their marks, so that the list tells no order of tags.
        claims=tuple(sorted(claims, key=lambda claim: claim.mark)),
        stock=tuple(
            Stocked(lot=line["lot"], quantity=line["quantity"], item=lots[line["lot"]][0], use_by=lots[line["lot"]][1])
            for line in answer["lines"]
        ),
        **told,
    )


def ledger_of(store: Store) -> str:
    """The ledger's own number."""
    with store.reading() as connection:
        row = sql_of(connection).one("SELECT id FROM transactions WHERE seq = 1")
    assert row is not None
    return str(row[0]).removeprefix("ledger-")


def _read(store: Store, seq: int, site: str, programme: str, period: str) -> dict[str, Any]:
    """What the ledger adds to a lease: its number, its moment, the site's clock, lots, units and rules."""
    with store.reading() as connection:
        sql = sql_of(connection)
        first = sql.one("SELECT id FROM transactions WHERE seq = 1")
        made = sql.one("SELECT at FROM transactions WHERE seq = ?", seq)
        zone = sql.one("SELECT time_zone FROM sites WHERE site = ?", site)
        assert first is not None
        assert made is not None
        assert zone is not None
        lots = sql.all(
            "SELECT DISTINCT l.lot, l.item, l.use_by FROM postings p JOIN lots l ON l.lot = p.lot WHERE p.seq = ?", seq
        )
        rules: dict[str, list[tuple[int, int]]] = {}
        for item, size, quantity in sql.all(
            "SELECT item, size_from, quantity FROM entitlement_rules WHERE programme = ? AND period = ? "
            "ORDER BY item, size_from",
            programme,
            period,
        ):
            rules.setdefault(item, []).append((int(size), int(quantity)))
        units: dict[str, dict[str, int]] = {}
        for item in sorted({*rules, *(lot[1] for lot in lots)}):
            base = sql.one("SELECT unit FROM items WHERE item = ?", item)
            assert base is not None
            more = sql.all("SELECT unit, base_units FROM item_units WHERE item = ? ORDER BY unit", item)
            units[item] = {str(base[0]): 1} | {str(unit): int(amount) for unit, amount in more}
    return {
        "ledger": str(first[0]).removeprefix("ledger-"),
        "since": made[0],
        "time_zone": zone[0],
        "units": units,
        "rules": rules,
        "lots": {lot: (item, use_by) for lot, item, use_by in lots},
    }


def plain(model: BaseModel) -> dict[str, Any]:
    """A lease or an entry as JSON, moments in UTC to the millisecond, without what holds nothing."""
    found = model.model_dump(mode="json", exclude_none=True)
    for name in ("since", "until", "moment"):
        if name in found:
            found[name] = moment_text(getattr(model, name))
    return found
