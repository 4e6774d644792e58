"""One part of travel times alone, as a worker computes it: LAYOUT FIRST LAST FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

from nearer.network.parts import travel_part

layout, first, last, folder = sys.argv[1:]
travel_part(Path(layout), int(first), int(last), Path(folder))
