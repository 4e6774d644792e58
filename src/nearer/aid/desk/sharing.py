"""Proposals, and what a person decides on them."""

from __future__ import annotations

from typing import Any

from nearer.aid import accounts
from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.desk.lookup import need, state_of
from nearer.aid.refusals import RefusedError, unknown
from nearer.aid.sharing.needs import open_requests
from nearer.aid.sharing.state import read_state

_TOLD = 10
"""Lines named in one refusal; of more, the count is told."""


def propose(book: Book, command: c.Propose) -> dict[str, Any]:
    """Keep a proposal with its lines, shares and stages; nothing moves."""
    if command.as_of >= book.seq:
        raise RefusedError(
            "The ledger ends with {seq}; a proposal cannot be of {as_of}.", seq=book.seq - 1, as_of=command.as_of
        )
    if command.last_day < command.first_day:
        raise RefusedError("The last day of the proposal is before its first.")
    _known(book, command)
    name = f"A{book.seq}"
    book.add(
        "proposals",
        proposal=name,
        kind=command.type,
        as_of=command.as_of,
        first_day=command.first_day.isoformat(),
        last_day=command.last_day.isoformat(),
        inputs=command.inputs,
        solver=command.solver,
        status=command.status,
    )
    for number, stage in enumerate(command.stages, start=1):
        book.add(
            "proposal_stages",
            proposal=name,
            line=number,
            stage=stage.stage,
            unit=stage.unit,
            value=stage.value,
            bound=stage.bound,
            proven=int(stage.proven),
        )
    for number, line in enumerate(command.lines, start=1):
        book.add(
            "proposal_lines",
            proposal=name,
            line=number,
            day=line.day.isoformat(),
            arrives=line.arrives.isoformat(),
            lot=line.lot,
            from_site=line.origin,
            to_site=line.to,
            for_site=line.for_site,
            quantity=line.quantity,
            onward=int(line.onward),
        )
    for share in command.shares:
        book.add(
            "proposal_shares",
            proposal=name,
            site=share.site,
            item=share.item,
            asked=share.asked,
            given=share.given,
            fair=share.fair,
            bound=share.bound,
            because=share.because,
        )
    for closure in command.closures:
        book.add("closures", proposal=name, site=closure.site, reason=closure.reason)
    for surge in command.surges:
        book.add("surges", proposal=name, site=surge.site, per_mille=surge.per_mille)
    for takeover in command.takeovers:
        book.add("takeovers", proposal=name, site=takeover.site, to_site=takeover.to, per_mille=takeover.per_mille)
    return {"proposal": name}


def _known(book: Book, command: c.Propose) -> None:
    """Refuse sites, items and lots that are not there, and what is said twice."""
    pairs = [(share.site, share.item) for share in command.shares]
    closed = [closure.site for closure in command.closures]
    surging = [surge.site for surge in command.surges]
    taken = [(takeover.site, takeover.to) for takeover in command.takeovers]
    if any(len(set(some)) < len(some) for some in (pairs, closed, surging, taken)):
        raise RefusedError("The proposal says something twice; make it anew with `nearer aid allocate`.")
    sites = {site for line in command.lines for site in (line.origin, line.to, line.for_site)}
    sites |= {site for site, _ in pairs} | {*closed, *surging} | {site for pair in taken for site in pair}
    for site in sorted(sites):
        need(book, "site", site)
    for item in sorted({item for _, item in pairs}):
        need(book, "item", item)
    for lot in sorted({line.lot for line in command.lines}):
        if book.sql.one("SELECT 1 FROM lots WHERE lot = ?", lot) is None:
            raise unknown("lot", lot, "see `nearer aid balances`")
    if any(line.origin == line.to or line.arrives < line.day for line in command.lines):
        raise RefusedError("A line of the proposal leads nowhere or arrives before it leaves; make it anew.")


def approve(book: Book, command: c.Approve) -> dict[str, Any]:
    """
    STOCK → RESERVED at the sending sites, for the receiving ones, and sites closed: all at once or not at all.

    A line can be had where its lot still lies free in that quantity, is not recalled, keeps until the day it leaves,
    and goes to a site that is open. Lines onward from a hub are planned again when the goods are there.
    """
    _undecided(book, command.proposal)
    rows = book.sql.all(
        "SELECT line, day, lot, from_site, to_site, quantity, onward FROM proposal_lines WHERE proposal = ? "
        "ORDER BY line",
        command.proposal,
    )
    if strangers := sorted(set(command.without) - {int(row[0]) for row in rows}):
        raise RefusedError(
            "{proposal} has no line {lines}.", proposal=command.proposal, lines=", ".join(map(str, strangers))
        )
    until = "9999-12-31" if command.until is None else command.until.isoformat()
    chosen = [
        (int(line), day, lot, origin, to, int(quantity))
        for line, day, lot, origin, to, quantity, onward in rows
        if not onward and day <= until and line not in command.without
    ]
    closing = book.sql.all("SELECT site, reason FROM closures WHERE proposal = ? ORDER BY site", command.proposal)
    _refuse_what_cannot_be_had(book, chosen, {site for site, _ in closing})
    for site, reason in closing:
        book.add("site_states", site=site, state="closed", reason=reason)
    book.add("decisions", proposal=command.proposal, outcome="approved", reason=None)
    _hand_requests_on(book, command.proposal, {site for site, _ in closing})
    loads: dict[tuple[str, str, str], str] = {}
    for line, day, lot, origin, to, quantity in chosen:
        load = loads.get((day, origin, to))
        if load is None:
            load = loads[day, origin, to] = f"R{book.seq}-{len(loads) + 1}"
            book.add("reservations", reservation=load, site=origin, for_site=to, for_programme=None)
        book.add("decision_lines", proposal=command.proposal, line=line, reservation=load)
        book.move(lot, quantity, accounts.stock(origin), accounts.reserved(origin, load))
    return {
        "proposal": command.proposal,
        "reserved": len(chosen),
        "closed": [site for site, _ in closing],
        "loads": [
            {"day": day, "from": origin, "to": to, "reservation": load} for (day, origin, to), load in loads.items()
        ],
    }


def _hand_requests_on(book: Book, proposal: str, closing: set[str]) -> None:
    """Open requests of sites that close end, and who takes over asks for its part of what they still miss."""
    takers: dict[str, list[tuple[str, int]]] = {}
    for site, to, part in book.sql.all(
        "SELECT site, to_site, per_mille FROM takeovers WHERE proposal = ? ORDER BY site, to_site", proposal
    ):
        takers.setdefault(site, []).append((to, int(part)))
    if not closing & set(takers):
        return
    ended: set[str] = set()
    asked: dict[tuple[str, str | None, str | None], dict[str, int]] = {}
    for line in open_requests(book.sql, read_state(book.sql)):
        if line.site not in closing or line.site not in takers:
            continue
        if line.request not in ended:
            ended.add(line.request)
            book.add("request_ends", request=line.request, outcome="withdrawn")
        whole = sum(part for _, part in takers[line.site])
        for to, part in takers[line.site]:
            items = asked.setdefault((to, line.programme, line.needed_by), {})
            items[line.item] = items.get(line.item, 0) - (-line.open * part // whole)
    for number, ((to, programme, needed_by), items) in enumerate(asked.items(), start=1):
        name = f"Q{book.seq}-{number}"
        book.add("requests", request=name, site=to, for_programme=programme, needed_by=needed_by)
        for item, quantity in items.items():
            book.add("request_lines", request=name, item=item, quantity=quantity)


def decline(book: Book, command: c.Decline) -> dict[str, Any]:
    """Keep that a person said no."""
    _undecided(book, command.proposal)
    book.add("decisions", proposal=command.proposal, outcome="declined", reason=command.reason)
    return {"proposal": command.proposal}


def _undecided(book: Book, proposal: str) -> None:
    if book.sql.one("SELECT 1 FROM proposals WHERE proposal = ?", proposal) is None:
        raise unknown("proposal", proposal, "see `nearer aid decisions`")
    row = book.sql.one("SELECT outcome, seq FROM decisions WHERE proposal = ?", proposal)
    if row is not None:
        raise RefusedError(
            "{proposal} was {decision} already, by transaction {transaction}.",
            proposal=proposal,
            decision=row[0],
            transaction=row[1],
        )


def _refuse_what_cannot_be_had(
    book: Book, chosen: list[tuple[int, str, str, str, str, int]], closing: set[str]
) -> None:
    """Every line that cannot be had any more, in one sentence each."""
    free: dict[tuple[str, str], int] = {}
    wrong: list[str] = []
    for line, day, lot, origin, to, quantity in chosen:
        key = (origin, lot)
        if key not in free:
            free[key] = book.balance(accounts.stock(origin), lot)
        found = book.sql.one(
            "SELECT l.use_by, r.lot FROM lots l LEFT JOIN recalls r ON r.lot = l.lot WHERE l.lot = ?", lot
        )
        assert found is not None
        if to in closing or state_of(book, to) == "closed":
            wrong.append(f"line {line}: {to} is closed")
        elif found[1] is not None:
            wrong.append(f"line {line}: {lot} is recalled")
        elif found[0] is not None and found[0] < max(day, book.day_at(origin)):
            wrong.append(f"line {line}: {lot} is to be used by {found[0]}")
        elif free[key] < quantity:
            wrong.append(f"line {line}: {origin} has {free[key]} of {lot} free, not {quantity}")
        else:
            free[key] -= quantity
    if wrong:
        more = f" and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        raise RefusedError(
            "{wrong}. Nothing was approved: allocate again, or approve without what is named.",
            wrong="; ".join(wrong[:_TOLD]) + more,
        )
