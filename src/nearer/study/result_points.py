"""Results of p-medians of points checked, by plain code that holds no pairs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nearer.errors import CheckFailedError, Fault, InputError
from nearer.model import Certificate
from nearer.model.certificate import CenterProof
from nearer.model.check import agrees, is_optimal
from nearer.model.evaluate_points import bound_of_points, is_whole, nearest_of_points, value_of_points
from nearer.model.plane import PlaneRows
from nearer.progress import Progress
from nearer.study.request import Request
from nearer.units import IntArray


def check_points(
    result: dict[str, Any],
    request: Request,
    rows: PlaneRows,
    chosen: IntArray,
    certificate: Certificate | CenterProof | None,
    progress: Progress | None = None,
) -> tuple[float, float | None, tuple[str, ...]]:
    """
    What ``result.verify_result`` finds: value, proven bound and differences.

    Raises
    ------
    InputError
        A site is open that there is none of.
    """
    assert request.p is not None
    if len(chosen) and (chosen[0] < 0 or chosen[-1] >= rows.n_sites):
        raise InputError([Fault(f"open sites must be 1 to {rows.n_sites}", column="open")])
    found = []
    if len(chosen) != len(result["open"]):
        found.append("a site is open twice")
    elif len(chosen) != request.p:
        found.append(f"{len(chosen)} different sites are open where p is {request.p}")
    value = value_of_points(rows, chosen) if len(chosen) else math.nan
    if not len(chosen):
        found.append("some customer cannot be served by the open sites")
    elif not agrees(value, result["objective"]):
        found.append(f"the open sites are worth {value:.17g}, not {result['objective']:.17g}")
    if len(chosen) and result.get("assignment") is not None:
        found += _assignment_of_points(rows, chosen, result["assignment"])
    if result.get("bound") is None:
        found += ["it is called optimal without a bound"] if result["status"] == "optimal" else []
    elif result["bound"] > result["objective"]:
        found.append("the bound lies above the value")
    elif result["status"] == "optimal" and not is_optimal(result["objective"], result["bound"], is_whole(rows)):
        found.append(f"it is called optimal with a bound of {result['bound']:.17g}")
    bound = None
    if isinstance(certificate, CenterProof):
        found.append("the certificate is one of a p-center of points, and this is none")
    elif certificate is not None:
        try:
            bound = bound_of_points(rows, request.p, certificate, result["objective"], progress)
        except CheckFailedError as error:
            found.append(str(error).rstrip("."))
        else:
            said = result.get("bound")
            if said is not None and said > bound and not agrees(said, bound):
                found.append(f"the certificate proves {bound:.17g}, not {said:.17g}")
    return value, bound, tuple(found)


def _assignment_of_points(rows: PlaneRows, chosen: IntArray, assignment: Any) -> list[str]:
    if not isinstance(assignment, list) or len(assignment) != rows.n_rows:
        return ["the assignment does not give every customer a site"]
    if not all(isinstance(site, int) and 1 <= site <= rows.n_sites for site in assignment):
        return ["the assignment does not give every customer a site"]
    site = np.array(assignment, dtype=np.int64) - 1
    if not np.isin(site, chosen).all():
        return ["the assignment sends customers to sites that are not open"]
    squared = np.square(rows.x - rows.site_x[site])
    squared += np.square(rows.y - rows.site_y[site])
    if np.any(rows.rounded(np.sqrt(squared)) > nearest_of_points(rows, chosen)):
        return ["the assignment sends customers farther than to their nearest open site"]
    return []
