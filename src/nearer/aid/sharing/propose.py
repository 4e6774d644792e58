"""From a wish to a proposal that a person can decide on, and back to its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from nearer.aid import commands as c
from nearer.aid.allocation import FrontierPoint, Proposal, allocate, fairness_frontier
from nearer.aid.allocation.stages import Stage
from nearer.aid.clock import local_day
from nearer.aid.sharing.build import Built, Wish, build_case
from nearer.aid.sharing.needs import Need
from nearer.aid.sharing.state import State, read_state
from nearer.aid.store import Store, sql_of
from nearer.progress import Progress, Stop


@dataclass(frozen=True)
class Draft:
    """
    A proposal before it is kept.

    Parameters
    ----------
    state, built, proposal
        What it was made from, and what came out.
    command
        What keeps it in the ledger.
    """

    state: State
    built: Built
    proposal: Proposal
    command: c.Propose


def draft(
    store: Store,
    wish: Wish,
    *,
    as_of: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Draft:
    """
    Share what a ledger holds, fairly, by what its centres need.

    Parameters
    ----------
    wish
        Days, needs and crisis.
    as_of
        The last transaction that counts; the last there is without.

    Raises
    ------
    InputError
        Something that must be known of items or sites is not.
    RefusedError
        There is no such transaction.
    """
    with store.reading() as connection:
        sql = sql_of(connection)
        state = read_state(sql, as_of)
        built = build_case(sql, state, wish)
    proposal = allocate(built.case, stop, progress)
    return Draft(state, built, proposal, _command(state, built, wish, proposal))


def frontier(
    built: Built, points: int = 5, stop: Stop | None = None, progress: Progress | None = None
) -> tuple[FrontierPoint, ...]:
    """The most that can be served where every line keeps a part of its fair share."""
    return fairness_frontier(built.case, points, stop, progress)


def today_of(store: Store) -> date:
    """The day that it is at the first hub, or at the first site."""
    with store.reading() as connection:
        row = sql_of(connection).one("SELECT time_zone FROM sites ORDER BY kind <> 'hub', seq LIMIT 1")
    return local_day(store.now(), "UTC" if row is None else row[0])


def _command(state: State, built: Built, wish: Wish, proposal: Proposal) -> c.Propose:
    shares = [
        c.ProposedShare(
            site=share.centre, item=share.item, asked=share.asked, given=min(share.given, share.asked),
            fair=figure(share.fair), bound=figure(share.bound), because=_short(share.because),
        )
        for share in proposal.shares
    ]  # fmt: skip
    shares += [
        c.ProposedShare(
            site=aside.centre, item=aside.item, asked=aside.asked, given=0, fair="0", bound="0",
            because=_short(f"{aside.centre} gets nothing of {aside.asked} {aside.item} asked for: {aside.because}."),
        )
        for aside in proposal.set_aside
    ]  # fmt: skip
    shares += [
        c.ProposedShare(
            site=site, item=item, asked=asked, given=0, fair="0", bound="0",
            because=f"{site} is closed, and no open centre in reach takes over its {asked} {item}.",
        )
        for (site, item), asked in _sums(built.left_out).items()
    ]  # fmt: skip
    lines = []
    for shipment in proposal.shipments:
        lot, _, lies = shipment.lot.rpartition("@")
        lines.append(
            c.ProposedLine(
                day=shipment.day, arrives=shipment.arrives, lot=lot, origin=shipment.origin, to=shipment.to,
                for_site=shipment.centre, quantity=shipment.quantity, onward=shipment.origin != lies,
            )
        )  # fmt: skip
    proven = proposal.complete and all(stage.proven for stage in proposal.stages)
    return c.Propose(
        type="crisis" if wish.closing or wish.surges else "share",
        as_of=state.as_of,
        first_day=wish.first_day,
        last_day=wish.last_day,
        inputs=built.inputs,
        solver=f"nearer {version('nearer')}, HiGHS {version('highspy')}",
        status="stopped" if not proposal.complete else "proven" if proven else "unproven",
        stages=tuple(_stage(stage) for stage in proposal.stages),
        lines=tuple(lines),
        shares=tuple(sorted(shares, key=lambda share: (share.site, share.item))),
        closures=tuple(c.Closure.model_validate({"site": site, "reason": why}) for site, why in wish.closing.items()),
        surges=tuple(c.Surge(site=site, per_mille=much) for site, much in wish.surges.items()),
        takeovers=tuple(c.Takeover(site=site, to=to, per_mille=part) for (site, to), part in built.takeovers.items()),
    )


def _stage(stage: Stage) -> c.ProposedStage:
    return c.ProposedStage(
        stage=stage.name, unit=stage.unit, value=figure(stage.value), bound=figure(stage.bound), proven=stage.proven
    )


def _sums(needs: tuple[Need, ...]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for need in needs:
        found[need.site, need.item] = found.get((need.site, need.item), 0) + need.quantity
    return found


def _short(text: str) -> str:
    return text if len(text) <= 1000 else f"{text[:999]}…"


def figure(value: float) -> str:
    """A figure as decimal text, to twelve digits."""
    return format(Decimal(f"{value:.12g}") + 0, "f")


def proposal_of(store: Store, name: str) -> dict[str, Any]:
    """
    A kept proposal as plain values: head, stages, lines, shares, closures, surges, takeovers and the decision.

    Raises
    ------
    RefusedError
        There is none of that number.
    """
    from nearer.aid.refusals import unknown

    with store.reading() as connection:
        sql = sql_of(connection)

        def rows(statement: str, *names: str) -> list[dict[str, Any]]:
            return [dict(zip(names, row, strict=True)) for row in sql.all(statement, name)]

        heads = rows(
            "SELECT proposal, kind, as_of, first_day, last_day, inputs, solver, status FROM proposals "
            "WHERE proposal = ?",
            "proposal", "kind", "as_of", "first_day", "last_day", "inputs", "solver", "status",
        )  # fmt: skip
        if not heads:
            raise unknown("proposal", name, "see `nearer aid decisions`")
        decided = rows(
            "SELECT d.outcome, t.actor, t.at, d.seq FROM decisions d JOIN transactions t ON t.seq = d.seq "
            "WHERE d.proposal = ?",
            "outcome", "by", "at", "transaction",
        )  # fmt: skip
        return {
            **heads[0],
            "decision": decided[0] if decided else None,
            "stages": rows(
                "SELECT stage, unit, value, bound, proven FROM proposal_stages WHERE proposal = ? ORDER BY line",
                "stage", "unit", "value", "bound", "proven",
            ),
            "lines": rows(
                "SELECT p.line, p.day, p.arrives, p.from_site, p.to_site, p.for_site, l.item, p.lot, p.quantity, "
                "i.unit, p.onward, d.reservation FROM proposal_lines p JOIN lots l ON l.lot = p.lot "
                "JOIN items i ON i.item = l.item "
                "LEFT JOIN decision_lines d ON d.proposal = p.proposal AND d.line = p.line "
                "WHERE p.proposal = ? ORDER BY p.line",
                "line", "day", "arrives", "from", "to", "for", "item", "lot", "quantity", "unit", "onward",
                "reservation",
            ),
            "shares": rows(
                "SELECT site, item, asked, given, fair, bound, because FROM proposal_shares WHERE proposal = ? "
                "ORDER BY site, item",
                "site", "item", "asked", "given", "fair", "bound", "because",
            ),
            "closures": rows("SELECT site, reason FROM closures WHERE proposal = ? ORDER BY site", "site", "reason"),
            "surges": rows("SELECT site, per_mille FROM surges WHERE proposal = ? ORDER BY site", "site", "per_mille"),
            "takeovers": rows(
                "SELECT site, to_site, per_mille FROM takeovers WHERE proposal = ? "
                "ORDER BY site, per_mille DESC, to_site",
                "site", "to", "per_mille",
            ),
        }  # fmt: skip


def decisions_of(store: Store) -> list[dict[str, Any]]:
    """Every proposal in order: who made it and when, and who decided what, when and why."""
    with store.reading() as connection:
        rows = sql_of(connection).all(
            "SELECT p.proposal, p.kind, p.as_of, p.first_day, p.last_day, p.status, t.actor, t.at, "
            "d.outcome, d.reason, u.actor, u.at, "
            "(SELECT COUNT(*) FROM decision_lines l WHERE l.proposal = p.proposal), "
            "(SELECT COUNT(*) FROM proposal_lines l WHERE l.proposal = p.proposal), "
            "(SELECT MIN(r.seq) FROM transactions r WHERE r.reverses = d.seq) "
            "FROM proposals p JOIN transactions t ON t.seq = p.seq LEFT JOIN decisions d ON d.proposal = p.proposal "
            "LEFT JOIN transactions u ON u.seq = d.seq ORDER BY p.seq"
        )
    names = (
        "proposal", "kind", "as_of", "first_day", "last_day", "status", "made_by", "made_at", "decision", "reason",
        "decided_by", "decided_at", "set_aside", "lines", "reversed_by",
    )  # fmt: skip
    return [dict(zip(names, row, strict=True)) | {"decision": row[8] or "open"} for row in rows]
