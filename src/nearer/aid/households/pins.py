"""A household's PIN: tried a few times only, whoever tries and however many at once."""

from __future__ import annotations

import sqlalchemy as sa

from nearer.aid.households import staff
from nearer.aid.households.store import Households
from nearer.aid.households.tables import households
from nearer.aid.refusals import RefusedError

MOST_WRONG = 5
"""Wrong tries in a row after which a PIN is good for nothing."""


def check_pin(book: Households, household: str, pin: str) -> None:
    """
    Have a household confirm by PIN.

    Raises
    ------
    RefusedError
        It has none, it is wrong, or it was wrong too often.
    """
    mine = households.c.household == household
    with book.writing() as connection:
        # The try is counted before it is looked at, so that tries at the same moment count too.
        counted = connection.execute(
            households.update()
            .where(mine, households.c.wrong_pins < MOST_WRONG)
            .values(wrong_pins=households.c.wrong_pins + 1)
        ).rowcount
        hashed = connection.execute(sa.select(households.c.pin_hash).where(mine)).scalar()
    if hashed is None:
        raise RefusedError("This household has no PIN; confirm by tap or with a witness.")
    if not counted:
        raise RefusedError(
            "The PIN was wrong {most} times; confirm with a witness, and give a new PIN.", most=MOST_WRONG
        )
    if not staff.fits(hashed, pin):
        raise RefusedError("The PIN is wrong; try again, or confirm with a witness.")
    with book.writing() as connection:
        connection.execute(households.update().where(mine).values(wrong_pins=0))
