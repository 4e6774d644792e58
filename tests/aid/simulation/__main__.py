"""Live through seeds: ``python -m tests.aid.simulation 1234`` tells everything of one, ``0 10000`` runs many."""

from __future__ import annotations

import sys

from .running import failures, live


def main() -> int:
    numbers = [int(text) for text in sys.argv[1:]]
    if len(numbers) == 1:
        live(numbers[0], tell=print)
        print("All holds.")
        return 0
    first, last = numbers
    found = failures(range(first, last), tell=print)
    print(f"{last - first} seeds, {len(found)} failed.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
