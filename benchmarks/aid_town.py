"""A ledger of any size: set up by commands, hand-overs written in bulk with the same rows and the same chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from nearer.aid import accounts
from nearer.aid import commands as c
from nearer.aid.book import header_of
from nearer.aid.canonical import canonical, former, link_forms, sha256_hex
from nearer.aid.migrate import create
from nearer.aid.store import Store
from nearer.aid.tables import COLUMNS

ITEMS = ("rice", "oil", "beans", "soap")
EACH = 5
"""Base units that a household may have of each item in a period, and gets at its visit."""

PIECE = 5_000
START = date(2024, 1, 1)


@dataclass(frozen=True)
class Town:
    """
    How large a ledger is.

    Parameters
    ----------
    households, periods, centres
        Each household is served once in each period but the last, at its centre.
    """

    households: int
    periods: int
    centres: int = 80

    @property
    def postings(self) -> int:
        """Postings of the hand-overs."""
        return 2 * len(ITEMS) * self.households * (self.periods - 1)


def tag_of(household: int, period: int) -> str:
    """An opaque tag."""
    return f"{period:08x}{household:024x}"


def day_of(period: int) -> date:
    """The first day of a period of four weeks."""
    return START + timedelta(days=28 * period)


def grow(file: Path, town: Town) -> None:
    """Make the ledger."""
    create(str(file), now=lambda: datetime(2024, 1, 1, tzinfo=UTC))
    lots: dict[tuple[int, str], str] = {}
    with Store(str(file), clock=lambda: datetime(2024, 1, 1, 8, tzinfo=UTC)) as store:
        for number, command in enumerate(_set_up(town)):
            answer = store.do(command, id=f"set-up-{number:06d}", actor="bench")
            for line in answer.get("lots", []):
                assert isinstance(command, c.Receive)
                lots[int(command.site[1:]), line["item"]] = line["lot"]
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")  # made anew if the power goes
    connection.execute("PRAGMA cache_size = -400000")
    (top, previous) = connection.execute("SELECT seq, hash FROM head").fetchone()
    rows: dict[str, list[tuple[Any, ...]]] = {}
    formers = {name: former(COLUMNS[name]) for name in COLUMNS}
    connection.execute("BEGIN")
    opened: set[str] = set()
    for seq, (household, period) in enumerate(_visits(town), start=top + 1):
        here = _hand_over(seq, household, period, household % town.centres, lots, opened)
        forms = {name: [formers[name](row) for row in found] for name, found in here.items()}
        hashed, parts = link_forms(previous, seq, forms)
        here["chain"] = [(seq, previous, parts, hashed)]
        previous = hashed
        for name, found in here.items():
            rows.setdefault(name, []).extend(found)
        if len(rows["chain"]) == PIECE:
            _flush(connection, rows)
    _flush(connection, rows)
    connection.execute("UPDATE head SET seq = ?, hash = ?", (seq, previous))
    # The kept sums, from the journal.
    connection.execute("DELETE FROM balances")
    connection.execute("INSERT INTO balances SELECT account, lot, SUM(quantity) FROM postings GROUP BY account, lot")
    connection.execute(
        "INSERT INTO allowances (programme, period, tag, item, left_over) "
        "SELECT programme, period, tag, item, 0 FROM grants"
    )
    connection.execute("COMMIT")
    connection.close()


def _set_up(town: Town) -> Iterator[c.Command]:
    yield c.AddParty(party="mill")
    for item in ITEMS:
        yield c.AddItem(item=item, name=item, unit="g")
    yield c.AddProgramme(programme="basics", name="Basics")
    for period in range(town.periods):
        yield c.OpenPeriod(
            programme="basics",
            period=f"p{period}",
            first_day=day_of(period),
            last_day=day_of(period) + timedelta(days=27),
            rules=tuple(c.Rule(item=item, quantity=EACH) for item in ITEMS),
        )
    for centre in range(town.centres):
        yield c.AddSite(site=f"c{centre}", name=f"Centre {centre}")
        gifts = tuple(c.Gift(item=item, quantity=10**9) for item in ITEMS)
        yield c.Receive(site=f"c{centre}", giver="mill", lines=gifts)


def _visits(town: Town) -> Iterator[tuple[int, int]]:
    for period in range(town.periods - 1):
        for household in range(town.households):
            yield household, period


def _hand_over(
    seq: int, household: int, period: int, centre: int, lots: dict[tuple[int, str], str], opened: set[str]
) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that ``nearer.aid.desk.giving.hand_over`` writes for a first visit."""
    site, tag, name = f"c{centre}", tag_of(household, period), f"p{period}"
    at = datetime.combine(day_of(period), datetime.min.time(), UTC) + timedelta(hours=9, seconds=household // 10)
    lines = [{"item": item, "quantity": EACH} for item in ITEMS]
    body = {"lines": lines, "programme": "basics", "site": site, "size": 3, "tag": tag}
    given = [{"lot": lots[centre, item], "item": item, "quantity": EACH} for item in ITEMS]
    answer = {
        "transaction": seq,
        "handover": f"H{seq}",
        "period": name,
        "lines": given,
        "left": dict.fromkeys(sorted(ITEMS), 0),
    }
    header = header_of(
        id=f"visit-{period}-{household}",
        kind="hand-over",
        at=at,
        recorded_at=at,
        actor="bench",
        desk="desk",
        body_hash=sha256_hex(canonical(["hand-over", body])),
        reverses=None,
    )
    found: dict[str, list[dict[str, Any]]] = {
        "transactions": [{**header, "answer": canonical(answer).decode()}],
        "claims": [{"programme": "basics", "period": name, "tag": tag}],
        "grants": [
            {"programme": "basics", "period": name, "tag": tag, "item": item, "quantity": EACH} for item in ITEMS
        ],
        "draws": [
            {"item": item, "programme": "basics", "period": name, "tag": tag, "quantity": EACH} for item in ITEMS
        ],
        "handovers": [
            {
                "handover": f"H{seq}",
                "site": site,
                "programme": "basics",
                "period": name,
                "tag": tag,
                "proof": "tap",
            }
        ],
    }
    target = accounts.handed_over(site, "basics", name)
    moved = [
        (account, lots[centre, item], quantity)
        for item in ITEMS
        for account, quantity in ((accounts.stock(site), -EACH), (target, EACH))
    ]
    found["postings"] = [
        {"line": line, "account": account, "lot": lot, "quantity": quantity}
        for line, (account, lot, quantity) in enumerate(moved, start=1)
    ]
    if target not in opened:
        opened.add(target)
        kind, place, reference = accounts.parts(target)
        found["accounts"] = [{"account": target, "kind": kind, "site": place, "reference": reference}]
    return {
        table: [tuple({"seq": seq, **row}.get(column) for column in COLUMNS[table]) for row in rows]
        for table, rows in found.items()
    }


_ORDER = ("transactions", "accounts", "claims", "grants", "handovers", "draws", "postings", "chain")


def _flush(connection: sqlite3.Connection, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    for name in _ORDER:
        if rows.get(name):
            marks = ", ".join("?" * len(COLUMNS[name]))
            connection.executemany(f"INSERT INTO {name} ({', '.join(COLUMNS[name])}) VALUES ({marks})", rows[name])
    rows.clear()
