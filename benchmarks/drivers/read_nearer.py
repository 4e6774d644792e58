"""Read streets, then build the graph: FILE MODE OUT.json."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

path, mode, out = sys.argv[1:]
noted = {}

clock, cpu = time.perf_counter(), time.process_time()
from nearer.inputs.osm import read_streets  # noqa: E402 (the import is part of the first reading)

streets = read_streets(Path(path), mode)
noted["first_s"], noted["first_cpu_s"] = time.perf_counter() - clock, time.process_time() - cpu

from nearer.inputs.geo import LocalPlane  # noqa: E402
from nearer.network import build_graph  # noqa: E402

runs = []
for _ in range(3):
    clock, cpu = time.perf_counter(), time.process_time()
    streets = read_streets(Path(path), mode)
    read = time.perf_counter() - clock, time.process_time() - cpu
    build_graph(streets, LocalPlane.around(streets.lon, streets.lat))
    runs.append((*read, time.perf_counter() - clock))
names = ("read_s", "read_cpu_s", "ready_s")
noted |= {name: min(spent) for name, spent in zip(names, zip(*runs, strict=True), strict=True)}
Path(out).write_text(json.dumps(noted | {"nodes": len(streets.lon), "segments": len(streets.from_idx)}))
