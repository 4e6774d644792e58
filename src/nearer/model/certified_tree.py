"""The tree of a certificate: whether its arrays are one, and all plans as it divides them; for every check of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model.certificate import Certificate
from nearer.model.instance import FREE, Instance
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


@dataclass(frozen=True)
class Share:
    """
    Plans that a certificate bounds: a leaf, or the opposites of fixings.

    Parameters
    ----------
    multiplier
        Row of the multipliers that bound them.
    state
        What is decided for all of them, int8 (n_sites,): 0 closed, 1 open, -1 undecided, 0 where a site is not free.
        It changes once the next share is asked for.
    site, value
        Of opposites that are told together: each is one more site closed (0) or open (1), alone. Empty else.
    """

    multiplier: int
    state: IntArray
    site: IntArray
    value: IntArray


def shares(instance: Instance, certificate: Certificate, together: int | None = None) -> Iterator[Share]:
    """
    All plans of an instance, share by share, as a certificate divides them whose arrays were checked.

    Parameters
    ----------
    together
        More fixings than this that follow each other with the same multipliers are told as one share, none of them
        made: that leaves its opposites more plans, and so can only lower their bounds. None = all one by one.

    Raises
    ------
    CheckFailedError
        The tree leaves a plan out: it is no proof.
    """
    children, fixings = _children_of(certificate), _fixings_by_node(certificate)
    free = instance.standing == FREE
    none = np.zeros(0, dtype=np.int64)
    stack = [(0, np.where(free, -1, 0).astype(np.int8))]
    while stack:
        node, state = stack.pop()
        if node:
            _decide(state, free, int(certificate.node_site[node]), int(certificate.node_value[node]), node)
        for multiplier, batch in groupby(fixings.get(node, ()), key=lambda at: int(certificate.fix_multiplier[at])):
            fixed = list(batch)
            site, value = certificate.fix_site[fixed], certificate.fix_value[fixed]
            one_by_one = together is None or len(fixed) <= together
            if not one_by_one:
                yield Share(multiplier, state, site, 1 - value)
            for j, kept in zip(site.tolist(), value.tolist(), strict=True):
                _decide(state, free, j, 1 - kept, node)
                if one_by_one:
                    yield Share(multiplier, state, none, none)
                state[j] = kept
        if children[node]:
            stack += [(child, state.copy()) for child in children[node]]
        else:
            yield Share(int(certificate.node_multiplier[node]), state, none, none)


def children_of(parent: IntArray) -> list[list[int]]:
    """Children of each node, from the parent of each but the first."""
    children: list[list[int]] = [[] for _ in range(len(parent))]
    for node, above in enumerate(parent.tolist()):
        if node:
            children[above].append(node)
    return children


def split_in_two(decided: IntArray, value: IntArray) -> bool:
    """Whether the children of a node decide the same, one of them 0 and the other 1."""
    return len(set(decided.tolist())) == 1 and sorted(value.tolist()) == [0, 1]


def _children_of(certificate: Certificate) -> list[list[int]]:
    """Children of each node, after checking that together they leave nothing out."""
    children = children_of(certificate.node_parent)
    for node, below in enumerate(children):
        multiplier = int(certificate.node_multiplier[node])
        if not below:
            if not 0 <= multiplier < len(certificate.multipliers):
                raise refuse(f"leaf {node} has no multipliers")
            continue
        if not split_in_two(certificate.node_site[below], certificate.node_value[below]):
            raise refuse(f"the children of node {node} do not split one site into closed and open")
        if multiplier != -1:
            raise refuse(f"inner node {node} carries multipliers of its own")
    return children


def _fixings_by_node(certificate: Certificate) -> dict[int, list[int]]:
    """Fixings of each node in the order they were made; all of an ancestor's hold below it."""
    fixings: dict[int, list[int]] = {}
    for fixing, node in enumerate(certificate.fix_node.tolist()):
        fixings.setdefault(node, []).append(fixing)
    return fixings


def _decide(state: IntArray, free: BoolArray, site: int, value: int, node: int) -> None:
    """Set a free site open or closed, once."""
    if not free[site]:
        raise refuse(f"node {node} decides site {site}, which is not free")
    if state[site] != -1:
        raise refuse(f"node {node} decides site {site} a second time")
    state[site] = value
