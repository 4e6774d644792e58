"""Flows and movement cards add up, whatever happened and wherever the span is cut."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from nearer.aid import commands as c
from nearer.aid.refusals import RefusedError
from nearer.aid.seeing import flows, span_of, stock_card
from nearer.aid.seeing.flows import WAYS
from nearer.aid.store import sql_of
from nearer.aid.views import balances_of
from nearer.errors import UsageError

from ..town import Desk, every_command


def sums(town: Desk, first: str | None = None, last: str | None = None) -> dict[tuple[str, str], dict[str, int]]:
    with town.store.reading() as connection:
        sql = sql_of(connection)
        return {(row["site"], row["item"]): row for row in flows(sql, span_of(sql, first, last))}


def held(town: Desk) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for kind in ("STOCK", "RESERVED"):
        for row in balances_of(town.store, kind=kind):
            key = row["site"], row["item"]
            found[key] = found.get(key, 0) + row["quantity"]
    return found


def test_flows_end_at_what_is_there_and_every_command_has_its_column(town: Desk) -> None:
    every_command(town)
    found = sums(town)
    assert {key: row["closing"] for key, row in found.items() if row["closing"]} == held(town)
    for row in found.values():
        assert row["opening"] == 0
        assert row["opening"] + sum(row[way] for way in (*WAYS, "other")) == row["closing"]
        assert row["other"] == 0
    assert found["hub", "rice"]["given"] == 100_000
    assert found["hub", "rice"]["made"] == -12_000
    assert found["south", "rice"]["written_off"] == -500
    assert found["north", "kit"]["handed_over"] == -1  # one of two was reversed


def test_one_span_ends_where_the_next_begins(town: Desk) -> None:
    every_command(town)
    before, after = sums(town, last="2026-03-03"), sums(town, first="2026-03-04")
    for key, row in after.items():
        assert row["opening"] == (before[key]["closing"] if key in before else 0)


def test_a_day_ends_when_it_ends_at_the_site(town: Desk) -> None:
    """Four in the morning UTC is still the day before in São Paulo, and the same day in Vaduz."""
    for site in ("north", "south"):
        gift = c.Gift(item="rice", quantity=7)
        town.do(
            c.Receive(site=site, giver="mill", lines=(gift,)), at=datetime.fromisoformat("2026-03-05T02:30:00+00:00")
        )
    found = sums(town, "2026-03-05", "2026-03-05")
    assert found["north", "rice"]["given"] == 7
    assert found["south", "rice"]["opening"] == 7


def test_a_card_goes_from_opening_to_closing(town: Desk) -> None:
    every_command(town)
    with town.store.reading() as connection:
        sql = sql_of(connection)
        card = stock_card(sql, span_of(sql), "north", item="rice")
    assert card["closing"] == held(town)["north", "rice"]
    running = card["opening"]
    for line in card["lines"]:
        running += (line["came"] or 0) - (line["went"] or 0)
        assert line["held"] == running
    assert {line["kind"] for line in card["lines"]} >= {"arrive", "hand-over", "reverse", "damage", "stocktake"}


def test_setting_aside_moves_nothing_on_a_card(town: Desk) -> None:
    lot = town.give(item="rice", quantity=5_000)
    town.do(c.Reserve(site="hub", lines=(c.Wanted(item="rice", quantity=3_000),)))
    with town.store.reading() as connection:
        sql = sql_of(connection)
        card = stock_card(sql, span_of(sql), "hub", lot=lot)
    assert [(line["kind"], line["held"]) for line in card["lines"]] == [("receive", 5_000)]


def test_what_is_not_there_is_named(town: Desk) -> None:
    with town.store.reading() as connection:
        sql = sql_of(connection)
        span = span_of(sql)
        with pytest.raises(RefusedError, match="no site 'nowhere'"):
            flows(sql, span, site="nowhere")
        with pytest.raises(RefusedError, match="no item 'stone'"):
            stock_card(sql, span, "hub", item="stone")
        with pytest.raises(UsageError, match="--item or --lot"):
            stock_card(sql, span, "hub")
        with pytest.raises(UsageError, match="before the first"):
            span_of(sql, date(2026, 3, 2), date(2026, 3, 1))
        with pytest.raises(UsageError, match="no day"):
            span_of(sql, "yesterday")
