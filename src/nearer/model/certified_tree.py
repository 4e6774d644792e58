"""The tree of a certificate: whether its arrays are one, its children and fixings; for every check that walks it."""

from __future__ import annotations

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model.certificate import Certificate
from nearer.model.instance import Instance
from nearer.units import BoolArray, IntArray


def refuse(reason: str) -> CheckFailedError:
    """The error that says why a certificate is none."""
    return CheckFailedError(f"The certificate proves nothing: {reason}.")


def check_arrays(instance: Instance, certificate: Certificate) -> None:
    """Make sure that the arrays of a certificate fit each other and the instance."""
    if instance.n_phases != 1 or (instance.capacitated and instance.capacity.shape[1:] != (1, 1)):
        raise refuse("it is made for one phase, and for capacities of one level and group")
    multipliers = certificate.multipliers
    if multipliers.ndim != 2 or multipliers.shape[1] != instance.n_rows or multipliers.dtype != np.float64:
        raise refuse(f"multipliers of shape {multipliers.shape} do not fit {instance.n_rows} rows")
    if not np.isfinite(multipliers).all():
        raise refuse("a multiplier is not a finite number")
    nodes = (certificate.node_parent, certificate.node_site, certificate.node_value, certificate.node_multiplier)
    fixes = (certificate.fix_node, certificate.fix_site, certificate.fix_value, certificate.fix_multiplier)
    for part in (nodes, fixes):
        if any(a.ndim != 1 or len(a) != len(part[0]) or not np.issubdtype(a.dtype, np.integer) for a in part):
            raise refuse("arrays of the tree differ in length or are not whole numbers")
    n_nodes, n_multipliers = len(certificate.node_parent), len(multipliers)
    if n_nodes == 0 or certificate.node_parent[0] != -1 or certificate.node_site[0] != -1:
        raise refuse("its tree has no root")
    if np.any(certificate.node_parent[1:] < 0) or np.any(certificate.node_parent[1:] >= np.arange(1, n_nodes)):
        raise refuse("a node comes before its parent")
    if len(fixes[0]):
        if certificate.fix_node.min() < 0 or certificate.fix_node.max() >= n_nodes:
            raise refuse("a fixing names a node that does not exist")
        if certificate.fix_multiplier.min() < 0 or certificate.fix_multiplier.max() >= n_multipliers:
            raise refuse("a fixing names multipliers that do not exist")
    for sites, values in (
        (certificate.node_site[1:], certificate.node_value[1:]),
        (certificate.fix_site, certificate.fix_value),
    ):
        if len(sites) and (sites.min() < 0 or sites.max() >= instance.n_sites or not np.isin(values, (0, 1)).all()):
            raise refuse("it sets a site that does not exist, or to neither open nor closed")


def children_of(certificate: Certificate) -> list[list[int]]:
    """Children of each node, after checking that together they leave nothing out."""
    children: list[list[int]] = [[] for _ in range(len(certificate.node_parent))]
    for node, parent in enumerate(certificate.node_parent.tolist()):
        if node:
            children[parent].append(node)
    for node, below in enumerate(children):
        multiplier = int(certificate.node_multiplier[node])
        if not below:
            if not 0 <= multiplier < len(certificate.multipliers):
                raise refuse(f"leaf {node} has no multipliers")
            continue
        sites = {int(certificate.node_site[child]) for child in below}
        values = sorted(int(certificate.node_value[child]) for child in below)
        if len(sites) != 1 or values != [0, 1]:
            raise refuse(f"the children of node {node} do not split one site into closed and open")
        if multiplier != -1:
            raise refuse(f"inner node {node} carries multipliers of its own")
    return children


def fixings_by_node(certificate: Certificate) -> dict[int, list[int]]:
    """Fixings of each node in the order they were made; all of an ancestor's hold below it."""
    fixings: dict[int, list[int]] = {}
    for fixing, node in enumerate(certificate.fix_node.tolist()):
        fixings.setdefault(node, []).append(fixing)
    return fixings


def decide(state: IntArray, free: BoolArray, site: int, value: int, node: int) -> None:
    """Set a free site open or closed, once."""
    if not free[site]:
        raise refuse(f"node {node} decides site {site}, which is not free")
    if state[site] != -1:
        raise refuse(f"node {node} decides site {site} a second time")
    state[site] = value
