"""Travel times of Porto Alegre with pandana, which ``travel.py`` runs in the peers' environment: DATA PYTHON."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.travel import with_pandana

with_pandana(Path(sys.argv[1]), sys.argv[2])
