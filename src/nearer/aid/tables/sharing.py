"""Proposals of who gets what, and decisions about them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table

from nearer.aid.tables.kinds import above_zero, is_in, metadata, seq, whole, words

proposals = Table(
    "proposals",
    metadata,
    words("proposal"),
    seq(),
    words("kind"),
    whole("as_of", ForeignKey("transactions.seq")),
    words("first_day"),
    words("last_day"),
    words("inputs"),
    words("solver"),
    words("status"),
    PrimaryKeyConstraint("proposal"),
    is_in("kind", ("share", "crisis")),
    is_in("status", ("proven", "unproven", "stopped")),
    CheckConstraint("first_day <= last_day", name="days_in_order"),
    Index(None, "seq"),
    sqlite_strict=True,
)


def _of_proposal() -> Column[str]:
    return words("proposal", ForeignKey("proposals.proposal"))


proposal_stages = Table(
    "proposal_stages",
    metadata,
    _of_proposal(),
    whole("line"),
    seq(),
    words("stage"),
    words("unit"),
    words("value"),
    words("bound"),
    whole("proven"),
    PrimaryKeyConstraint("proposal", "line"),
    CheckConstraint("proven IN (0, 1)", name="proven_known"),
    Index(None, "seq"),
    sqlite_strict=True,
)

proposal_lines = Table(
    "proposal_lines",
    metadata,
    _of_proposal(),
    whole("line"),
    seq(),
    words("day"),
    words("arrives"),
    words("lot", ForeignKey("lots.lot")),
    words("from_site", ForeignKey("sites.site")),
    words("to_site", ForeignKey("sites.site")),
    words("for_site", ForeignKey("sites.site")),
    whole("quantity"),
    whole("onward"),
    PrimaryKeyConstraint("proposal", "line"),
    above_zero("quantity"),
    CheckConstraint("onward IN (0, 1)", name="onward_known"),
    Index(None, "seq"),
    sqlite_strict=True,
)

proposal_shares = Table(
    "proposal_shares",
    metadata,
    _of_proposal(),
    words("site", ForeignKey("sites.site")),
    words("item", ForeignKey("items.item")),
    seq(),
    whole("asked"),
    whole("given"),
    words("fair"),
    words("bound"),
    words("because"),
    PrimaryKeyConstraint("proposal", "site", "item"),
    above_zero("asked"),
    CheckConstraint("0 <= given AND given <= asked", name="given_within_asked"),
    Index(None, "seq"),
    sqlite_strict=True,
)

closures = Table(
    "closures",
    metadata,
    _of_proposal(),
    words("site", ForeignKey("sites.site")),
    seq(),
    words("reason"),
    PrimaryKeyConstraint("proposal", "site"),
    Index(None, "seq"),
    sqlite_strict=True,
)

surges = Table(
    "surges",
    metadata,
    _of_proposal(),
    words("site", ForeignKey("sites.site")),
    seq(),
    whole("per_mille"),
    PrimaryKeyConstraint("proposal", "site"),
    above_zero("per_mille"),
    Index(None, "seq"),
    sqlite_strict=True,
)

takeovers = Table(
    "takeovers",
    metadata,
    _of_proposal(),
    words("site", ForeignKey("sites.site")),
    words("to_site", ForeignKey("sites.site")),
    seq(),
    whole("per_mille"),
    PrimaryKeyConstraint("proposal", "site", "to_site"),
    above_zero("per_mille"),
    CheckConstraint("site <> to_site", name="by_another"),
    Index(None, "seq"),
    sqlite_strict=True,
)

decisions = Table(
    "decisions",
    metadata,
    _of_proposal(),
    seq(),
    words("outcome"),
    words("reason", null=True),
    PrimaryKeyConstraint("proposal"),
    is_in("outcome", ("approved", "declined")),
    Index(None, "seq"),
    sqlite_strict=True,
)

decision_lines = Table(
    "decision_lines",
    metadata,
    words("proposal"),
    whole("line"),
    seq(),
    words("reservation", ForeignKey("reservations.reservation")),
    PrimaryKeyConstraint("proposal", "line"),
    ForeignKeyConstraint(["proposal", "line"], ["proposal_lines.proposal", "proposal_lines.line"]),
    Index(None, "reservation"),
    Index(None, "seq"),
    sqlite_strict=True,
)
