"""
Staff: codes with a role and a password; and which role may do what.

Nobody is deleted: who left is disabled, so that the ledger's codes keep their meaning. As long as there is no staff at
all (one laptop, one person) nothing is asked.
"""

from __future__ import annotations

import re
from typing import Any

import argon2
import sqlalchemy as sa

from nearer.aid.commands import CODE
from nearer.aid.households.store import Households
from nearer.aid.households.tables import ROLES, staff
from nearer.aid.refusals import RefusedError
from nearer.errors import UsageError

SHORTEST = 10
"""Signs that a password has at least."""

_VIEWER, _DESK, _STOCK, _COORDINATOR, _AUDITOR = ROLES
_ALL = ROLES
_GOODS = (_STOCK, _COORDINATOR)
_CARDS = (_DESK, _COORDINATOR)
_BOSS = (_COORDINATOR,)
_BOOKS = (_AUDITOR, _COORDINATOR)

MAY: dict[str, tuple[str, ...]] = {
    # Commands of the ledger, by their kind (nearer.aid.commands).
    "add-site": _BOSS,
    "set-site-state": _BOSS,
    "add-party": _GOODS,
    "add-item": _GOODS,
    "add-unit": _GOODS,
    "add-recipe": _GOODS,
    "add-programme": _BOSS,
    "open-period": _BOSS,
    "receive": _GOODS,
    "pledge": _BOSS,
    "receive-pledge": _BOSS,
    "buy": _BOSS,
    "import-gifts": _GOODS,
    "import-stock": _GOODS,
    "import-items": _GOODS,
    "import-epcis": _GOODS,
    "spend": _BOSS,
    "reserve": (_DESK, _STOCK, _COORDINATOR),
    "release": (_DESK, _STOCK, _COORDINATOR),
    "send": _GOODS,
    "arrive": _GOODS,
    "damage": _GOODS,
    "lose": _GOODS,
    "expire": _GOODS,
    "give-back": _GOODS,
    "recall": _GOODS,
    "make": _GOODS,
    "stocktake": _GOODS,
    "hand-over": _CARDS,
    "lease": _CARDS,
    "end-lease": _CARDS,
    "hand-over-offline": _BOSS,  # past the desk's own journal
    "resolve": _BOSS,
    "reverse": _BOSS,
    # Asking and sharing.
    "measure-item": _GOODS,
    "set-hours": _BOSS,
    "set-capacity": _BOSS,
    "set-vehicle": _BOSS,
    "set-ways": _BOSS,
    "set-target": _BOSS,
    "ask": (_DESK, _STOCK, _COORDINATOR),
    "close-request": (_DESK, _STOCK, _COORDINATOR),
    "propose": _GOODS,
    "approve": _BOSS,
    "decline": _BOSS,
    # Desks that are away.
    "sync": _CARDS,
    "leases": _ALL,
    "conflicts": (_DESK, _COORDINATOR, _AUDITOR),
    # What reads the ledger; over HTTP every question is "read".
    "read": _ALL,
    "list": _ALL,
    "balances": _ALL,
    "movements": _ALL,
    "trace": _ALL,
    "requests": _ALL,
    "proposal": _ALL,
    "decisions": _ALL,
    "flows": _ALL,
    "stock-card": _ALL,
    "indicators": _ALL,
    "assert-balance": _ALL,
    "published": _ALL,
    "thanks": _ALL,
    "report": _ALL,
    "export-table": _ALL,
    # Keeping it, and telling others.
    "publish": _BOSS,
    "export-epcis": _BOSS,
    "export-hxl": _BOSS,
    "export-hsds": _BOSS,
    "export-demand": _BOSS,
    "backup": _BOSS,
    "restore": _BOSS,
    "backup-households": _BOSS,
    "restore-households": _BOSS,
    "upgrade": _BOSS,
    "audit": _ALL,
    "key": _BOOKS,
    "head": _BOOKS,
    "serve": _BOSS,
    # Many commands at once: each of them is looked up here too.
    "do": _ALL,
    # Households.
    "hand-over-by-tag": _BOSS,  # past the cards
    "witness": _CARDS,
    "look": _CARDS,
    "enrol": _CARDS,
    "card": _CARDS,
    "change-household": _CARDS,
    "labels": (_DESK, _STOCK, _COORDINATOR),
    "retain": _BOSS,
    "access-log": _BOOKS,
    "sign-ins": _BOOKS,
    # Staff.
    "add-staff": _BOSS,
    "change-staff": _BOSS,
    "staff": _BOOKS,
    "password": _ALL,  # one's own
}
"""Which roles may do what. What does not stand here, nobody may."""

_VOUCHED = "account "
"""Instead of a password's hash: no password fits it."""

_HASHER = argon2.PasswordHasher()
_NOBODY = _HASHER.hash("nobody has this password")


def may(role: str, kind: str) -> bool:
    """Whether a role may do something: a kind of command, or an act such as "look"."""
    return role in MAY.get(kind, ())


def need(role: str | None, kind: str) -> None:
    """
    Refuse what a role may not do; None is nobody's role, as long as there is no staff, and may do everything.

    Raises
    ------
    RefusedError
        Says who may.
    """
    if role is not None and not may(role, kind):
        who = " or ".join(MAY.get(kind, ()))
        if not who:
            raise RefusedError("The role {role} may not do {kind}; no role may.", role=role, kind=kind)
        raise RefusedError("The role {role} may not do {kind}; {who} may.", role=role, kind=kind, who=who)


def check(book: Households, code: str, password: str) -> str:
    """
    The role of who gives this code and password.

    Raises
    ------
    RefusedError
        One of the two is wrong, or the code is disabled; which of these is not said, and takes as long to find out.
    """
    with book.reading() as connection:
        row = connection.execute(sa.select(staff).where(staff.c.staff == code)).mappings().first()
    right = fits(_NOBODY if row is None else row["password_hash"], password)
    if not right or row is None or row["disabled_on"] is not None:
        raise RefusedError("This staff code and password do not go together.")
    return str(row["role"])


def role_of(book: Households, code: str) -> str | None:
    """The role of a code; None where there is none, or it is disabled."""
    asked = sa.select(staff.c.role).where(staff.c.staff == code, staff.c.disabled_on.is_(None))
    with book.reading() as connection:
        found = connection.execute(asked).scalar()
    return None if found is None else str(found)


def any_staff(book: Households) -> bool:
    """Whether there is staff; without any, nothing is checked."""
    with book.reading() as connection:
        return connection.execute(sa.select(staff.c.staff).limit(1)).first() is not None


def add(book: Households, code: str, role: str, password: str) -> None:
    """
    Add somebody; the first is a coordinator.

    Raises
    ------
    UsageError, RefusedError
        A value is not what it must be; the code is taken; the first is no coordinator.
    """
    if re.fullmatch(CODE, code) is None:
        raise UsageError("A staff code has small letters, digits and dashes; it is no person's name.")
    _check_role(role)
    hashed = hash_of(password)
    with book.writing() as connection:
        there = set(connection.execute(sa.select(staff.c.staff)).scalars())
        if code in there:
            raise RefusedError("There is a staff code {code} already; give another.", code=code)
        if not there and role != _COORDINATOR:
            raise RefusedError("The first is a {role}: from then on nobody else could add anyone.", role=_COORDINATOR)
        connection.execute(staff.insert().values(staff=code, role=role, password_hash=hashed, added_on=book.today()))


def vouched(book: Households, code: str, role: str, mark: str) -> None:
    """
    Somebody comes in with another organisation's account: is added without a password, or has the role it says now.

    Parameters
    ----------
    mark
        Stands for the account.

    Raises
    ------
    RefusedError
        The code is somebody's who has a password or another account, or is disabled; or no coordinator would be left.
    """
    kept = f"{_VOUCHED}{mark}"
    with book.writing() as connection:
        row = connection.execute(sa.select(staff).where(staff.c.staff == code)).mappings().first()
        if row is None:
            values = {"staff": code, "role": role, "password_hash": kept, "added_on": book.today()}
            connection.execute(staff.insert().values(values))
            return
        if row["password_hash"] != kept or row["disabled_on"] is not None:
            raise RefusedError("This staff code is somebody else's, or is let in no more.")
        connection.execute(staff.update().where(staff.c.staff == code).values(role=role))
        left = sa.select(staff.c.staff).where(staff.c.role == _COORDINATOR, staff.c.disabled_on.is_(None))
        if connection.execute(left).first() is None:
            raise RefusedError("No coordinator would be left; make another one first.")


def change(book: Households, code: str, *, role: str | None = None, disabled: bool | None = None) -> None:
    """
    Give somebody another role, disable or enable them.

    Raises
    ------
    RefusedError
        There is no such code, or no coordinator would be left.
    """
    if role is not None:
        _check_role(role)
    with book.writing() as connection:
        if book.is_postgres:
            connection.exec_driver_sql("LOCK TABLE staff IN EXCLUSIVE MODE")  # so that one coordinator stays
        values: dict[str, Any] = {} if role is None else {"role": role}
        if disabled is not None:
            values["disabled_on"] = book.today() if disabled else None
        done = connection.execute(staff.update().where(staff.c.staff == code).values(values or {"staff": code}))
        if done.rowcount != 1:
            raise RefusedError("There is no staff code {code}; see `nearer aid staff`.", code=code)
        left = sa.select(staff.c.staff).where(staff.c.role == _COORDINATOR, staff.c.disabled_on.is_(None))
        if connection.execute(left).first() is None:
            raise RefusedError("No coordinator would be left; make another one first.")


def set_password(book: Households, code: str, password: str) -> None:
    """
    Give somebody a new password.

    Raises
    ------
    UsageError, RefusedError
        It is too short, or there is no such code.
    """
    hashed = hash_of(password)
    with book.writing() as connection:
        done = connection.execute(staff.update().where(staff.c.staff == code).values(password_hash=hashed))
        if done.rowcount != 1:
            raise RefusedError("There is no staff code {code}; see `nearer aid staff`.", code=code)


def listed(book: Households) -> list[dict[str, Any]]:
    """Everybody: code, role, since when, and until when."""
    asked = sa.select(staff.c.staff, staff.c.role, staff.c.added_on, staff.c.disabled_on).order_by(staff.c.staff)
    with book.reading() as connection:
        return [dict(row) for row in connection.execute(asked).mappings()]


def hash_of(password: str) -> str:
    """
    The argon2id hash of a password.

    Raises
    ------
    UsageError
        It is too short.
    """
    if len(password) < SHORTEST:
        raise UsageError(f"A password has at least {SHORTEST} signs; a few words do.")
    return _HASHER.hash(password)


def hash_of_pin(pin: str) -> str:
    """
    The argon2id hash of a household's PIN.

    Raises
    ------
    UsageError
        It is not 4 to 8 digits.
    """
    if re.fullmatch(r"[0-9]{4,8}", pin) is None:
        raise UsageError("A PIN has 4 to 8 digits.")
    return _HASHER.hash(pin)


def fits(hashed: str, secret: str) -> bool:
    """Whether a password or PIN is the one that was hashed."""
    try:
        return _HASHER.verify(hashed, secret)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"There is no role {role}; there are {', '.join(ROLES)}.")
