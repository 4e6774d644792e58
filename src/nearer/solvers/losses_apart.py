"""The worst loss and what to make safe, searched by a worker of a cluster; the answers are those found here."""

from __future__ import annotations

import numpy as np

from nearer.cluster import Message, Shelf
from nearer.model import Instance
from nearer.progress import Stop
from nearer.solvers.apart import Elsewhere, arguments_in, arrays_of, instance_of
from nearer.solvers.fortification import Fortified, FortifyProof, fortify
from nearer.solvers.interdiction import Loss, LossProof, worst_loss

Arrays = dict[str, np.ndarray]


def worst_there(elsewhere: Elsewhere, instance: Instance, number: int, stop: Stop) -> Loss:
    """The first of ``worst_loss``."""
    found = elsewhere.done(lose, {**elsewhere.told(instance), "number": number}, stop)
    return worst_loss(instance, number, stop=stop)[0] if found is None else _loss(found, "")


def fortify_there(elsewhere: Elsewhere, instance: Instance, safe: int, lost: int, stop: Stop) -> Fortified:
    """As ``fortify``."""
    found = elsewhere.done(make_safe, {**elsewhere.told(instance), "safe": safe, "lost": lost}, stop)
    if found is None:
        return fortify(instance, safe, lost, stop=stop)
    return Fortified(
        safe=found["safe"],
        worst=_loss(found, "worst:"),
        bound=float(found["bound"]),
        unprotected=_loss(found, "unprotected:"),
        proof=FortifyProof(**arguments_in(found, "proof:")),
        certified=bool(found["certified"]),
    )


def lose(shelf: Shelf, message: Message, stop: Stop) -> Arrays:
    """The job: the worst loss."""
    return _told(worst_loss(instance_of(shelf, message), message["number"], stop=stop)[0], "")


def make_safe(shelf: Shelf, message: Message, stop: Stop) -> Arrays:
    """The job: what to make safe."""
    found = fortify(instance_of(shelf, message), message["safe"], message["lost"], stop=stop)
    return {
        "safe": found.safe,
        "bound": np.array(found.bound),
        "certified": np.array(found.certified),
        **_told(found.worst, "worst:"),
        **_told(found.unprotected, "unprotected:"),
        **arrays_of(found.proof, "proof:"),
    }


def _told(loss: Loss, start: str) -> Arrays:
    numbers = {f"{start}numbers": np.array([loss.value, loss.bound]), f"{start}nodes": np.array(loss.nodes)}
    return {f"{start}sites": loss.sites, **numbers, **arrays_of(loss.proof, f"{start}proof:")}


def _loss(found: Arrays, start: str) -> Loss:
    value, bound = found[f"{start}numbers"].tolist()
    proof = LossProof(**arguments_in(found, f"{start}proof:"))
    return Loss(found[f"{start}sites"], value, bound, proof, int(found[f"{start}nodes"]))
