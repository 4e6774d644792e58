"""
Cut-off desks, lost and doubled messages, crashes: whatever the seed, nothing is lost and every excess is flagged.

A failing seed is printed; ``python -m tests.aid.simulation SEED`` tells everything that happens in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from nearer.aid.desk import giving
from nearer.aid.offline import sync
from nearer.aid.offline.journal import OfflineDesk

from .running import failures, recorded

IN_PARTS = 8
SEEDS = 200
MANY = 10_000


def none_fails(seeds: range) -> None:
    lines: list[str] = []
    assert not failures(seeds, tell=lines.append), "\n".join(lines)


@pytest.mark.parametrize("part", range(IN_PARTS))
def test_whatever_happens_on_the_way_the_ledger_is_what_was_given(part: int) -> None:
    none_fails(range(part * SEEDS // IN_PARTS, (part + 1) * SEEDS // IN_PARTS))


@pytest.mark.long
@pytest.mark.parametrize("part", range(50))
def test_ten_thousand_worlds_end_with_what_was_given(part: int) -> None:
    none_fails(range(part * MANY // 50, (part + 1) * MANY // 50))


def test_a_seed_is_the_same_world_each_time() -> None:
    assert recorded(3) == recorded(3)
    assert recorded(3) != recorded(4)


def drops_what_clashes(patch: pytest.MonkeyPatch) -> None:
    post = sync._post

    def dropping(store: Any, entry: Any, known: Any) -> dict[str, Any]:
        if entry.claim is None:
            return {"transaction": 0, "handover": "H0"}
        return post(store, entry, known)

    patch.setattr(sync, "_post", dropping)


def counts_an_entry_each_time_it_comes(patch: pytest.MonkeyPatch) -> None:
    post, numbers = sync._post, itertools.count()

    def anew(store: Any, entry: Any, known: Any) -> dict[str, Any]:
        return post(store, entry.model_copy(update={"id": f"anew-{next(numbers):08d}"}), known)

    patch.setattr(sync, "_post", anew)


def erases_the_journal_with_the_list(patch: pytest.MonkeyPatch) -> None:
    forget = OfflineDesk.forget_if_over

    def too_much(desk: OfflineDesk) -> bool:
        if forget(desk):
            desk._sql.execute("DELETE FROM journal")
        return desk.over

    patch.setattr(OfflineDesk, "forget_if_over", too_much)


def serves_leased_households(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(giving, "leased_to", lambda book, claim: None)


def tells_nobody_of_a_second_claim(patch: pytest.MonkeyPatch) -> None:
    add = giving.Flags.add

    def quiet(flags: giving.Flags, kind: str, **more: Any) -> None:
        if kind != "claim":
            add(flags, kind, **more)

    patch.setattr(giving.Flags, "add", quiet)


def serves_a_card_twice_in_an_emergency(patch: pytest.MonkeyPatch) -> None:
    household = OfflineDesk._household

    def forgetful(desk: OfflineDesk, seen: dict[str, Any], *more: Any) -> dict[str, Any]:
        return household(desk, {**seen, "served": 0}, *more)

    patch.setattr(OfflineDesk, "_household", forgetful)


@pytest.mark.parametrize(
    ("fault", "found_as"),
    [
        (drops_what_clashes, "lost: "),
        (counts_an_entry_each_time_it_comes, "nobody gave"),
        (erases_the_journal_with_the_list, "lost: "),
        (serves_leased_households, "the household was with the lease"),
        (tells_nobody_of_a_second_claim, "is flagged"),
        (serves_a_card_twice_in_an_emergency, "beyond one for each desk away"),
    ],
)
def test_a_planted_fault_is_found(
    fault: Callable[[pytest.MonkeyPatch], None], found_as: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    found = failures(range(60), most=1)
    assert found
    assert found_as in str(next(iter(found.values())))
