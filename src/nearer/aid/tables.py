"""
The ledger's tables.

Every table but ``head``, ``balances`` and ``allowances`` is a journal table: rows are inserted once, carry the number
of the transaction that made them (``seq``), are covered by the hash chain, and triggers refuse to change them. The
three others are sums of journal rows, kept so that a question is quick; ``nearer.aid.audit`` proves them.

Days are text ``YYYY-MM-DD``, moments UTC text ``YYYY-MM-DDTHH:MM:SS.sssZ``, truths 0 or 1: what is read back is the
same on every database.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from nearer.aid.accounts import KINDS, UNBOUNDED

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

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

_WHOLE = BigInteger().with_variant(Integer(), "sqlite")
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def _whole(name: str, *more: ForeignKey, null: bool = False) -> Column[int]:
    return Column(name, _WHOLE, *more, nullable=null, autoincrement=False)


def _text(name: str, *more: ForeignKey, null: bool = False) -> Column[str]:
    return Column(name, _TEXT, *more, nullable=null)


def _seq() -> Column[int]:
    return _whole("seq", ForeignKey("transactions.seq"))


def _is_in(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(v) for v in values)})", name=f"{column}_known")


def _above_zero(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} > 0", name=f"{column}_above_zero")


transactions = Table(
    "transactions",
    metadata,
    _whole("seq"),
    _text("id"),
    _text("kind"),
    _text("at"),
    _text("recorded_at"),
    _text("actor"),
    _text("desk"),
    _text("body_hash"),
    _whole("reverses", ForeignKey("transactions.seq"), null=True),
    _text("answer"),
    PrimaryKeyConstraint("seq"),
    UniqueConstraint("id"),
    UniqueConstraint("reverses"),
    sqlite_strict=True,
)

chain = Table(
    "chain",
    metadata,
    _seq(),
    _text("previous"),
    _text("parts"),
    _text("hash"),
    PrimaryKeyConstraint("seq"),
    sqlite_strict=True,
)

accounts = Table(
    "accounts",
    metadata,
    _text("account"),
    _seq(),
    _text("kind"),
    _text("site"),
    _text("reference"),
    PrimaryKeyConstraint("account"),
    _is_in("kind", KINDS),
    CheckConstraint("account = kind || ':' || site || ':' || reference", name="named_by_its_parts"),
    Index(None, "kind", "site"),
    Index(None, "seq"),
    sqlite_strict=True,
)

sites = Table(
    "sites",
    metadata,
    _text("site"),
    _seq(),
    _text("kind"),
    _text("name"),
    _text("time_zone"),
    PrimaryKeyConstraint("site"),
    _is_in("kind", ("centre", "hub", "partner")),
    Index(None, "seq"),
    sqlite_strict=True,
)

site_states = Table(
    "site_states",
    metadata,
    _text("site", ForeignKey("sites.site")),
    _seq(),
    _text("state"),
    _text("reason", null=True),
    PrimaryKeyConstraint("site", "seq"),
    _is_in("state", ("open", "limited", "closed")),
    Index(None, "seq"),
    sqlite_strict=True,
)

parties = Table(
    "parties",
    metadata,
    _text("party"),
    _seq(),
    _text("kind"),
    _text("organisation", null=True),
    PrimaryKeyConstraint("party"),
    _is_in("kind", ("organisation", "private")),
    # Whoever gives as a private person is a code and nothing else.
    CheckConstraint("(kind = 'organisation') = (organisation IS NOT NULL)", name="private_is_a_code"),
    Index(None, "seq"),
    sqlite_strict=True,
)

items = Table(
    "items",
    metadata,
    _text("item"),
    _seq(),
    _text("kind"),
    _text("name"),
    _text("unit"),
    _text("category", null=True),
    _text("ifrc_code", null=True),
    PrimaryKeyConstraint("item"),
    _is_in("kind", ("goods", "money")),
    Index(None, "seq"),
    sqlite_strict=True,
)

item_units = Table(
    "item_units",
    metadata,
    _text("item", ForeignKey("items.item")),
    _text("unit"),
    _seq(),
    _whole("base_units"),
    PrimaryKeyConstraint("item", "unit"),
    _above_zero("base_units"),
    Index(None, "seq"),
    sqlite_strict=True,
)

recipes = Table(
    "recipes",
    metadata,
    _text("recipe"),
    _seq(),
    _text("item", ForeignKey("items.item")),
    _whole("quantity"),
    PrimaryKeyConstraint("recipe"),
    _above_zero("quantity"),
    Index(None, "seq"),
    sqlite_strict=True,
)

recipe_lines = Table(
    "recipe_lines",
    metadata,
    _text("recipe", ForeignKey("recipes.recipe")),
    _text("item", ForeignKey("items.item")),
    _seq(),
    _whole("quantity"),
    PrimaryKeyConstraint("recipe", "item"),
    _above_zero("quantity"),
    Index(None, "seq"),
    sqlite_strict=True,
)

programmes = Table(
    "programmes",
    metadata,
    _text("programme"),
    _seq(),
    _text("name"),
    _whole("visits", null=True),
    PrimaryKeyConstraint("programme"),
    _above_zero("visits"),
    Index(None, "seq"),
    sqlite_strict=True,
)

periods = Table(
    "periods",
    metadata,
    _text("programme", ForeignKey("programmes.programme")),
    _text("period"),
    _seq(),
    _text("first_day"),
    _text("last_day"),
    PrimaryKeyConstraint("programme", "period"),
    CheckConstraint("first_day <= last_day", name="days_in_order"),
    Index(None, "seq"),
    sqlite_strict=True,
)

entitlement_rules = Table(
    "entitlement_rules",
    metadata,
    _text("programme"),
    _text("period"),
    _text("item", ForeignKey("items.item")),
    _whole("size_from"),
    _seq(),
    _whole("quantity"),
    PrimaryKeyConstraint("programme", "period", "item", "size_from"),
    ForeignKeyConstraint(["programme", "period"], ["periods.programme", "periods.period"]),
    _above_zero("size_from"),
    CheckConstraint("quantity >= 0", name="quantity_not_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)

lots = Table(
    "lots",
    metadata,
    _text("lot"),
    _seq(),
    _whole("line"),
    _text("origin"),
    _text("item", ForeignKey("items.item")),
    _text("giver", ForeignKey("parties.party"), null=True),
    _text("use_by", null=True),
    _text("best_before", null=True),
    _text("first_out"),
    _whole("cold"),
    _whole("value", null=True),
    _text("currency", null=True),
    _text("for_programme", ForeignKey("programmes.programme"), null=True),
    _text("for_site", ForeignKey("sites.site"), null=True),
    _text("for_item", ForeignKey("items.item"), null=True),
    _text("thanks", null=True),
    PrimaryKeyConstraint("lot"),
    _is_in("origin", ("gift", "purchase", "conversion", "count")),
    CheckConstraint("(origin = 'gift') = (giver IS NOT NULL)", name="gift_has_giver"),
    CheckConstraint("cold IN (0, 1)", name="cold_known"),
    Index(None, "item"),
    Index(None, "seq"),
    Index(None, "thanks"),
    sqlite_strict=True,
)

lot_sources = Table(
    "lot_sources",
    metadata,
    _text("lot", ForeignKey("lots.lot")),
    _text("source", ForeignKey("lots.lot")),
    _seq(),
    _whole("quantity"),
    PrimaryKeyConstraint("lot", "source"),
    _above_zero("quantity"),
    Index(None, "source"),
    Index(None, "seq"),
    sqlite_strict=True,
)

recalls = Table(
    "recalls",
    metadata,
    _text("lot", ForeignKey("lots.lot")),
    _seq(),
    _text("reason"),
    PrimaryKeyConstraint("lot"),
    Index(None, "seq"),
    sqlite_strict=True,
)

pledges = Table(
    "pledges",
    metadata,
    _text("pledge"),
    _seq(),
    _text("lot", ForeignKey("lots.lot")),
    PrimaryKeyConstraint("pledge"),
    Index(None, "seq"),
    sqlite_strict=True,
)

reservations = Table(
    "reservations",
    metadata,
    _text("reservation"),
    _seq(),
    _text("site", ForeignKey("sites.site")),
    _text("for_site", ForeignKey("sites.site"), null=True),
    _text("for_programme", ForeignKey("programmes.programme"), null=True),
    PrimaryKeyConstraint("reservation"),
    Index(None, "seq"),
    sqlite_strict=True,
)

shipments = Table(
    "shipments",
    metadata,
    _text("shipment"),
    _seq(),
    _text("from_site", ForeignKey("sites.site")),
    _text("to_site", ForeignKey("sites.site")),
    PrimaryKeyConstraint("shipment"),
    Index(None, "seq"),
    sqlite_strict=True,
)

reasons = Table(
    "reasons",
    metadata,
    _seq(),
    _whole("line"),
    _text("account", ForeignKey("accounts.account")),
    _text("lot", ForeignKey("lots.lot")),
    _whole("quantity"),
    _text("reason"),
    PrimaryKeyConstraint("seq", "line"),
    sqlite_strict=True,
)

stocktakes = Table(
    "stocktakes",
    metadata,
    _text("stocktake"),
    _seq(),
    _text("site", ForeignKey("sites.site")),
    _whole("cutoff"),
    PrimaryKeyConstraint("stocktake"),
    Index(None, "seq"),
    sqlite_strict=True,
)

stocktake_lines = Table(
    "stocktake_lines",
    metadata,
    _text("stocktake", ForeignKey("stocktakes.stocktake")),
    _text("lot", ForeignKey("lots.lot")),
    _seq(),
    _whole("expected"),
    _whole("counted"),
    PrimaryKeyConstraint("stocktake", "lot"),
    CheckConstraint("counted >= 0", name="counted_not_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)

claims = Table(
    "claims",
    metadata,
    _text("programme"),
    _text("period"),
    _text("tag"),
    _seq(),
    PrimaryKeyConstraint("programme", "period", "tag"),
    ForeignKeyConstraint(["programme", "period"], ["periods.programme", "periods.period"]),
    Index(None, "seq"),
    sqlite_strict=True,
)

_CLAIM = (["programme", "period", "tag"], ["claims.programme", "claims.period", "claims.tag"])

grants = Table(
    "grants",
    metadata,
    _text("programme"),
    _text("period"),
    _text("tag"),
    _text("item", ForeignKey("items.item")),
    _seq(),
    _whole("quantity"),
    PrimaryKeyConstraint("programme", "period", "tag", "item"),
    ForeignKeyConstraint(*_CLAIM),
    CheckConstraint("quantity >= 0", name="quantity_not_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)

handovers = Table(
    "handovers",
    metadata,
    _text("handover"),
    _seq(),
    _text("site", ForeignKey("sites.site")),
    _text("programme"),
    _text("period"),
    _text("tag"),
    _text("proof"),
    PrimaryKeyConstraint("handover"),
    ForeignKeyConstraint(*_CLAIM),
    _is_in("proof", ("tap", "pin", "witness")),
    Index(None, "programme", "period", "tag"),
    Index(None, "seq"),
    sqlite_strict=True,
)

witnesses = Table(
    "witnesses",
    metadata,
    _text("handover", ForeignKey("handovers.handover")),
    _seq(),
    _text("staff"),
    PrimaryKeyConstraint("handover"),
    Index(None, "seq"),
    sqlite_strict=True,
)

draws = Table(
    "draws",
    metadata,
    _seq(),
    _text("item", ForeignKey("items.item")),
    _text("programme"),
    _text("period"),
    _text("tag"),
    _whole("quantity"),
    PrimaryKeyConstraint("seq", "item"),
    ForeignKeyConstraint(*_CLAIM),
    CheckConstraint("quantity <> 0", name="quantity_not_zero"),
    Index(None, "programme", "period", "tag"),
    sqlite_strict=True,
)

leases = Table(
    "leases",
    metadata,
    _text("lease"),
    _seq(),
    _text("site", ForeignKey("sites.site")),
    _text("desk"),
    _text("programme"),
    _text("period"),
    _text("until"),
    PrimaryKeyConstraint("lease"),
    ForeignKeyConstraint(["programme", "period"], ["periods.programme", "periods.period"]),
    Index(None, "desk"),
    Index(None, "seq"),
    sqlite_strict=True,
)

lease_claims = Table(
    "lease_claims",
    metadata,
    _text("lease", ForeignKey("leases.lease")),
    _whole("claim"),
    _seq(),
    _text("programme"),
    _text("period"),
    _text("tag"),
    PrimaryKeyConstraint("lease", "claim"),
    UniqueConstraint("lease", "tag"),
    ForeignKeyConstraint(*_CLAIM),
    Index(None, "programme", "period", "tag"),
    Index(None, "seq"),
    sqlite_strict=True,
)

lease_ends = Table(
    "lease_ends",
    metadata,
    _text("lease", ForeignKey("leases.lease")),
    _seq(),
    _text("how"),
    PrimaryKeyConstraint("lease"),
    _is_in("how", ("returned", "expired")),
    Index(None, "seq"),
    sqlite_strict=True,
)

offline_handovers = Table(
    "offline_handovers",
    metadata,
    _text("handover", ForeignKey("handovers.handover")),
    _seq(),
    _text("lease", ForeignKey("leases.lease")),
    _whole("claim", null=True),
    PrimaryKeyConstraint("handover"),
    ForeignKeyConstraint(["lease", "claim"], ["lease_claims.lease", "lease_claims.claim"]),
    Index(None, "lease"),
    Index(None, "seq"),
    sqlite_strict=True,
)

conflicts = Table(
    "conflicts",
    metadata,
    _text("conflict"),
    _seq(),
    _text("handover", ForeignKey("handovers.handover")),
    _text("kind"),
    _text("item", ForeignKey("items.item"), null=True),
    _text("lot", ForeignKey("lots.lot"), null=True),
    _whole("quantity", null=True),
    PrimaryKeyConstraint("conflict"),
    _is_in("kind", CONFLICTS),
    CheckConstraint("quantity > 0", name="quantity_above_zero"),
    Index(None, "handover"),
    Index(None, "seq"),
    sqlite_strict=True,
)

resolutions = Table(
    "resolutions",
    metadata,
    _text("conflict", ForeignKey("conflicts.conflict")),
    _seq(),
    _text("reason"),
    PrimaryKeyConstraint("conflict"),
    Index(None, "seq"),
    sqlite_strict=True,
)

releases = Table(
    "releases",
    metadata,
    _text("release"),
    _seq(),
    _text("rows_by"),
    _text("columns_by"),
    _text("first_day"),
    _text("last_day"),
    _whole("least"),
    _text("cells"),
    PrimaryKeyConstraint("release"),
    _is_in("rows_by", ("site", "programme")),
    _is_in("columns_by", ("week", "month")),
    CheckConstraint("first_day <= last_day", name="days_in_order"),
    Index(None, "seq"),
    sqlite_strict=True,
)

postings = Table(
    "postings",
    metadata,
    _seq(),
    _whole("line"),
    _text("account", ForeignKey("accounts.account")),
    _text("lot", ForeignKey("lots.lot")),
    _whole("quantity"),
    PrimaryKeyConstraint("seq", "line"),
    CheckConstraint("quantity <> 0", name="quantity_not_zero"),
    Index(None, "lot"),
    Index(None, "account"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
measures = Table(
    "measures",
    metadata,
    _text("item", ForeignKey("items.item")),
    _seq(),
    _whole("base_units"),
    _whole("milligrams"),
    _whole("cubic_mm"),
    _whole("pack"),
    PrimaryKeyConstraint("item", "seq"),
    _above_zero("base_units"),
    _above_zero("milligrams"),
    CheckConstraint("cubic_mm >= 0", name="cubic_mm_not_below_zero"),
    _above_zero("pack"),
    Index(None, "seq"),
    sqlite_strict=True,
)

hours = Table(
    "hours",
    metadata,
    _text("site", ForeignKey("sites.site")),
    _seq(),
    _text("weekday"),
    _text("opens", null=True),
    _text("closes", null=True),
    PrimaryKeyConstraint("site", "seq", "weekday"),
    _is_in("weekday", WEEKDAYS),
    CheckConstraint("(opens IS NULL) = (closes IS NULL)", name="opens_and_closes"),
    Index(None, "seq"),
    sqlite_strict=True,
)

capacities = Table(
    "capacities",
    metadata,
    _text("site", ForeignKey("sites.site")),
    _seq(),
    _whole("grams", null=True),
    _whole("millilitres", null=True),
    _whole("cold_millilitres", null=True),
    PrimaryKeyConstraint("site", "seq"),
    CheckConstraint("grams >= 0 AND millilitres >= 0 AND cold_millilitres >= 0", name="none_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)

vehicles = Table(
    "vehicles",
    metadata,
    _text("vehicle"),
    _seq(),
    _text("site", ForeignKey("sites.site")),
    _whole("grams"),
    _whole("millilitres", null=True),
    _whole("trips"),
    PrimaryKeyConstraint("vehicle", "seq"),
    CheckConstraint("grams >= 0 AND millilitres >= 0 AND trips >= 0", name="none_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)

ways = Table(
    "ways",
    metadata,
    _text("from_site", ForeignKey("sites.site")),
    _text("to_site", ForeignKey("sites.site")),
    _seq(),
    _whole("seconds"),
    _whole("days"),
    PrimaryKeyConstraint("from_site", "to_site", "seq"),
    CheckConstraint("seconds >= 0 AND days >= 0", name="none_below_zero"),
    CheckConstraint("from_site <> to_site", name="leads_elsewhere"),
    Index(None, "seq"),
    sqlite_strict=True,
)

targets = Table(
    "targets",
    metadata,
    _text("site", ForeignKey("sites.site")),
    _text("item", ForeignKey("items.item")),
    _seq(),
    _whole("minimum"),
    _whole("target"),
    PrimaryKeyConstraint("site", "item", "seq"),
    CheckConstraint("0 <= minimum AND minimum <= target", name="minimum_within_target"),
    Index(None, "seq"),
    sqlite_strict=True,
)

requests = Table(
    "requests",
    metadata,
    _text("request"),
    _seq(),
    _text("site", ForeignKey("sites.site")),
    _text("for_programme", ForeignKey("programmes.programme"), null=True),
    _text("needed_by", null=True),
    PrimaryKeyConstraint("request"),
    Index(None, "seq"),
    sqlite_strict=True,
)

request_lines = Table(
    "request_lines",
    metadata,
    _text("request", ForeignKey("requests.request")),
    _text("item", ForeignKey("items.item")),
    _seq(),
    _whole("quantity"),
    PrimaryKeyConstraint("request", "item"),
    _above_zero("quantity"),
    Index(None, "seq"),
    sqlite_strict=True,
)

request_ends = Table(
    "request_ends",
    metadata,
    _text("request", ForeignKey("requests.request")),
    _seq(),
    _text("outcome"),
    PrimaryKeyConstraint("request"),
    _is_in("outcome", ("met", "withdrawn")),
    Index(None, "seq"),
    sqlite_strict=True,
)
proposals = Table(
    "proposals",
    metadata,
    _text("proposal"),
    _seq(),
    _text("kind"),
    _whole("as_of", ForeignKey("transactions.seq")),
    _text("first_day"),
    _text("last_day"),
    _text("inputs"),
    _text("solver"),
    _text("status"),
    PrimaryKeyConstraint("proposal"),
    _is_in("kind", ("share", "crisis")),
    _is_in("status", ("proven", "unproven", "stopped")),
    CheckConstraint("first_day <= last_day", name="days_in_order"),
    Index(None, "seq"),
    sqlite_strict=True,
)


def _of_proposal() -> Column[str]:
    return _text("proposal", ForeignKey("proposals.proposal"))


proposal_stages = Table(
    "proposal_stages",
    metadata,
    _of_proposal(),
    _whole("line"),
    _seq(),
    _text("stage"),
    _text("unit"),
    _text("value"),
    _text("bound"),
    _whole("proven"),
    PrimaryKeyConstraint("proposal", "line"),
    CheckConstraint("proven IN (0, 1)", name="proven_known"),
    Index(None, "seq"),
    sqlite_strict=True,
)

proposal_lines = Table(
    "proposal_lines",
    metadata,
    _of_proposal(),
    _whole("line"),
    _seq(),
    _text("day"),
    _text("arrives"),
    _text("lot", ForeignKey("lots.lot")),
    _text("from_site", ForeignKey("sites.site")),
    _text("to_site", ForeignKey("sites.site")),
    _text("for_site", ForeignKey("sites.site")),
    _whole("quantity"),
    _whole("onward"),
    PrimaryKeyConstraint("proposal", "line"),
    _above_zero("quantity"),
    CheckConstraint("onward IN (0, 1)", name="onward_known"),
    Index(None, "seq"),
    sqlite_strict=True,
)

proposal_shares = Table(
    "proposal_shares",
    metadata,
    _of_proposal(),
    _text("site", ForeignKey("sites.site")),
    _text("item", ForeignKey("items.item")),
    _seq(),
    _whole("asked"),
    _whole("given"),
    _text("fair"),
    _text("bound"),
    _text("because"),
    PrimaryKeyConstraint("proposal", "site", "item"),
    _above_zero("asked"),
    CheckConstraint("0 <= given AND given <= asked", name="given_within_asked"),
    Index(None, "seq"),
    sqlite_strict=True,
)

closures = Table(
    "closures",
    metadata,
    _of_proposal(),
    _text("site", ForeignKey("sites.site")),
    _seq(),
    _text("reason"),
    PrimaryKeyConstraint("proposal", "site"),
    Index(None, "seq"),
    sqlite_strict=True,
)

surges = Table(
    "surges",
    metadata,
    _of_proposal(),
    _text("site", ForeignKey("sites.site")),
    _seq(),
    _whole("per_mille"),
    PrimaryKeyConstraint("proposal", "site"),
    _above_zero("per_mille"),
    Index(None, "seq"),
    sqlite_strict=True,
)

takeovers = Table(
    "takeovers",
    metadata,
    _of_proposal(),
    _text("site", ForeignKey("sites.site")),
    _text("to_site", ForeignKey("sites.site")),
    _seq(),
    _whole("per_mille"),
    PrimaryKeyConstraint("proposal", "site", "to_site"),
    _above_zero("per_mille"),
    CheckConstraint("site <> to_site", name="by_another"),
    Index(None, "seq"),
    sqlite_strict=True,
)

decisions = Table(
    "decisions",
    metadata,
    _of_proposal(),
    _seq(),
    _text("outcome"),
    _text("reason", null=True),
    PrimaryKeyConstraint("proposal"),
    _is_in("outcome", ("approved", "declined")),
    Index(None, "seq"),
    sqlite_strict=True,
)

decision_lines = Table(
    "decision_lines",
    metadata,
    _text("proposal"),
    _whole("line"),
    _seq(),
    _text("reservation", ForeignKey("reservations.reservation")),
    PrimaryKeyConstraint("proposal", "line"),
    ForeignKeyConstraint(["proposal", "line"], ["proposal_lines.proposal", "proposal_lines.line"]),
    Index(None, "reservation"),
    Index(None, "seq"),
    sqlite_strict=True,
)

head = Table(
    "head",
    metadata,
    _whole("one"),
    _whole("seq"),
    _text("hash"),
    PrimaryKeyConstraint("one"),
    CheckConstraint("one = 1", name="only_one"),
    sqlite_strict=True,
)

_MAY_BE_NEGATIVE = " OR ".join(f"substr(account, 1, {len(kind) + 1}) = '{kind}:'" for kind in UNBOUNDED)

balances = Table(
    "balances",
    metadata,
    _text("account", ForeignKey("accounts.account")),
    _text("lot", ForeignKey("lots.lot")),
    _whole("quantity"),
    PrimaryKeyConstraint("account", "lot"),
    CheckConstraint(f"quantity >= 0 OR {_MAY_BE_NEGATIVE}", name="bounded_not_below_zero"),
    Index(
        "ix_balances_held", "account", "lot", sqlite_where=text("quantity > 0"), postgresql_where=text("quantity > 0")
    ),
    Index(None, "lot"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

allowances = Table(
    "allowances",
    metadata,
    _text("programme"),
    _text("period"),
    _text("tag"),
    _text("item", ForeignKey("items.item")),
    _whole("left_over"),
    PrimaryKeyConstraint("programme", "period", "tag", "item"),
    ForeignKeyConstraint(*_CLAIM),
    CheckConstraint("left_over >= 0", name="left_over_not_below_zero"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

SUMS = ("head", "balances", "allowances")
"""Tables that may change: they can be made again from the journal."""

JOURNAL: dict[str, Table] = {table.name: table for table in metadata.sorted_tables if table.name not in SUMS}
"""Journal tables, each after those it refers to."""

CHAINED: dict[str, Table] = {name: table for name, table in JOURNAL.items() if name != "chain"}
"""Journal tables whose rows the chain covers."""

COLUMNS: dict[str, tuple[str, ...]] = {
    table.name: tuple(c.name for c in table.columns) for table in metadata.sorted_tables
}
