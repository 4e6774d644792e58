"""
Wrong passwords make whoever gives them wait: longer each time, and nobody else.

Counted are the tries of a staff code from an address, of a code from anywhere, and from an address for any code. Where
a code has signed in from an address before, only the first counts, so that somebody who guesses, elsewhere or at the
next tablet behind the same router, keeps nobody out who works here.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

LONGEST_S = 600
"""The longest wait after a wrong password."""

FORGOTTEN_S = 3600
"""A count without a further try is forgotten after so long."""

MOST = 10_000
"""So many counts are kept of each kind; the oldest go first."""


@dataclass(frozen=True)
class _Count:
    tries: int
    last: float
    until: float


class _Counts:
    """Tries by whoever they are of; after ``free`` of them each one doubles the wait."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._of: OrderedDict[Hashable, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._of)

    def wait_s(self, key: Hashable, now: float) -> float:
        found = self._of.get(key)
        return 0.0 if found is None else max(0.0, found.until - now)

    def add(self, key: Hashable, now: float) -> None:
        found = self._of.pop(key, None)
        tries = 1 if found is None or now - found.last > FORGOTTEN_S else found.tries + 1
        over = tries - self._free
        wait = 0.0 if over < 0 else min(float(LONGEST_S), 2.0 ** min(over, 20))
        self._of[key] = _Count(tries, now, now + wait)
        while len(self._of) > MOST:
            self._of.popitem(last=False)

    def drop(self, key: Hashable) -> None:
        self._of.pop(key, None)


class Slowing:
    """
    Who has to wait, and how long.

    Parameters
    ----------
    now
        Seconds that pass steadily; tests give their own.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._pairs = _Counts(5)
        self._codes = _Counts(20)
        self._addresses = _Counts(20)
        self._known: OrderedDict[Hashable, None] = OrderedDict()

    def begin(self, code: str, address: str) -> float:
        """
        A try begins, and counts until it proves right: many at once are counted too.

        Returns
        -------
        float
            Seconds that it has to wait; then nothing is counted, and the password is not to be looked at.
        """
        pair, net, now = (code, net_of(address)), net_of(address), self._now()
        with self._lock:
            counts: list[tuple[_Counts, Hashable]] = [(self._pairs, pair)]
            if pair not in self._known:
                counts += [(self._codes, code), (self._addresses, net)]
            wait = max(count.wait_s(key, now) for count, key in counts)
            if not wait:
                for count, key in counts:
                    count.add(key, now)
        return wait

    def right(self, code: str, address: str) -> None:
        """The password was right: the code may come from there."""
        pair = (code, net_of(address))
        with self._lock:
            # The address's count stays: one right password does not buy more guesses at others.
            self._pairs.drop(pair)
            self._known.pop(pair, None)
            self._known[pair] = None
            while len(self._known) > MOST:
                self._known.popitem(last=False)

    def __len__(self) -> int:
        """How much is kept."""
        return len(self._pairs) + len(self._codes) + len(self._addresses) + len(self._known)


def net_of(address: str) -> str:
    """Who it is: with IPv6 everybody has 2^64 addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)
