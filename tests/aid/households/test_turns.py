"""Writers of one household database queue: none is sent away while others come and go."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nearer.aid.households import signins
from nearer.aid.households.store import Households
from nearer.aid.refusals import BusyError

WRITERS, LINES = 40, 5


def test_forty_desks_at_once_all_get_their_turn(tmp_path: Path) -> None:
    # SQLite alone lets writers sleep and ask again, a tenth of a second at a time: some asked in vain for ten seconds.
    with Households(str(tmp_path / "people.db"), tmp_path / "keys", make=True, wait_s=5.0) as people:
        together = threading.Barrier(WRITERS)

        def write(desk: int) -> None:
            together.wait()
            for _ in range(LINES):
                signins.keep(people, f"desk-{desk}", "refused", "password", "")

        with ThreadPoolExecutor(WRITERS) as threads:
            list(threads.map(write, range(WRITERS)))
        assert len(signins.newest(people, 10_000)) == WRITERS * LINES


def test_who_waits_too_long_is_told_to_try_again(tmp_path: Path) -> None:
    with Households(str(tmp_path / "people.db"), tmp_path / "keys", make=True, wait_s=0.05) as people:
        with people.writing(), ThreadPoolExecutor(1) as threads:
            late = threads.submit(signins.keep, people, "desk-1", "refused", "password", "")
            with pytest.raises(BusyError, match="try again"):
                late.result()
        signins.keep(people, "desk-1", "refused", "password", "")
        assert len(signins.newest(people, 10)) == 1
