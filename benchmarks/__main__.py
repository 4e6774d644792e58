"""Run benchmarks and print their tables in Markdown, with what they were measured on."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.given import Given
from benchmarks.machine import facts, load

NAMES = (
    "times",
    "country",
    "reading",
    "plan",
    "newtown",
    "dynamic",
    "literature",
    "records",
    "proofs",
    "large",
    "covering",
    "scaling",
    "peers",
    "planning",
    "aid",
    "aid_load",
    "allocation",
    "serve_load",
    "page",
    "cluster",
)


def main() -> int:
    """Run what was asked for and print it; what is finished is in the file even if a later one fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; default all")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.md", help="write the tables there as well, other files beside it"
    )
    parser.add_argument("--small", action="store_true", help="tiny sizes, to see that everything runs")
    parser.add_argument(
        "--limit",
        type=float,
        metavar="S",
        help="literature, records, proofs, peers, planning: most seconds a problem",
    )
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")

    given = Given.here(options.small, options.limit, options.out)
    parts = [f"# Measured on {datetime.now(UTC):%Y-%m-%d}\n\n" + "\n".join(f"* {line}" for line in facts()) + "\n"]
    print(parts[0], flush=True)
    failed = 0
    for name in options.names or NAMES:
        start, busy = time.perf_counter(), load()
        try:
            for table in import_module(f"benchmarks.{name}").tables(given):
                text = table.markdown()
                print(text, flush=True)
                parts.append(text)
        except Exception as error:  # one that fails must not take the others with it
            failed += 1
            parts.append(f"## {name}\n\n* Failed: {error}\n")
            print(parts[-1], flush=True)
        if busy is not None:
            spent = f"*{name}: {time.perf_counter() - start:.0f} s, load {busy:.1f} before and {load():.1f} after.*\n"
            print(spent, flush=True)
            parts.append(spent)
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text("\n".join(parts), encoding="utf-8", newline="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
