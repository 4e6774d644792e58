"""
Desks and planners that load a running ``nearer serve``, in a process of their own.

    python -m benchmarks.serve_clients ASKED.json

``ASKED.json`` says where, how many and for how long; what happened is printed as JSON. Only the standard library is
used, so that the processor is the server's: its own share is in the answer.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

AT_ONCE = 6
"""Connections of one planner's page, as a browser has."""

FRESH_S = 4.0
"""A connection that was quiet for longer is made anew: the server closes it about then."""


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Its body as values."""
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return json.loads(body)


@dataclass
class Connection:
    """One connection, kept open while it is in use."""

    host: str
    port: int
    cookie: str = ""
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None
    _used_s: float = 0.0

    async def ask(
        self, path: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request and read its whole answer."""
        writer, reader = await self._open()
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", "Accept-Encoding: gzip"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if self.cookie:
            lines.append(f"Cookie: {self.cookie}")
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        answer = await _read(reader)
        self._used_s = time.monotonic()
        if answer.headers.get("connection") == "close":
            self.close()
        return answer

    async def _open(self) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
        if self._writer is not None and time.monotonic() - self._used_s > FRESH_S:
            self.close()
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(self.host, self.port, limit=1 << 22)
        return self._writer, self._reader

    def close(self) -> None:
        """Let go."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    status = int(head[0].split(" ")[1])
    if headers.get("transfer-encoding") == "chunked":
        parts = []
        while size := int((await reader.readline()).strip(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        return Answer(status, headers, b"".join(parts))
    length = int(headers.get("content-length", "0"))
    return Answer(status, headers, await reader.readexactly(length) if length and status not in (204, 304) else b"")


@dataclass
class Told:
    """Milliseconds of everything that was asked, by its kind and of planners by their visit, and what went wrong."""

    spent_ms: dict[str, list[float]] = field(default_factory=dict)
    visits_ms: dict[str, list[float]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    unchanged: int = 0
    counted: Counter[str] = field(default_factory=Counter)

    async def timed(
        self, kind: str, connection: Connection, path: str, *given: Any, fine: tuple[int, ...] = (200,), visit: str = ""
    ) -> Answer | None:
        """Ask, and note how long it took, at which visit; None where there was no answer that is ``fine``."""
        start = time.perf_counter()
        try:
            answer = await asyncio.wait_for(connection.ask(path, *given), 60)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            self.wrong[f"{kind}: {type(error).__name__}"] += 1
            connection.close()
            return None
        spent_ms = 1000 * (time.perf_counter() - start)
        self.spent_ms.setdefault(kind, []).append(spent_ms)
        if visit:
            self.visits_ms.setdefault(visit, []).append(spent_ms)
        self.bytes += len(answer.body)
        if answer.status not in fine:
            self.wrong[f"{kind}: {answer.status} {answer.body[:120]!r}"] += 1
            return None
        return answer


class Desk:
    """Scans a card, sees what its household may have, and hands it over: once every ``every_s``."""

    def __init__(self, number: int, asked: dict[str, Any], told: Told) -> None:
        where = urlsplit(asked["address"])
        self.connection = Connection(where.hostname or "", where.port or 0)
        self.asked, self.told, self.number = asked, told, number
        self.cards: list[str] = asked["cards"][number :: asked["desks"]]
        self.mark = ""

    async def sign_in(self) -> None:
        """As the page does it: the session comes back as a cookie and a mark."""
        body = {"staff": f"desk-{self.number % self.asked['staff']}", "password": self.asked["password"]}
        answer = await self.told.timed("sign in", self.connection, "/api/aid/session", "POST", body)
        if answer is not None:
            self.connection.cookie = answer.headers["set-cookie"].partition(";")[0]
            self.mark = answer.json()["mark"]

    async def work(self, end_s: float) -> None:
        """Until then."""
        every_s = self.asked["desk_every_s"]
        turn_s = time.monotonic() + every_s * self.number / self.asked["desks"]
        visit = 0
        while turn_s < end_s:
            await asyncio.sleep(max(0.0, turn_s - time.monotonic()))
            await self._visit(visit)
            visit += 1
            turn_s += every_s
        self.connection.close()

    async def _visit(self, visit: int) -> None:
        where = {
            "card": self.cards[visit % len(self.cards)],
            "site": self.asked["sites"][self.number % len(self.asked["sites"])],
            "programme": "basics",
        }
        marked = {"x-nearer-desk": self.mark}
        looked = await self.told.timed("card looked at", self.connection, "/api/aid/cards/look", "POST", where, marked)
        if looked is None or not looked.json()["may"]:
            self.told.wrong["a card that may have nothing"] += looked is not None
            return
        key = f"load-{self.number:04d}-{visit:06d}"
        body = where | {"lines": self.asked["lines"], "proof": "tap"}
        done = await self.told.timed(
            "hand-over", self.connection, "/api/aid/cards/hand-over", "POST", body, marked | {"idempotency-key": key}
        )
        self.told.counted["handed over"] += done is not None


class Planner:
    """Has the planning map open and looks at something else every ``every_s``; keeps what a browser keeps."""

    def __init__(self, number: int, asked: dict[str, Any], told: Told) -> None:
        where = urlsplit(asked["address"])
        self.connections = [Connection(where.hostname or "", where.port or 0) for _ in range(AT_ONCE)]
        self.asked, self.told, self.number = asked, told, number
        self.chance = random.Random(number)
        self.kept: dict[str, str] = {}
        self.study = f"/api/studies/{quote(asked['study'])}"
        self.opened: list[int] = []
        self.rev = ""
        self.bounds = (0.0, 0.0, 0.0, 0.0)
        self.visit = "first"

    async def work(self, end_s: float) -> None:
        """Until then."""
        every_s = self.asked["planner_every_s"]
        turn_s = time.monotonic() + every_s * self.number / self.asked["planners"]
        await asyncio.sleep(max(0.0, turn_s - time.monotonic()))
        await self._open()
        self.visit = "later"
        while (turn_s := turn_s + every_s) < end_s:
            await asyncio.sleep(max(0.0, turn_s - time.monotonic()))
            kind = self.chance.random()
            if kind < 0.4:
                await self._pan()
            elif kind < 0.8:
                await self._change()
            else:
                await self._tables()
        for one in self.connections:
            one.close()

    async def _get(self, *asked: tuple[str, str]) -> list[Answer | None]:
        """Several addresses, each with its kind, at once over a page's connections."""
        todo = list(asked)
        found: dict[str, Answer | None] = {}

        async def go(connection: Connection) -> None:
            while todo:
                kind, path = todo.pop(0)
                known = self.kept.get(path, "")
                if known == "for good":
                    found[path] = None
                    continue
                given = {"If-None-Match": known} if known else {}
                answer = await self.told.timed(
                    kind, connection, path, "GET", None, given, fine=(200, 204, 304), visit=self.visit
                )
                found[path] = answer
                if answer is not None:
                    self.told.unchanged += answer.status == 304
                    immutable = "immutable" in answer.headers.get("cache-control", "")
                    self.kept[path] = "for good" if immutable else answer.headers.get("etag", "")

        await asyncio.gather(*(go(one) for one in self.connections))
        return [found[path] for _, path in asked]

    async def _open(self) -> None:
        where, plan = self.study, self.asked["plan"]
        _, _, told, scene, *_ = await self._get(
            ("study", where), ("plan", f"{where}/plans/{plan}"), ("plan", f"{where}/plans/{plan}/situations"),
            ("scene", f"{where}/scene"), ("areas", f"{where}/areas"), ("page", "/"), ("page", "/js/main.js"),
        )  # fmt: skip
        if told is None or scene is None:
            return
        self.opened = [int(one) for one in told.json()["plan"][1:].split(".") if one]
        values = scene.json()
        self.rev, self.bounds = values["rev"], values["bounds"]
        await self._see(self.opened, zoom=11)

    async def _see(self, opened: list[int], zoom: int) -> None:
        at = "o" + ".".join(map(str, sorted(opened)))
        where = self.study
        asked = [
            ("figures", f"{where}/figures?at=o"),
            ("figures", f"{where}/figures?at={at}"),
            ("legend", f"{where}/legend?at={at}&before=&group="),
        ]
        west, south, east, north = self.bounds
        lon = west + (east - west) * self.chance.uniform(0.35, 0.65)
        lat = south + (north - south) * self.chance.uniform(0.35, 0.65)
        x, y = _tile_of(lon, lat, zoom)
        for column in (x - 1, x, x + 1):
            for row in (y - 1, y):
                tile = f"{zoom}/{column}/{row}"
                asked.append(("tile of streets", f"{where}/tiles/{self.rev}/streets/{tile}"))
                asked.append(("tile of people", f"{where}/tiles/{self.rev}/people/{tile}?at={at}"))
        await self._get(*asked)

    async def _pan(self) -> None:
        await self._see(self.opened, zoom=self.chance.choice((11, 12, 13)))

    async def _change(self) -> None:
        """One new centre is taken out by hand: nobody has asked for this before."""
        if self.opened:
            out = self.chance.choice(self.opened)
            await self._see([one for one in self.opened if one != out], zoom=12)

    async def _tables(self) -> None:
        where = self.study
        await self._get(("study", where), ("figures", f"{where}/figures?at=o"), ("studies", "/api/studies"))


def _tile_of(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    from math import asinh, pi, radians, tan

    side = 1 << zoom
    return int((lon / 360 + 0.5) * side), int((0.5 - asinh(tan(radians(lat))) / (2 * pi)) * side)


async def _solves(asked: dict[str, Any], told: Told, end_s: float) -> None:
    """Keep more plans asked for than can be made at once; see that the others are told their place and how long."""
    where = urlsplit(asked["address"])
    connection = Connection(where.hostname or "", where.port or 0)
    path = f"/api/studies/{quote(asked['study'])}"
    body = {"kind": "plan", "time_limit_s": asked["solve_s"]}
    mine: set[str] = set()
    while time.monotonic() < end_s:
        answer = await told.timed("jobs seen", connection, path)
        jobs = [] if answer is None else answer.json()["jobs"]
        running = [job for job in jobs if job["state"] == "running"]
        waiting = [job for job in jobs if job["state"] == "waiting"]
        if len(running) > asked["workers"]:
            told.wrong[f"{len(running)} jobs at once"] += 1
        if waiting and sorted(job["place"] for job in waiting) != list(range(len(waiting))):
            told.wrong["places of those that wait"] += 1
        if any(job.get("begins_in_s") is None for job in waiting):
            told.wrong["no estimate for one that waits"] += 1
        for _ in range(asked["workers"] + 2 - len(running) - len(waiting)):
            made = await told.timed("job asked for", connection, f"{path}/jobs", "POST", body, None, fine=(201,))
            if made is not None:
                mine.add(made.json()["id"])
        await asyncio.sleep(1.0)
    answer = await told.timed("jobs seen", connection, path)
    for job in [] if answer is None else answer.json()["jobs"]:
        if job["id"] not in mine:
            continue
        told.counted[f"solves {job['state']}"] += 1
        if job["state"] in ("waiting", "running"):
            await told.timed("job stopped", connection, f"{path}/jobs/{job['id']}/stop", "POST", {"keep": False}, None)
    connection.close()


async def load(asked: dict[str, Any]) -> dict[str, Any]:
    """Everybody signs in, and then works for the time that was asked for."""
    told = Told()
    desks = [Desk(number, asked, told) for number in range(asked["desks"])]
    planners = [Planner(number, asked, told) for number in range(asked["planners"])]
    for desk in desks[: asked["staff"]]:
        await desk.sign_in()
    for desk in desks[asked["staff"] :]:  # the same person at another table; a password is slow to check on purpose
        first = desks[desk.number % asked["staff"]]
        desk.connection.cookie, desk.mark = first.connection.cookie, first.mark
    before, begun = time.process_time(), time.monotonic()
    print(json.dumps({"begun": True}), flush=True)
    end_s = begun + asked["seconds"]
    everybody: list[Coroutine[Any, Any, None]] = [one.work(end_s) for one in (*desks, *planners)]
    if asked["workers"]:
        everybody.append(_solves(asked, told, end_s))
    await asyncio.gather(*everybody)
    return {
        "seconds": time.monotonic() - begun,
        "cpu_s": time.process_time() - before,
        "spent_ms": told.spent_ms,
        "visits_ms": told.visits_ms,
        "wrong": dict(told.wrong),
        "bytes": told.bytes,
        "unchanged": told.unchanged,
        "counted": dict(told.counted),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))))
