"""
A desk without a connection: one file with its lease and its journal.

A hand-over is in the journal before it is answered: ``synchronous = EXTRA``, so that neither the process nor, as far as
the disk keeps its word, the power can take it away. What is left of goods and households is what was leased less the
journal, counted anew each time: there is no second number that could disagree. The list is erased when the lease's time
is over (``secure_delete`` overwrites it in the file), everything else once the ledger has every entry.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from nearer.aid import clock
from nearer.aid.canonical import canonical
from nearer.aid.households.cards import leased_hash
from nearer.aid.offline.document import Entry, LeaseDocument, plain
from nearer.aid.refusals import ClaimError, IdTakenError, NotEnoughError, RefusedError
from nearer.errors import OutputError, UsageError

FILE = "desk.db"

_TABLES = """
CREATE TABLE lease (one INTEGER PRIMARY KEY CHECK (one = 1), document TEXT NOT NULL) STRICT;
CREATE TABLE list (mark TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    mark TEXT NOT NULL,
    entry TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'kept', 'refused')),
    answer TEXT
) STRICT;
"""


def _new_id() -> str:
    return str(uuid.uuid4())


class OfflineDesk:
    """
    The desk of a folder.

    Parameters
    ----------
    folder
        Where ``begin`` put a lease.
    now
        What time it is, by the desk's clock.
    new_id
        Makes the id of an entry.

    Raises
    ------
    UsageError
        There is no desk in the folder.
    """

    def __init__(self, folder: Path, *, now: clock.Clock = clock.now, new_id: Callable[[], str] = _new_id) -> None:
        self._file = Path(folder) / FILE
        self._now = now
        self._new_id = new_id
        if not self._file.is_file():
            raise UsageError(f"There is no offline desk in {folder}; `nearer aid offline lease` makes one.")
        self._sql = _opened(self._file)
        try:
            with self._changing() as sql:
                row = sql.execute("SELECT document FROM lease").fetchone()
        except sqlite3.DatabaseError as error:
            self._sql.close()
            raise UsageError(f"{self._file} is no offline desk: {error}.") from error
        if row is None:
            self._sql.close()
            raise UsageError(f"The lease in {folder} was given back; delete {self._file} and take a new one.")
        self.lease = LeaseDocument.model_validate_json(row[0])
        self._salt = bytes.fromhex(self.lease.salt)
        self.forget_if_over()

    @staticmethod
    def begin(folder: Path, document: LeaseDocument) -> None:
        """
        Put a lease into a folder that has none.

        Raises
        ------
        UsageError
            There is one.
        OutputError
            The folder cannot be written.
        """
        OfflineDesk.need_none(folder)
        file = Path(folder) / FILE
        beside = file.with_name(f".{FILE}.new")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            beside.touch(mode=0o600)
            sql = _opened(beside)
            try:
                sql.executescript(_TABLES)
                sql.execute("BEGIN")
                without = document.model_copy(update={"claims": ()})
                sql.execute("INSERT INTO lease VALUES (1, ?)", (json.dumps(plain(without)),))
                sql.executemany(
                    "INSERT INTO list VALUES (?, ?)",
                    [(claim.mark, json.dumps(plain(claim))) for claim in document.claims],
                )
                sql.execute("COMMIT")
            finally:
                sql.close()
            beside.rename(file)
        except (OSError, sqlite3.OperationalError) as error:
            raise OutputError(file, getattr(error, "strerror", None) or error) from error

    @staticmethod
    def need_none(folder: Path) -> None:
        """
        Refuse a folder that has a desk.

        Raises
        ------
        UsageError
            It has.
        """
        if (Path(folder) / FILE).exists():
            raise UsageError(f"There is an offline desk in {folder} already; give it back, or take another folder.")

    def close(self) -> None:
        """Let go of the file."""
        self._sql.close()

    def __enter__(self) -> OfflineDesk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def over(self) -> bool:
        """Whether the lease's time has passed."""
        return self._now() >= self.lease.until

    def forget_if_over(self) -> bool:
        """Erase the list of households once the lease's time has passed; whether it is erased."""
        if self.over:
            with self._changing() as sql:
                sql.execute("DELETE FROM list")
        return self.over

    def look(self, card: str) -> dict[str, Any]:
        """
        What a card may have here.

        Parameters
        ----------
        card
            Its hash.

        Returns
        -------
        dict
            ``listed``; where it is, ``left`` (base units by item) and ``visits`` (None for any number); and ``served``,
            how often it was served here.
        """
        self.forget_if_over()
        with self._changing() as sql:
            return self._look(sql, leased_hash(self._salt, card))

    def stock(self) -> list[dict[str, Any]]:
        """What the desk still has: lot, item, quantity (base units), use_by; in the order of giving."""
        with self._changing() as sql:
            given = self._given(sql)[1]
        rows = [plain(line) | {"quantity": line.quantity - given[line.lot]} for line in self.lease.stock]
        return [row for row in rows if row["quantity"] > 0]

    def hand_over(
        self,
        card: str,
        wanted: dict[str, int],
        *,
        by: str,
        proof: str = "tap",
        size: int | None = None,
        emergency: bool = False,
        id: str | None = None,
    ) -> Entry:
        """
        Write a hand-over into the journal; what it returns is kept.

        A household on the list gets what it has left, from the leased goods. In an emergency goods that are not leased
        may be given too, and a card that is not on the list may be served: once, with what a household of its size is
        entitled to. The ledger will flag both.

        Parameters
        ----------
        card
            Its hash.
        wanted
            Base units by item.
        by, proof
            Who gives, and how the receiver confirmed.
        size
            People in the household, for a card that is not on the list.
        emergency
            Whether to go beyond list and goods.
        id
            Of a hand-over that may have been written before; a new one without.

        Raises
        ------
        ClaimError
            The card is not on the list, or has had its share.
        NotEnoughError
            The desk has not that much.
        """
        self.forget_if_over()
        id = id or self._new_id()
        mark = leased_hash(self._salt, card)
        with self._changing() as sql:
            before = sql.execute("SELECT mark, entry FROM journal WHERE id = ?", (id,)).fetchone()
            if before is not None:
                entry = Entry.model_validate_json(before[1])
                if before[0] != mark or self._asked(entry) != wanted:
                    raise IdTakenError(f"The id {id} already stands for another hand-over; make a new one.")
                return entry
            seen = self._look(sql, mark)
            household = self._household(seen, wanted, card, size, emergency)
            lots, beyond = self._pick(sql, wanted, emergency)
            entry = Entry(
                id=id,
                lease=self.lease.lease,
                moment=self._now(),
                by=by,
                mark=mark,
                proof=proof,
                lots=lots,
                beyond=beyond,
                **household,
            )
            sql.execute(
                "INSERT INTO journal (id, mark, entry) VALUES (?, ?, ?)",
                (id, mark, canonical(plain(entry)).decode("utf-8")),
            )
        return entry

    def journal(self) -> list[dict[str, Any]]:
        """Every entry in the order of writing: number, state, answer, entry."""
        with self._changing() as sql:
            rows = sql.execute("SELECT number, state, answer, entry FROM journal ORDER BY number").fetchall()
        return [
            {"number": row[0], "state": row[1], "answer": row[2] and json.loads(row[2]), "entry": json.loads(row[3])}
            for row in rows
        ]

    def message(self, most: int = 200) -> dict[str, Any] | None:
        """What the ledger has not confirmed yet, as one message; None where it has everything."""
        there = self.journal()
        # What was refused comes last, so that it keeps nothing else from going in.
        waiting = [row["entry"] for state in ("waiting", "refused") for row in there if row["state"] == state][:most]
        if not waiting:
            return None
        return {"version": 1, "ledger": self.lease.ledger, "desk": self.lease.desk, "entries": waiting}

    def confirmed(self, answer: dict[str, Any]) -> None:
        """Take down what the ledger said of entries (``nearer.aid.offline.sync.receive``), as often as it comes."""
        with self._changing() as sql:
            for row in answer["kept"]:
                found = sql.execute("SELECT entry FROM journal WHERE id = ?", (row["id"],)).fetchone()
                if found is None:
                    continue
                # The ledger knows the household now; the card's hash is needed no longer.
                entry = {key: value for key, value in json.loads(found[0]).items() if key != "card"}
                sql.execute(
                    "UPDATE journal SET state = 'kept', answer = ?, entry = ? WHERE id = ?",
                    (json.dumps(row), json.dumps(entry), row["id"]),
                )
            for row in answer["refused"]:
                sql.execute(
                    "UPDATE journal SET state = 'refused', answer = ? WHERE id = ? AND state <> 'kept'",
                    (json.dumps(row), row["id"]),
                )

    def need_all_kept(self) -> None:
        """
        Refuse to go on while an entry is here alone.

        Raises
        ------
        RefusedError
            Says how many there are.
        """
        if open_ones := [row for row in self.journal() if row["state"] != "kept"]:
            raise RefusedError(f"{len(open_ones)} entries are not in the ledger yet; see `nearer aid offline journal`.")

    def forget(self) -> None:
        """Erase lease, list, salt and journal, once the ledger has every entry, and close."""
        self.need_all_kept()
        with self._changing() as sql:
            for table in ("list", "journal", "lease"):
                sql.execute(f"DELETE FROM {table}")
        self._sql.close()
        self._file.unlink()

    def base_units(self, item: str, quantity: str, unit: str | None) -> int:
        """
        A quantity in base units, exactly.

        Raises
        ------
        RefusedError
            The item is not of this lease, has no such unit, or it comes to no whole number above zero.
        """
        units = self.lease.units.get(item)
        if units is None:
            raise RefusedError(f"This lease has no {item}; it has {', '.join(self.lease.units) or 'nothing'}.")
        if unit is not None and unit not in units:
            raise RefusedError(f"{item} is not counted in {unit!r}; it has {', '.join(units)}.")
        exact = Fraction(quantity) * (1 if unit is None else units[unit])
        if exact.denominator != 1 or exact <= 0:
            raise RefusedError(f"{quantity} {unit or ''} of {item} is no whole number above zero; round it yourself.")
        return int(exact)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        try:
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield self._sql
                self._sql.execute("COMMIT")
            finally:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise OutputError(self._file, error) from error

    def _given(self, sql: sqlite3.Connection) -> tuple[dict[str, Counter[str]], Counter[str]]:
        """Of the journal: by mark what was given of each item, and by lot."""
        by_mark: dict[str, Counter[str]] = {}
        by_lot: Counter[str] = Counter()
        for mark, text in sql.execute("SELECT mark, entry FROM journal"):
            entry = json.loads(text)
            given = by_mark.setdefault(mark, Counter())
            for line in entry.get("lots", ()):
                by_lot[line["lot"]] += line["quantity"]
                given[self._item_of(line["lot"])] += line["quantity"]
            for line in entry.get("beyond", ()):
                given[line["item"]] += line["quantity"]
        return by_mark, by_lot

    def _item_of(self, lot: str) -> str:
        return next(line.item for line in self.lease.stock if line.lot == lot)

    def _asked(self, entry: Entry) -> dict[str, int]:
        asked: Counter[str] = Counter()
        for line in entry.lots:
            asked[self._item_of(line.lot)] += line.quantity
        for more in entry.beyond:
            asked[more.item] += more.quantity
        return dict(asked)

    def _look(self, sql: sqlite3.Connection, mark: str) -> dict[str, Any]:
        served = sql.execute("SELECT COUNT(*) FROM journal WHERE mark = ?", (mark,)).fetchone()[0]
        row = sql.execute("SELECT entry FROM list WHERE mark = ?", (mark,)).fetchone()
        if row is None:
            return {"listed": False, "served": served}
        listed = json.loads(row[0])
        given = self._given(sql)[0].get(mark, Counter())
        left = {item: amount - given[item] for item, amount in listed["left"].items()}
        visits = listed.get("visits")
        return {
            "listed": True,
            "claim": listed["claim"],
            "left": left,
            "visits": None if visits is None else visits - served,
            "served": served,
        }

    def _household(
        self, seen: dict[str, Any], wanted: dict[str, int], card: str, size: int | None, emergency: bool
    ) -> dict[str, Any]:
        """How the entry names the household, if it may be served."""
        if seen["listed"]:
            if seen["visits"] is not None and seen["visits"] < 1:
                raise ClaimError("This household has been served as often as its programme allows.")
            for item, amount in wanted.items():
                if (left := seen["left"].get(item, 0)) < amount:
                    raise ClaimError(f"This household has {left} of {item} left, not {amount}.")
            return {"claim": seen["claim"]}
        if not emergency:
            ended = f"The lease ended at {clock.moment_text(self.lease.until)} and its list is erased"
            raise ClaimError(
                f"{ended if self.over else 'This card is not on the list of this lease'}; "
                "serve it where there is a connection, or, in an emergency, here and with a flag."
            )
        if seen["served"]:
            raise ClaimError("This card has been served here before; in an emergency it is served once.")
        if size is None:
            raise UsageError("Say how many people the household has: the card is not on the list.")
        for item, amount in wanted.items():
            rules = [quantity for size_from, quantity in self.lease.rules.get(item, ()) if size_from <= size]
            if amount > (most := rules[-1] if rules else 0):
                raise ClaimError(f"A household of {size} is entitled to {most} of {item}, not {amount}.")
        return {"card": card, "size": size}

    def _pick(
        self, sql: sqlite3.Connection, wanted: dict[str, int], emergency: bool
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """First-ended first from the leased lots; what is missing, in an emergency, from whatever was at hand."""
        given = self._given(sql)[1]
        day = clock.local_day(self._now(), self.lease.time_zone).isoformat()
        lots, beyond = [], []
        for item, amount in wanted.items():
            missing = amount
            for line in self.lease.stock:
                part = min(missing, line.quantity - given[line.lot])
                if line.item == item and part > 0 and (line.use_by is None or line.use_by >= day):
                    lots.append({"lot": line.lot, "quantity": part})
                    missing -= part
            if missing and not emergency:
                raise NotEnoughError(f"This desk has {amount - missing} {item} left, not {amount}.")
            if missing:
                beyond.append({"item": item, "quantity": missing})
        return lots, beyond


def _opened(file: Path) -> sqlite3.Connection:
    sql = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
    # With a rollback journal a commit is a file's end, which only EXTRA writes through to the folder.
    for pragma in ("journal_mode = DELETE", "synchronous = EXTRA", "secure_delete = ON", "temp_store = MEMORY"):
        sql.execute(f"PRAGMA {pragma}")
    return sql
