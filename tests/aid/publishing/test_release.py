"""Tables of a ledger: small counts stay hidden, whatever is published when and whatever is entered later."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from nearer.aid import commands as c
from nearer.aid.publishing import Release, releases
from nearer.aid.refusals import RefusedError
from nearer.aid.seeing.served import visits
from nearer.aid.store import Store, sql_of

from ..town import Desk, tag, wanted
from .attack import bounds

LEAST = 3


@pytest.fixture
def store(year: Path, tmp_path: Path) -> Iterator[Store]:
    """A copy of the made-up year."""
    with Store(str(shutil.copy(year, tmp_path / "year.db"))) as found:
        yield found


def publish(store: Store, **asked: object) -> None:
    command = c.Publish.model_validate({"least": LEAST, **asked})
    store.do(command, id=f"publish-{asked['rows']}-{asked['columns']}-{asked['last_day']}", actor="office")


def told(store: Store) -> list[Release]:
    with store.reading() as connection:
        return releases(sql_of(connection))


def days_of(release: Release, column: str | None) -> list[date]:
    days = [release.span.first + timedelta(days=k) for k in range(release.span.days)]
    if column is None:
        return days
    if release.columns == "month":
        return [day for day in days if day.isoformat().startswith(column)]
    return [day for day in days if f"{day.isocalendar().year}-W{day.isocalendar().week:02d}" == column]


def atoms_of(release: Release, key: tuple[str | None, str | None]) -> frozenset[tuple[str, str, date]]:
    """A cell as a sum over places, programmes and days."""
    named = {row for row, _ in release.cells if row is not None}
    row, column = key
    sites = ({row} if row else named) if release.rows == "site" else {"harbour", "hillside", "market", "mill-lane"}
    programmes = ({row} if row else named) if release.rows == "programme" else {"basics", "baby", "winter"}
    days = days_of(release, column)
    return frozenset((site, programme, day) for site in sites for programme in programmes for day in days)


PLANS = {
    "weeks, then longer": [
        ("site", "week", "2025-02-03", "2025-03-30"),
        ("site", "week", "2025-02-03", "2025-04-06"),
        ("site", "week", "2025-03-03", "2025-04-20"),
    ],
    "months, weeks and programmes": [
        ("site", "month", "2025-01-01", "2025-03-31"),
        ("site", "week", "2025-01-06", "2025-03-30"),
        ("programme", "month", "2025-01-01", "2025-04-30"),
    ],
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_all_tables_together_leave_every_small_count_open(store: Store, plan: list[tuple[str, ...]]) -> None:
    for rows, columns, first, last in plan:
        publish(store, rows=rows, columns=columns, first_day=first, last_day=last)
    with store.reading() as connection:
        seen: set[tuple[str, str, str]] = set()
        truth: dict[tuple[str, str, date], int] = {}
        for visit in visits(sql_of(connection)):
            if visit.claim not in seen:
                seen.add(visit.claim)
                atom = visit.site, visit.programme, visit.day
                truth[atom] = truth.get(atom, 0) + 1
    known = [
        (atoms_of(release, key), count)
        for release in told(store)
        for key, count in release.cells.items()
        if count is not None
    ]
    for atoms, count in known:
        assert count == sum(truth.get(atom, 0) for atom in atoms)
    attacked = 0
    for release in told(store):
        for key, count in release.cells.items():
            true = sum(truth.get(atom, 0) for atom in atoms_of(release, key))
            if count is not None:
                assert count >= LEAST or count == 0
            elif true < LEAST:
                attacked += 1
                assert bounds(known, atoms_of(release, key))[1] >= LEAST - 1e-6, (release.name, key, true)
    assert attacked > 10


@pytest.fixture
def busy(town: Desk) -> Desk:
    """Twelve households at the north and four at the south in one week, twelve and eleven in the next."""
    for site in ("north", "south"):
        town.give(site, item="rice", quantity=100_000)
    number = 0
    for day, site, households in ((3, "north", 12), (4, "south", 4), (10, "north", 12), (11, "south", 11)):
        for _ in range(households):
            number += 1
            serve(town, site, number, day)
    return town


def serve(town: Desk, site: str, number: int, day: int) -> int:
    at = datetime(2026, 3, day, 12, tzinfo=UTC)
    given = town.do(c.HandOver(site=site, programme="basics", tag=tag(number), size=1, lines=wanted(rice=1)), at=at)
    return int(given["transaction"])


def weeks(town: Desk, last: str, first: str = "2026-03-02", **more: object) -> Release:
    town.do(c.Publish.model_validate({"first_day": first, "last_day": last, **more}))
    return told(town.store)[-1]


def test_a_table_hides_what_is_small_and_what_would_tell_it(busy: Desk) -> None:
    busy.do(c.SetSiteState(site="north", state="open"), at=datetime(2026, 3, 20, tzinfo=UTC))
    found = weeks(busy, "2026-03-15").cells
    assert found == {
        ("north", "2026-W10"): None,
        ("north", "2026-W11"): None,
        ("north", None): 24,
        ("south", "2026-W10"): None,
        ("south", "2026-W11"): None,
        ("south", None): 15,
        (None, "2026-W10"): 16,
        (None, "2026-W11"): 23,
        (None, None): 39,
    }


def test_what_is_entered_or_reversed_later_changes_no_table(busy: Desk) -> None:
    busy.do(c.SetSiteState(site="north", state="open"), at=datetime(2026, 3, 20, tzinfo=UTC))
    first = weeks(busy, "2026-03-15")
    serve(busy, "north", 101, 5)
    serve(busy, "south", 102, 12)
    busy.do(c.Reverse(transaction=serve(busy, "south", 103, 12)))
    assert weeks(busy, "2026-03-15").cells == first.cells


def test_a_household_counts_once_in_a_period_where_it_first_came(busy: Desk) -> None:
    for _ in range(3):
        serve(busy, "south", 1, 12)
    busy.do(c.SetSiteState(site="north", state="open"), at=datetime(2026, 3, 20, tzinfo=UTC))
    assert weeks(busy, "2026-03-15").cells[None, None] == 39


def test_a_centre_that_was_closed_and_a_programme_that_did_not_run_are_nought(busy: Desk) -> None:
    busy.do(c.SetSiteState(site="south", state="closed"), at=datetime(2026, 3, 14, tzinfo=UTC))
    busy.do(c.SetSiteState(site="south", state="open"), at=datetime(2026, 3, 24, tzinfo=UTC))
    busy.do(c.SetSiteState(site="north", state="open"), at=datetime(2026, 4, 20, tzinfo=UTC))
    found = weeks(busy, "2026-04-12").cells
    assert found["south", "2026-W12"] == 0
    assert found["north", "2026-W12"] is None  # it was open, and nobody came
    assert found["north", "2026-W15"] == found[None, "2026-W15"] == 0


def test_a_week_that_is_not_over_and_days_that_are_no_weeks_are_refused(busy: Desk) -> None:
    with pytest.raises(RefusedError, match="not over"):
        weeks(busy, "2026-03-15")
    busy.do(c.SetSiteState(site="north", state="open"), at=datetime(2026, 3, 20, tzinfo=UTC))
    with pytest.raises(RefusedError, match="whole weeks"):
        weeks(busy, "2026-03-14")
    with pytest.raises(RefusedError, match="whole months"):
        weeks(busy, "2026-03-15", first="2026-03-01", columns="month")
    assert told(busy.store) == []


def test_a_lower_limit_later_shows_nothing_that_was_hidden_under_a_higher_one(busy: Desk) -> None:
    busy.do(c.SetSiteState(site="north", state="open"), at=datetime(2026, 3, 20, tzinfo=UTC))
    first = weeks(busy, "2026-03-15")
    later = weeks(busy, "2026-03-15", least=3)
    assert later.cells == first.cells
