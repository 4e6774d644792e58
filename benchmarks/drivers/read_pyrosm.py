"""Read nodes and edges of the streets with pyrosm: FILE MODE OUT.json; runs in the peers' environment."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

path, mode, out = sys.argv[1:]
warnings.simplefilter("ignore")
noted = {}

clock, cpu = time.perf_counter(), time.process_time()
import pyrosm  # noqa: E402 (the import is part of the first reading)

kind = {"walk": "walking", "drive": "driving"}[mode]
pyrosm.OSM(path).get_network(kind, nodes=True)
noted["first_s"], noted["first_cpu_s"] = time.perf_counter() - clock, time.process_time() - cpu

runs = []
for _ in range(3):
    clock, cpu = time.perf_counter(), time.process_time()
    nodes, edges = pyrosm.OSM(path).get_network(kind, nodes=True)
    runs.append((time.perf_counter() - clock, time.process_time() - cpu))
noted |= {name: min(spent) for name, spent in zip(("read_s", "read_cpu_s"), zip(*runs, strict=True), strict=True)}
Path(out).write_text(json.dumps(noted | {"nodes": len(nodes), "segments": len(edges)}))
