"""Desks without a connection: leases, their hand-overs, conflicts and how these were resolved."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from nearer.aid.tables.households import CLAIM
from nearer.aid.tables.kinds import is_in, metadata, seq, whole, words

CONFLICTS = (
    "stock",  # more was given of a lot, or of an item, than the books held
    "claim",  # more than the household had left
    "visits",  # once more than the programme allows
    "unleased",  # a cut-off desk served a card that was not on its list
    "unknown-card",  # no household has that card
    "leased-out",  # the card was with a cut-off desk then
    "use-by",
    "recalled",
    "closed",  # the site was closed
    "clock",  # the desk's clock cannot have been right
)
"""What can be wrong with a hand-over that has physically happened."""

leases = Table(
    "leases",
    metadata,
    words("lease"),
    seq(),
    words("site", ForeignKey("sites.site")),
    words("desk"),
    words("programme"),
    words("period"),
    words("until"),
    PrimaryKeyConstraint("lease"),
    ForeignKeyConstraint(["programme", "period"], ["periods.programme", "periods.period"]),
    Index(None, "desk"),
    Index(None, "seq"),
    sqlite_strict=True,
)

lease_claims = Table(
    "lease_claims",
    metadata,
    words("lease", ForeignKey("leases.lease")),
    whole("claim"),
    seq(),
    words("programme"),
    words("period"),
    words("tag"),
    PrimaryKeyConstraint("lease", "claim"),
    UniqueConstraint("lease", "tag"),
    ForeignKeyConstraint(*CLAIM),
    Index(None, "programme", "period", "tag"),
    Index(None, "seq"),
    sqlite_strict=True,
)

lease_ends = Table(
    "lease_ends",
    metadata,
    words("lease", ForeignKey("leases.lease")),
    seq(),
    words("how"),
    PrimaryKeyConstraint("lease"),
    is_in("how", ("returned", "expired")),
    Index(None, "seq"),
    sqlite_strict=True,
)

offline_handovers = Table(
    "offline_handovers",
    metadata,
    words("handover", ForeignKey("handovers.handover")),
    seq(),
    words("lease", ForeignKey("leases.lease")),
    whole("claim", null=True),
    PrimaryKeyConstraint("handover"),
    ForeignKeyConstraint(["lease", "claim"], ["lease_claims.lease", "lease_claims.claim"]),
    Index(None, "lease"),
    Index(None, "seq"),
    sqlite_strict=True,
)

conflicts = Table(
    "conflicts",
    metadata,
    words("conflict"),
    seq(),
    words("handover", ForeignKey("handovers.handover")),
    words("kind"),
    words("item", ForeignKey("items.item"), null=True),
    words("lot", ForeignKey("lots.lot"), null=True),
    whole("quantity", null=True),
    PrimaryKeyConstraint("conflict"),
    is_in("kind", CONFLICTS),
    CheckConstraint("quantity > 0", name="quantity_above_zero"),
    Index(None, "handover"),
    Index(None, "seq"),
    sqlite_strict=True,
)

resolutions = Table(
    "resolutions",
    metadata,
    words("conflict", ForeignKey("conflicts.conflict")),
    seq(),
    words("reason"),
    PrimaryKeyConstraint("conflict"),
    Index(None, "seq"),
    sqlite_strict=True,
)
