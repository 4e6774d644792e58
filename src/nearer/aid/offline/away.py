"""What is with cut-off desks, and which hand-overs went beyond the books."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from nearer.aid.clock import moment_text
from nearer.aid.store import Store
from nearer.aid.tables import (
    accounts,
    balances,
    conflicts,
    handovers,
    lease_claims,
    lease_ends,
    leases,
    offline_handovers,
    resolutions,
    transactions,
)


def leases_of(store: Store, *, open_only: bool = False) -> list[dict[str, Any]]:
    """
    Leases, in the order of their making.

    Returns
    -------
    list
        For each: lease, desk, site, programme, period, until, state (``away``, ``over`` where its time has passed and
        nobody has ended it, ``returned``, ``expired``), claims (households on its list), held (base units of all items
        that it still has by the books), handed_over (entries that have come in).
    """

    def count(table: sa.Table) -> Any:
        return sa.select(sa.func.count()).where(table.c.lease == leases.c.lease).scalar_subquery()

    held = (
        sa.select(sa.func.coalesce(sa.func.sum(balances.c.quantity), 0))
        .join(accounts, accounts.c.account == balances.c.account)
        .where(accounts.c.kind == "RESERVED", accounts.c.reference == leases.c.lease)
        .scalar_subquery()
    )
    wanted = (
        sa.select(
            leases.c.lease,
            leases.c.desk,
            leases.c.site,
            leases.c.programme,
            leases.c.period,
            leases.c.until,
            lease_ends.c.how,
            count(lease_claims).label("claims"),
            held.label("held"),
            count(offline_handovers).label("handed_over"),
        )
        .select_from(leases.outerjoin(lease_ends, lease_ends.c.lease == leases.c.lease))
        .order_by(leases.c.seq)
    )
    if open_only:
        wanted = wanted.where(lease_ends.c.lease.is_(None))
    now = moment_text(store.now())
    with store.reading() as connection:
        rows = [dict(row._mapping) for row in connection.execute(wanted)]
    found = []
    for row in rows:
        how = row.pop("how")
        state = how or ("away" if row["until"] > now else "over")
        found.append({**row, "state": state, "held": int(row["held"])})
    return found


def conflicts_of(store: Store, *, open_only: bool = True) -> list[dict[str, Any]]:
    """
    Conflicts, in the order of their coming; no household's tag is told.

    Returns
    -------
    list
        For each: conflict, kind, handover, site, programme, period, desk, at, lease (None at a connected desk), item,
        lot, quantity (base units), resolved (a reason, ``reversed`` where the hand-over was undone, or None).
    """
    undone = transactions.alias("undone")
    wanted = (
        sa.select(
            conflicts.c.conflict,
            conflicts.c.kind,
            conflicts.c.handover,
            handovers.c.site,
            handovers.c.programme,
            handovers.c.period,
            transactions.c.desk,
            transactions.c.at,
            offline_handovers.c.lease,
            conflicts.c.item,
            conflicts.c.lot,
            conflicts.c.quantity,
            sa.case((undone.c.seq.is_not(None), "reversed"), else_=resolutions.c.reason).label("resolved"),
        )
        .select_from(
            conflicts.join(handovers, handovers.c.handover == conflicts.c.handover)
            .join(transactions, transactions.c.seq == conflicts.c.seq)
            .outerjoin(offline_handovers, offline_handovers.c.handover == conflicts.c.handover)
            .outerjoin(resolutions, resolutions.c.conflict == conflicts.c.conflict)
            .outerjoin(undone, undone.c.reverses == conflicts.c.seq)
        )
        .order_by(conflicts.c.seq, sa.func.length(conflicts.c.conflict), conflicts.c.conflict)
    )
    with store.reading() as connection:
        rows = [dict(row._mapping) for row in connection.execute(wanted)]
    return [row for row in rows if row["resolved"] is None] if open_only else rows


def most_extra(store: Store) -> int:
    """How many times a household can at worst be served beyond its entitlement now: once by each desk that is away."""
    return len(leases_of(store, open_only=True))


def leased_out(store: Store, programme: str, period: str) -> set[str]:
    """Tags of the households in a programme's period that are with a desk that is away."""
    wanted = (
        sa.select(lease_claims.c.tag)
        .select_from(
            lease_claims.join(leases, leases.c.lease == lease_claims.c.lease).outerjoin(
                lease_ends, lease_ends.c.lease == leases.c.lease
            )
        )
        .where(
            lease_claims.c.programme == programme,
            lease_claims.c.period == period,
            lease_ends.c.lease.is_(None),
            leases.c.until > moment_text(store.now()),
        )
    )
    with store.reading() as connection:
        return set(connection.execute(wanted).scalars())
