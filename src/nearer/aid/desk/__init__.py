"""The use-cases: each a plain function from an open book and a command to postings and an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.desk import (
    asking,
    counting,
    giving,
    holding,
    intake,
    leasing,
    making,
    mending,
    setup,
    sharing,
    telling,
)

Handler = Callable[[Book, Any], dict[str, Any]]

_HANDLERS: dict[type[c.Command], Handler] = {
    c.AddSite: setup.add_site,
    c.SetSiteState: setup.set_site_state,
    c.AddParty: setup.add_party,
    c.AddItem: setup.add_item,
    c.AddUnit: setup.add_unit,
    c.AddRecipe: setup.add_recipe,
    c.AddProgramme: setup.add_programme,
    c.OpenPeriod: setup.open_period,
    c.Receive: intake.receive,
    c.Pledge: intake.pledge,
    c.ReceivePledge: intake.receive_pledge,
    c.Buy: intake.buy,
    c.Spend: intake.spend,
    c.Reserve: holding.reserve,
    c.Release: holding.release,
    c.Send: holding.send,
    c.Arrive: holding.arrive,
    c.Damage: holding.damage,
    c.Lose: holding.lose,
    c.Expire: holding.expire,
    c.GiveBack: holding.give_back,
    c.Recall: holding.recall,
    c.Make: making.make,
    c.Stocktake: counting.stocktake,
    c.HandOver: giving.hand_over,
    c.Lease: leasing.lease,
    c.EndLease: leasing.end_lease,
    c.HandOverOffline: leasing.hand_over_offline,
    c.Resolve: mending.resolve,
    c.Publish: telling.publish,
    c.MeasureItem: asking.measure_item,
    c.SetHours: asking.set_hours,
    c.SetCapacity: asking.set_capacity,
    c.SetVehicle: asking.set_vehicle,
    c.SetWays: asking.set_ways,
    c.SetTarget: asking.set_target,
    c.Ask: asking.ask,
    c.CloseRequest: asking.close_request,
    c.Propose: sharing.propose,
    c.Approve: sharing.approve,
    c.Decline: sharing.decline,
    c.Reverse: mending.reverse,
}


def handler_of(command: c.Command) -> Handler:
    """The use-case that carries out a command."""
    return _HANDLERS[type(command)]
