"""Solve a p-median with pbp-pmedian: MATRIX.npz OUT.json; runs in the peers' environment."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pbp_pmedian

with np.load(sys.argv[1]) as file:
    distance, p = file["distance"], int(file["p"])
clock = time.perf_counter()
try:
    value = float(pbp_pmedian.solve(distance, p, time_limit=100.0)[0])
except Exception as error:  # what it says instead of an answer
    print(error, file=sys.stderr)
    value = None
Path(sys.argv[2]).write_text(json.dumps({"value": value, "seconds": time.perf_counter() - clock}))
