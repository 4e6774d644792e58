"""Sites, parties, items, programmes and their periods."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table

from nearer.aid.tables.kinds import above_zero, is_in, metadata, seq, whole, words

sites = Table(
    "sites",
    metadata,
    words("site"),
    seq(),
    words("kind"),
    words("name"),
    words("time_zone"),
    PrimaryKeyConstraint("site"),
    is_in("kind", ("centre", "hub", "partner")),
    Index(None, "seq"),
    sqlite_strict=True,
)

site_states = Table(
    "site_states",
    metadata,
    words("site", ForeignKey("sites.site")),
    seq(),
    words("state"),
    words("reason", null=True),
    PrimaryKeyConstraint("site", "seq"),
    is_in("state", ("open", "limited", "closed")),
    Index(None, "seq"),
    sqlite_strict=True,
)

parties = Table(
    "parties",
    metadata,
    words("party"),
    seq(),
    words("kind"),
    words("organisation", null=True),
    PrimaryKeyConstraint("party"),
    is_in("kind", ("organisation", "private")),
    # Whoever gives as a private person is a code and nothing else.
    CheckConstraint("(kind = 'organisation') = (organisation IS NOT NULL)", name="private_is_a_code"),
    Index(None, "seq"),
    sqlite_strict=True,
)

items = Table(
    "items",
    metadata,
    words("item"),
    seq(),
    words("kind"),
    words("name"),
    words("unit"),
    words("category", null=True),
    words("ifrc_code", null=True),
    PrimaryKeyConstraint("item"),
    is_in("kind", ("goods", "money")),
    Index(None, "seq"),
    sqlite_strict=True,
)

item_units = Table(
    "item_units",
    metadata,
    words("item", ForeignKey("items.item")),
    words("unit"),
    seq(),
    whole("base_units"),
    PrimaryKeyConstraint("item", "unit"),
    above_zero("base_units"),
    Index(None, "seq"),
    sqlite_strict=True,
)

recipes = Table(
    "recipes",
    metadata,
    words("recipe"),
    seq(),
    words("item", ForeignKey("items.item")),
    whole("quantity"),
    PrimaryKeyConstraint("recipe"),
    above_zero("quantity"),
    Index(None, "seq"),
    sqlite_strict=True,
)

recipe_lines = Table(
    "recipe_lines",
    metadata,
    words("recipe", ForeignKey("recipes.recipe")),
    words("item", ForeignKey("items.item")),
    seq(),
    whole("quantity"),
    PrimaryKeyConstraint("recipe", "item"),
    above_zero("quantity"),
    Index(None, "seq"),
    sqlite_strict=True,
)

programmes = Table(
    "programmes",
    metadata,
    words("programme"),
    seq(),
    words("name"),
    whole("visits", null=True),
    PrimaryKeyConstraint("programme"),
    above_zero("visits"),
    Index(None, "seq"),
    sqlite_strict=True,
)

periods = Table(
    "periods",
    metadata,
    words("programme", ForeignKey("programmes.programme")),
    words("period"),
    seq(),
    words("first_day"),
    words("last_day"),
    PrimaryKeyConstraint("programme", "period"),
    CheckConstraint("first_day <= last_day", name="days_in_order"),
    Index(None, "seq"),
    sqlite_strict=True,
)

entitlement_rules = Table(
    "entitlement_rules",
    metadata,
    words("programme"),
    words("period"),
    words("item", ForeignKey("items.item")),
    whole("size_from"),
    seq(),
    whole("quantity"),
    PrimaryKeyConstraint("programme", "period", "item", "size_from"),
    ForeignKeyConstraint(["programme", "period"], ["periods.programme", "periods.period"]),
    above_zero("size_from"),
    CheckConstraint("quantity >= 0", name="quantity_not_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)
