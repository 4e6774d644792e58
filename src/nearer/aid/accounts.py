"""
Accounts: where a lot is, or where it went.

An account is a text ``KIND:site:reference``; site and reference may be empty. Only giver's, variance's and conversion's
accounts may go below zero: they are where lots come from.
"""

from __future__ import annotations

DONOR = "DONOR"
PLEDGED = "PLEDGED"
STOCK = "STOCK"
RESERVED = "RESERVED"
TRANSIT = "TRANSIT"
HANDED_OVER = "HANDED_OVER"
EXPIRED = "EXPIRED"
DAMAGED = "DAMAGED"
LOST = "LOST"
RETURNED = "RETURNED"
SPENT = "SPENT"
VARIANCE = "VARIANCE"
CONVERT = "CONVERT"

UNBOUNDED = (DONOR, VARIANCE, CONVERT)
"""Kinds that may go below zero."""

HELD = (STOCK, RESERVED, TRANSIT)
"""Kinds that still hold what came in."""

GONE = (HANDED_OVER, EXPIRED, DAMAGED, LOST, RETURNED, SPENT)
"""Kinds that what came in leaves to."""

KINDS = (*UNBOUNDED, PLEDGED, *HELD, *GONE)


def donor(party: str) -> str:
    """Where a gift comes from."""
    return f"{DONOR}::{party}"


def pledged(pledge: str) -> str:
    """What was promised and has not come."""
    return f"{PLEDGED}::{pledge}"


def stock(site: str) -> str:
    """What a site holds freely."""
    return f"{STOCK}:{site}:"


def reserved(site: str, reservation: str) -> str:
    """What a site holds for a purpose."""
    return f"{RESERVED}:{site}:{reservation}"


def transit(shipment: str) -> str:
    """What is on its way."""
    return f"{TRANSIT}::{shipment}"


def handed_over(site: str, programme: str, period: str) -> str:
    """What households received from a site in a period."""
    return f"{HANDED_OVER}:{site}:{programme}/{period}"


def gone(kind: str, site: str) -> str:
    """What a site wrote off, gave back or paid."""
    return f"{kind}:{site}:"


def variance(site: str) -> str:
    """What counting at a site found too much (below zero) or too little (above)."""
    return f"{VARIANCE}:{site}:"


def convert(site: str) -> str:
    """Where lots of a site become other lots."""
    return f"{CONVERT}:{site}:"


def parts(account: str) -> tuple[str, str, str]:
    """Kind, site and reference of an account."""
    kind, _, rest = account.partition(":")
    site, _, reference = rest.partition(":")
    return kind, site, reference


def is_bounded(account: str) -> bool:
    """Whether an account may never go below zero."""
    return account.split(":", 1)[0] not in UNBOUNDED
