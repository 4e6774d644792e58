"""Whose a card was that a cut-off desk served without a list, by the real household database."""

from __future__ import annotations

from pathlib import Path

from nearer.aid.households.book import enrol, replace_card, tag_of
from nearer.aid.households.cards import card_hash, new_token
from nearer.aid.households.store import Households
from nearer.aid.offline.sync import known_in

from ..town import Ticking


def test_a_card_that_was_replaced_meanwhile_still_tells_whose_it_was(tmp_path: Path) -> None:
    with Households(str(tmp_path / "people.db"), tmp_path / "keys", make=True, clock=Ticking()) as people:
        household, token = enrol(people, size=4, home="north", language="pt", by="staff-1")
        replace_card(people, household.number, by="staff-1")
        known = known_in(people, "staff-2")
        expected = (tag_of(people, "basics", "march", household.number), 4)
        assert known(card_hash(token), "basics", "march") == expected
        assert known(card_hash(new_token()), "basics", "march") is None
        with people.reading() as connection:
            acts = connection.exec_driver_sql("SELECT staff, act FROM access_log WHERE act = 'sync'").all()
        assert [tuple(row) for row in acts] == [("staff-2", "sync")] * 2
