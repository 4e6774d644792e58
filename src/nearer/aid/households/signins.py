"""
Who signed in, was refused, waited or signed out: when, how, and from which network.

A password is never kept. What was typed as a staff code is kept only where it is one: it could be a password that went
into the wrong field.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import sqlalchemy as sa

from nearer.aid.clock import moment_text
from nearer.aid.households.store import Households
from nearer.aid.households.tables import sign_ins, staff

TERMINAL = "terminal"
"""Where somebody is who signs in at the command line."""


def network_of(address: str) -> str:
    """An address, shortened to its network: 24 bits of IPv4, 48 of IPv6; empty where it is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


def keep(people: Households, code: str | None, outcome: str, way: str, network: str) -> None:
    """
    Write one line.

    Parameters
    ----------
    code
        As it was typed.
    outcome, way
        Of ``tables.OUTCOMES`` and ``tables.WAYS``.
    network
        As ``network_of`` or ``TERMINAL``.
    """
    known = sa.select(staff.c.staff).where(staff.c.staff == code)
    with people.writing() as connection:
        connection.execute(
            sign_ins.insert().values(
                at=moment_text(people.now()),
                staff=connection.execute(known).scalar(),
                outcome=outcome,
                way=way,
                network=network,
            )
        )


def newest(people: Households, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Lines before one, the newest first: line, at, staff (None for a code that nobody has), outcome, way, network."""
    asked = sa.select(sign_ins).order_by(sign_ins.c.line.desc()).limit(limit)
    if before is not None:
        asked = asked.where(sign_ins.c.line < before)
    with people.reading() as connection:
        return [dict(row) for row in connection.execute(asked).mappings()]
