"""
The goods' way as EPCIS 2.0 events (JSON-LD), for partners in a supply chain.

A gift is an ObjectEvent that adds, a shipment one that observes, kits are a TransformationEvent, what goes for good is
an ObjectEvent that deletes. Hand-overs are summed up by centre and day and name no household; money and private givers
are left out. What was reversed is declared in error.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from nearer.aid import accounts
from nearer.aid.clock import local_day, moment_of, zone_of
from nearer.aid.driver import Sql
from nearer.aid.seeing.span import Span, zones

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"

UOM = {"g": "GRM", "kg": "KGM", "t": "TNE", "ml": "MLT", "l": "LTR", "m": "MTR"}
"""Units of UN/ECE Recommendation 20; what is counted in pieces has none, as the standard has it."""

_GONE = {
    accounts.EXPIRED: ("destroying", "expired"),
    accounts.DAMAGED: ("destroying", "damaged"),
    accounts.LOST: ("removing", "unknown"),
    accounts.RETURNED: ("shipping", "returned"),
    accounts.VARIANCE: ("stock_taking", "mismatch_quantity"),
}

Amounts = dict[str, int]


def epcis_document(sql: Sql, span: Span, ledger: str) -> dict[str, Any]:
    """
    Events of a span of days, in the order of the ledger; hand-overs of a day at its end.

    Parameters
    ----------
    sql, span
        The ledger, open for reading, and days.
    ledger
        The ledger's own number: it makes all identifiers unique.
    """
    return _Writer(sql, ledger).document(span)


class _Writer:
    def __init__(self, sql: Sql, ledger: str) -> None:
        self._sql, self._ledger = sql, ledger
        self._zones = zones(sql)
        self._unit = {
            str(lot): str(unit)
            for lot, unit in sql.all(
                "SELECT l.lot, i.unit FROM lots l JOIN items i ON i.item = l.item WHERE i.kind = 'goods'"
            )
        }
        self._named = {str(party) for (party,) in sql.all("SELECT party FROM parties WHERE kind = 'organisation'")}
        self._ways = {
            str(s): (str(a), str(b)) for s, a, b in sql.all("SELECT shipment, from_site, to_site FROM shipments")
        }

    def document(self, span: Span) -> dict[str, Any]:
        """The whole document."""
        rows = self._sql.all(
            "SELECT t.seq, t.at, p.account, p.lot, p.quantity, r.recorded_at FROM postings p "
            "JOIN transactions t ON t.seq = p.seq LEFT JOIN transactions r ON r.reverses = t.seq "
            "WHERE t.reverses IS NULL AND t.at >= ? AND t.at < ? ORDER BY t.seq, p.line",
            min(span.within(zone)[0] for zone in self._zones.values()) if self._zones else "",
            max(span.within(zone)[1] for zone in self._zones.values()) if self._zones else "~",
        )
        by_seq: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            if str(row[3]) in self._unit:
                by_seq[int(row[0])].append(row)
        events: list[dict[str, Any]] = []
        handed: dict[tuple[str, str], Amounts] = defaultdict(lambda: defaultdict(int))
        for seq, lines in by_seq.items():
            events += self._events(seq, lines, span, handed)
        for (day, site), amounts in sorted(handed.items()):
            events.append(self._day_of_hand_overs(day, site, amounts))
        (made,) = self._sql.all("SELECT recorded_at FROM transactions ORDER BY seq DESC LIMIT 1")[0]
        return {
            "@context": [CONTEXT],
            "id": f"urn:uuid:{self._uuid('document', str(span), made)}",
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": made,
            "epcisBody": {"eventList": events},
        }

    def _events(
        self, seq: int, lines: list[Any], span: Span, handed: dict[tuple[str, str], Amounts]
    ) -> Iterable[dict[str, Any]]:
        """What one transaction did, by where goods came from and went to."""
        at, undone = str(lines[0][1]), lines[0][5]
        came: dict[tuple[str, str, str], Amounts] = defaultdict(dict)
        went: dict[tuple[str, str, str], Amounts] = defaultdict(dict)
        for _, _, account, lot, quantity, _ in lines:
            side = came if int(quantity) > 0 else went
            kind, site, reference = accounts.parts(account)
            there = side[kind, site, reference]
            there[str(lot)] = there.get(str(lot), 0) + abs(int(quantity))
        sites = [site for _, site, _ in (*came, *went) if site]
        shipment = next((ref for kind, _, ref in (*came, *went) if kind == accounts.TRANSIT), None)
        place = sites[0] if sites else self._ways[str(shipment)][1]
        if not span.first <= local_day(moment_of(at), self._zones[place]) <= span.last:
            return
        base = {"eventTime": at, "eventTimeZoneOffset": "+00:00"}
        if undone:
            base["errorDeclaration"] = {"declarationTime": undone, "reason": "incorrect_data"}  # type: ignore[assignment]

        def event(what: str, action: str, step: str, how: str, at_site: str, amounts: Amounts, **more: Any) -> Any:
            return {
                "type": "ObjectEvent",
                "eventID": f"urn:uuid:{self._uuid('event', str(seq), what)}",
                **base,
                "action": action,
                "bizStep": step,
                "disposition": how,
                "readPoint": {"id": self._urn("site", at_site)},
                "bizLocation": {"id": self._urn("site", at_site)},
                "quantityList": self._quantities(amounts),
                **more,
            }

        for (kind, site, reference), amounts in went.items():
            if kind == accounts.DONOR:
                more: dict[str, Any] = {}
                if reference in self._named:
                    more["sourceList"] = [{"type": "owning_party", "source": self._urn("party", reference)}]
                yield event("given", "ADD", "receiving", "in_progress", place, amounts, **more)
            elif kind == accounts.VARIANCE:
                yield event("found", "ADD", "stock_taking", "in_progress", site, amounts)
            elif kind == accounts.CONVERT:
                used = came.get((kind, site, reference), {})
                if not used:
                    yield event("bought", "ADD", "receiving", "in_progress", site, amounts)
                    continue
                yield {
                    "type": "TransformationEvent",
                    "eventID": f"urn:uuid:{self._uuid('event', str(seq), 'made')}",
                    **base,
                    "transformationID": f"urn:uuid:{self._uuid('made', str(seq))}",
                    "bizStep": "assembling",
                    "disposition": "in_progress",
                    "readPoint": {"id": self._urn("site", site)},
                    "bizLocation": {"id": self._urn("site", site)},
                    "inputQuantityList": self._quantities(used),
                    "outputQuantityList": self._quantities(amounts),
                }
            elif kind == accounts.TRANSIT:
                good = came.get((accounts.STOCK, place, ""), {})
                arrived = {lot: min(amount, good.get(lot, 0)) for lot, amount in amounts.items()}
                if kept := {lot: amount for lot, amount in arrived.items() if amount}:
                    papers = [{"type": "desadv", "bizTransaction": self._urn("shipment", reference)}]
                    to = self._ways[reference][1]
                    yield event("arrived", "OBSERVE", "receiving", "in_progress", to, kept, bizTransactionList=papers)
        for (kind, site, reference), amounts in came.items():
            if kind == accounts.TRANSIT:
                start, end = self._ways[reference]
                papers = [{"type": "desadv", "bizTransaction": self._urn("shipment", reference)}]
                to_list = [{"type": "location", "destination": self._urn("site", end)}]
                sent = event("sent", "OBSERVE", "shipping", "in_transit", start, amounts, bizTransactionList=papers)
                del sent["bizLocation"]  # it is nowhere until it arrives
                yield sent | {"destinationList": to_list}
            elif kind == accounts.HANDED_OVER and not undone:
                day = local_day(moment_of(at), self._zones[site]).isoformat()
                for lot, amount in amounts.items():
                    handed[day, site][lot] += amount
            elif kind in _GONE:
                step, disposition = _GONE[kind]
                yield event(f"gone-{kind.lower()}", "DELETE", step, disposition, site, amounts)

    def _day_of_hand_overs(self, day: str, site: str, amounts: Amounts) -> dict[str, Any]:
        zone = zone_of(self._zones[site])
        end = datetime.combine(datetime.fromisoformat(day).date() + timedelta(days=1), time(), tzinfo=zone)
        offset = end.strftime("%z") or "+0000"
        return {
            "type": "ObjectEvent",
            "eventID": f"urn:uuid:{self._uuid('handed-over', day, site)}",
            "eventTime": (end - timedelta(seconds=1)).isoformat(),
            "eventTimeZoneOffset": f"{offset[:3]}:{offset[3:5]}",
            "action": "DELETE",
            "bizStep": "dispensing",
            "disposition": "dispensed",
            "readPoint": {"id": self._urn("site", site)},
            "bizLocation": {"id": self._urn("site", site)},
            "quantityList": self._quantities(amounts),
        }

    def _quantities(self, amounts: Amounts) -> list[dict[str, Any]]:
        found = []
        for lot, amount in sorted(amounts.items()):
            unit = UOM.get(self._unit[lot])
            found.append({"epcClass": self._urn("lot", lot), "quantity": amount} | ({"uom": unit} if unit else {}))
        return found

    def _urn(self, kind: str, code: str) -> str:
        return f"urn:nearer:{self._ledger}:{kind}:{code}"

    def _uuid(self, *parts: str) -> uuid.UUID:
        return uuid.uuid5(uuid.UUID(self._ledger), "/".join(parts))
