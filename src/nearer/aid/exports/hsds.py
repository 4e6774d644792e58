"""The directory of centres in the form of Open Referral's Human Services Data Specification 3."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from nearer.aid.driver import Sql
from nearer.aid.tables import WEEKDAYS


def hsds_services(
    sql: Sql, ledger: str, organisation: str, places: Mapping[str, tuple[float, float]] | None = None
) -> list[dict[str, Any]]:
    """
    Programmes as services, each with the centres where it is offered.

    Parameters
    ----------
    ledger
        The ledger's own number: identifiers follow from it and from codes, and stay the same.
    organisation
        Who offers them, by name.
    places
        Centre → longitude and latitude; the ledger knows none.
    """

    def id_of(*parts: str) -> str:
        return str(uuid.uuid5(uuid.UUID(ledger), "/".join(("hsds", *parts))))

    owner = {"id": id_of("organisation"), "name": organisation, "description": organisation}
    open_at = _hours(sql)
    locations = []
    for site, name, state in sql.all(
        "SELECT s.site, s.name, (SELECT state FROM site_states x WHERE x.site = s.site "
        "ORDER BY x.seq DESC LIMIT 1) FROM sites s WHERE s.kind <> 'hub' ORDER BY s.seq, s.site"
    ):
        at = (places or {}).get(site)
        location = {"id": id_of("location", site), "location_type": "physical", "name": name}
        location |= {"external_identifier": site, "external_identifier_type": "nearer site"}
        if at is not None:
            location |= {"longitude": at[0], "latitude": at[1]}
        if state == "closed":
            location["description"] = "Closed at present."
        if site in open_at:
            location["schedules"] = [
                {
                    "id": id_of("schedule", site, day),
                    "freq": "WEEKLY",
                    "byday": day[:2].upper(),
                    **({} if opens is None else {"opens_at": opens, "closes_at": closes}),
                }
                for day, opens, closes in open_at[site]
            ]
        locations.append((str(site), location))
    found = []
    for programme, name in sql.all("SELECT programme, name FROM programmes ORDER BY seq, programme"):
        service_id = id_of("service", programme)
        found.append(
            {
                "id": service_id,
                "name": name,
                "status": "active",
                "organization": owner,
                "service_at_locations": [
                    {"id": id_of("at", programme, site), "location": location} for site, location in locations
                ],
            }
        )
    return found


def _hours(sql: Sql) -> dict[str, list[tuple[str, str | None, str | None]]]:
    """Weekday, opening and closing of each site that said so, as it said last."""
    found: dict[str, list[tuple[str, str | None, str | None]]] = {}
    for site, day, opens, closes in sql.all(
        "SELECT site, weekday, opens, closes FROM hours h "
        "WHERE seq = (SELECT MAX(seq) FROM hours x WHERE x.site = h.site)"
    ):
        found.setdefault(str(site), []).append((day, opens, closes))
    return {site: sorted(days, key=lambda row: WEEKDAYS.index(row[0])) for site, days in found.items()}
