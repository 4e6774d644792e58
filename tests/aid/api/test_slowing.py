"""Guessing passwords takes longer each time, keeps nobody out who works here, and fills no memory."""

from __future__ import annotations

from dataclasses import dataclass

from nearer.aid.api.slowing import FORGOTTEN_S, LONGEST_S, MOST, Slowing


@dataclass
class Steady:
    """Seconds that pass when told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def guesses_in(slowing: Slowing, clock: Steady, seconds: float, address: str = "10.0.0.1") -> int:
    """How many passwords of one code can be tried from an address in so long, by who always waits as told."""
    end, tried = clock.now + seconds, 0
    while clock.now < end:
        if wait := slowing.begin("desk-1", address):
            clock.now += wait
        else:
            tried += 1
    return tried


def test_guessing_takes_longer_each_time() -> None:
    clock = Steady()
    slowing = Slowing(clock)
    assert guesses_in(slowing, clock, 86_400) < 180
    # A right one ends the wait; so does a pause.
    clock.now += LONGEST_S
    assert not slowing.begin("desk-1", "10.0.0.1")
    slowing.right("desk-1", "10.0.0.1")
    assert not slowing.begin("desk-1", "10.0.0.1")
    clock.now += FORGOTTEN_S + 1
    assert [slowing.begin("desk-1", "10.0.0.1") for _ in range(5)] == [0.0] * 5


def test_who_guesses_keeps_nobody_out_who_has_signed_in_from_where_they_are() -> None:
    clock = Steady()
    slowing = Slowing(clock)
    for code in ("desk-1", "boss-1"):
        assert not slowing.begin(code, "10.0.0.1")
        slowing.right(code, "10.0.0.1")
    for number in range(1000):  # one code from everywhere, and every code from the desk's own address
        slowing.begin("desk-1", f"192.0.2.{number % 250}")
        slowing.begin(f"nobody-{number}", "10.0.0.1")
    assert slowing.begin("desk-1", "192.0.2.251") > 0
    assert slowing.begin("new-1", "10.0.0.1") > 0
    assert not slowing.begin("desk-1", "10.0.0.1")
    assert not slowing.begin("boss-1", "10.0.0.1")


def test_many_addresses_of_one_network_are_one() -> None:
    slowing = Slowing(Steady())
    waits = [slowing.begin(f"nobody-{number}", f"2001:db8::{number:x}") for number in range(30)]
    assert any(waits)
    assert not slowing.begin("nobody-99", "2001:db8:0:1::1")


def test_guessing_fills_no_memory() -> None:
    clock = Steady()
    slowing = Slowing(clock)
    for number in range(3 * MOST):
        code, address = f"code-{number}", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        slowing.begin(code, address)
        slowing.right(code, address)
        slowing.begin(f"other-{number}", address)
    assert len(slowing) <= 4 * MOST
