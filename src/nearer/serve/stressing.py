"""A plan put to the test of a hazard drawn by hand, or of centres that are out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nearer.errors import UsageError
from nearer.files import written_whole
from nearer.serve.studies import plan_folder


def run_hand_drawn(study: Path, job: str, asked: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """
    Write what was drawn as GeoJSON into the plan's folder, and put the plan to the test.

    Raises
    ------
    UsageError
        A ring has fewer than three corners, or nothing is asked.
    """
    from nearer.study.stress import run_stress
    from nearer.study.stress_ground import Question

    rings, out_of_service = asked.get("hazard") or [], tuple(asked.get("out_of_service") or ())
    if not rings and not out_of_service:
        raise UsageError("Draw ground that cannot be used, or name centres that are out.")
    if any(len(ring) < 3 for ring in rings):
        raise UsageError("A piece of ground needs three corners or more.")
    plan = plan_folder(study, str(asked.get("plan")))
    out = plan / f"stress-{job}"
    hazard = None
    if rings:
        hazard = plan / f"hazard-{job}.geojson"
        shape = {"type": "MultiPolygon", "coordinates": [[[*ring, ring[0]]] for ring in rings]}
        feature = {"type": "Feature", "properties": {"name": "drawn by hand"}, "geometry": shape}
        with written_whole(hazard) as beside:
            beside.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    run_stress(plan, Question(out_of_service=out_of_service, hazard=hazard), study=study, out=out, **limits)
    return {"plan": asked["plan"], "stress": job}
