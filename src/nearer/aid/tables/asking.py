"""Requests, and what sharing needs to know: hours, room, vehicles, ways, targets."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, Table

from nearer.aid.tables.kinds import above_zero, is_in, metadata, seq, whole, words

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

measures = Table(
    "measures",
    metadata,
    words("item", ForeignKey("items.item")),
    seq(),
    whole("base_units"),
    whole("milligrams"),
    whole("cubic_mm"),
    whole("pack"),
    PrimaryKeyConstraint("item", "seq"),
    above_zero("base_units"),
    above_zero("milligrams"),
    CheckConstraint("cubic_mm >= 0", name="cubic_mm_not_below_zero"),
    above_zero("pack"),
    Index(None, "seq"),
    sqlite_strict=True,
)

hours = Table(
    "hours",
    metadata,
    words("site", ForeignKey("sites.site")),
    seq(),
    words("weekday"),
    words("opens", null=True),
    words("closes", null=True),
    PrimaryKeyConstraint("site", "seq", "weekday"),
    is_in("weekday", WEEKDAYS),
    CheckConstraint("(opens IS NULL) = (closes IS NULL)", name="opens_and_closes"),
    Index(None, "seq"),
    sqlite_strict=True,
)

capacities = Table(
    "capacities",
    metadata,
    words("site", ForeignKey("sites.site")),
    seq(),
    whole("grams", null=True),
    whole("millilitres", null=True),
    whole("cold_millilitres", null=True),
    PrimaryKeyConstraint("site", "seq"),
    CheckConstraint("grams >= 0 AND millilitres >= 0 AND cold_millilitres >= 0", name="none_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)

vehicles = Table(
    "vehicles",
    metadata,
    words("vehicle"),
    seq(),
    words("site", ForeignKey("sites.site")),
    whole("grams"),
    whole("millilitres", null=True),
    whole("trips"),
    PrimaryKeyConstraint("vehicle", "seq"),
    CheckConstraint("grams >= 0 AND millilitres >= 0 AND trips >= 0", name="none_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)

ways = Table(
    "ways",
    metadata,
    words("from_site", ForeignKey("sites.site")),
    words("to_site", ForeignKey("sites.site")),
    seq(),
    whole("seconds"),
    whole("days"),
    PrimaryKeyConstraint("from_site", "to_site", "seq"),
    CheckConstraint("seconds >= 0 AND days >= 0", name="none_below_zero"),
    CheckConstraint("from_site <> to_site", name="leads_elsewhere"),
    Index(None, "seq"),
    sqlite_strict=True,
)

targets = Table(
    "targets",
    metadata,
    words("site", ForeignKey("sites.site")),
    words("item", ForeignKey("items.item")),
    seq(),
    whole("minimum"),
    whole("target"),
    PrimaryKeyConstraint("site", "item", "seq"),
    CheckConstraint("0 <= minimum AND minimum <= target", name="minimum_within_target"),
    Index(None, "seq"),
    sqlite_strict=True,
)

requests = Table(
    "requests",
    metadata,
    words("request"),
    seq(),
    words("site", ForeignKey("sites.site")),
    words("for_programme", ForeignKey("programmes.programme"), null=True),
    words("needed_by", null=True),
    PrimaryKeyConstraint("request"),
    Index(None, "seq"),
    sqlite_strict=True,
)

request_lines = Table(
    "request_lines",
    metadata,
    words("request", ForeignKey("requests.request")),
    words("item", ForeignKey("items.item")),
    seq(),
    whole("quantity"),
    PrimaryKeyConstraint("request", "item"),
    above_zero("quantity"),
    Index(None, "seq"),
    sqlite_strict=True,
)

request_ends = Table(
    "request_ends",
    metadata,
    words("request", ForeignKey("requests.request")),
    seq(),
    words("outcome"),
    PrimaryKeyConstraint("request"),
    is_in("outcome", ("met", "withdrawn")),
    Index(None, "seq"),
    sqlite_strict=True,
)
