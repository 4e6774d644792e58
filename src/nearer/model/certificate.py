"""``Certificate``: what it takes to evaluate a lower bound again, without the solver that found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from nearer.files import written_whole
from nearer.units import FloatArray, IntArray, ranges

_CUTS = ("cut_start", "cut_row", "cut_site", "take_multiplier", "take_cut", "take_amount")


def _none() -> IntArray:
    return np.zeros(0, dtype=np.int32)


@dataclass(frozen=True)
class Certificate:
    """
    A branching tree over sites whose leaves carry Lagrange multipliers.

    With multipliers λ (one per demand row, in cost × weight), open sites O, and free sites F of which between k and K
    are still to open,

    ``L(λ) = Σ_i min(λ_i, w_i u_i) + Σ_{j∈O} ρ_j + min_{S⊆F, k≤|S|≤K} Σ_{j∈S} ρ_j``,
    ``ρ_j = f_j + Σ_i min(0, w_i c_ij − λ_i)`` with f_j what site j costs when open,

    is a lower bound for every choice of λ (Narula, Ogbu, Samuelsson 1977). With capacities r_j, needs a_i the sum in
    ρ_j is over shares that fit, ``min Σ_i (w_i c_ij − λ_i) x_i`` with 0 ≤ x_i ≤ 1 and Σ a_i x_i ≤ r_j; k is at least
    as many sites as it takes to hold what must be served. A node inherits what its ancestors fixed; at a node a site
    may also be fixed because the opposite is no better than the bound claimed (reduced-cost fixing). The certified
    bound is the least L over all leaves and all opposites of such fixings.

    Zero-half cuts may take part (Chvátal 1973; Caprara, Fischetti 1996). A cut names q sets of sites, each those no
    dearer for a row than some site; in every plan ``Σ z_S + Σ_j ⌈c_j/2⌉ y_j ≥ ⌈q/2⌉``, where z_S is 1 if none of S
    is open and c_j counts the sets that hold j. At a price μ all that lies beyond a set, staying unserved included,
    becomes cheaper by μ for its row, f_j by ``μ ⌈c_j/2⌉``, and L gains ``μ ⌈q/2⌉``.

    Parameters
    ----------
    multipliers
        float64 (n_multipliers, n_rows).
    node_parent, node_site, node_value
        Tree, int32 (n_nodes,): parents come before children; node 0 is the root with parent -1, site -1. A node sets
        ``node_site`` open (1) or closed (0). Every inner node has exactly two children, on the same site.
    node_multiplier
        Row of ``multipliers`` that bounds a leaf, int32 (n_nodes,); -1 at inner nodes.
    fix_node, fix_site, fix_value, fix_multiplier
        Fixings, int32 (n_fixings,), in the order they were made: below ``fix_node``, ``fix_site`` is ``fix_value``
        since with ``fix_multiplier`` the opposite is bounded away.
    cut_start, cut_row, cut_site
        Sets of each cut: int32 (n_cuts + 1,) where they begin, and the row and its last site, int32 (n_sets,).
    take_multiplier, take_cut, take_amount
        With which row of ``multipliers`` which cut has a price, int32 (n_takes,), and the price, float64.
    """

    multipliers: FloatArray
    node_parent: IntArray
    node_site: IntArray
    node_value: IntArray
    node_multiplier: IntArray
    fix_node: IntArray
    fix_site: IntArray
    fix_value: IntArray
    fix_multiplier: IntArray
    cut_start: IntArray = field(default_factory=lambda: np.zeros(1, dtype=np.int32))
    cut_row: IntArray = field(default_factory=_none)
    cut_site: IntArray = field(default_factory=_none)
    take_multiplier: IntArray = field(default_factory=_none)
    take_cut: IntArray = field(default_factory=_none)
    take_amount: FloatArray = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def root_only(cls, multipliers: FloatArray) -> Certificate:
        """A tree of one leaf."""
        one, none = np.array([-1], dtype=np.int32), np.zeros(0, dtype=np.int32)
        return cls(multipliers.reshape(1, -1), one, one, one, one + 1, none, none, none, none)

    @property
    def cut(self) -> bool:
        """Whether cuts take part."""
        return len(self.take_cut) > 0

    def taken(self) -> FloatArray:
        """What the prices of cuts take off each row at most, with any of the multipliers, float64 (n_rows,)."""
        most = np.zeros(self.multipliers.shape[1])
        for k in np.unique(self.take_multiplier):
            most = np.maximum(most, np.bincount(*self.taken_with(int(k)), minlength=len(most)))
        return most

    def taken_with(self, multiplier: int) -> tuple[IntArray, FloatArray]:
        """Row of each set of the cuts that have a price with these multipliers, and the price."""
        takes = np.flatnonzero(self.take_multiplier == multiplier)
        first = self.cut_start[self.take_cut[takes]]
        sizes = self.cut_start[self.take_cut[takes] + 1] - first
        at = ranges(first, sizes)
        return self.cut_row[at], np.repeat(self.take_amount[takes], sizes)

    def save(self, path: Path) -> None:
        """Write the arrays to a compressed ``.npz`` file, whole or not at all."""
        save_certificates(path, {"": self})

    @classmethod
    def load(cls, path: Path, name: str = "") -> Certificate:
        """
        Read what ``save`` or ``save_certificates`` wrote.

        Raises
        ------
        KeyError
            There is no certificate of this name.
        """
        start = f"{name}:" if name else ""
        with np.load(path, allow_pickle=False) as file:
            planes = file[f"{start}multiplier_planes"]
            kept = [one.name for one in fields(cls) if one.name != "multipliers"]
            arrays = {name: file[start + name] for name in kept if name not in _CUTS or start + name in file}
        changed = np.ascontiguousarray(planes.transpose(1, 2, 0)).view(np.uint64)[:, :, 0]
        multipliers = np.bitwise_xor.accumulate(changed, axis=0).view(np.float64)
        return cls(multipliers=multipliers, **arrays)

    def _arrays(self) -> dict[str, IntArray]:
        """
        What is written.

        Multipliers of neighbouring leaves differ little: each row's bits are stored as the exclusive or with those of
        the row before, byte by byte, which is exact and mostly zeros.
        """
        arrays = {one.name: getattr(self, one.name) for one in fields(self) if self.cut or one.name not in _CUTS}
        bits = np.ascontiguousarray(arrays.pop("multipliers")).view(np.uint64)
        planes = np.empty((8, *bits.shape), dtype=np.uint8)
        before = np.zeros(bits.shape[1], dtype=np.uint64)
        for at, row in enumerate(bits):  # row by row, since a tree may hold as much as all else together
            planes[:, at] = (row ^ before).view(np.uint8).reshape(-1, 8).T
            before = row
        return {"multiplier_planes": planes, **arrays}


@dataclass(frozen=True)
class CenterProof:
    """
    That no p sites serve all points at less than a threshold: a tree over lenses.

    A site covers a pair of points when it serves both below the threshold; these sites are the lens of the pair. A
    pair of twice the same point is a row that must be covered. With λ ≥ 0 of some rows and of lenses in which a site
    opens, Λ_j their sum over those that site j covers, and Λ_j ≤ 1 for all sites left, at least Σ λ sites are needed,
    and ``Σ λ + 1 − Λ_j`` if j is open.

    Parameters
    ----------
    threshold
        What no plan stays below.
    pair
        Points, int64 (n_pairs, 2).
    node_parent, node_pair, node_value
        Tree, int32 (n_nodes,): parents come before children; node 0 is the root with parent -1, pair -1. In a node a
        site of the lens of ``node_pair`` opens (1) or all of them are closed (0); every inner node has both as
        children.
    multiplier_node
        Node of each set of multipliers, int32 (n_multipliers,): in their order they close sites that would make more
        than p, for the node and all below it; the last of a leaf proves that more than p are needed.
    multiplier_start, take_pair, take_amount
        Multipliers: int64 (n_multipliers + 1,) where they begin, and the pair, int32, and λ, float64, both (n_takes,).
    """

    threshold: float
    pair: IntArray
    node_parent: IntArray
    node_pair: IntArray
    node_value: IntArray
    multiplier_node: IntArray
    multiplier_start: IntArray
    take_pair: IntArray
    take_amount: FloatArray

    def save(self, path: Path) -> None:
        """Write the arrays to a compressed ``.npz`` file, whole or not at all."""
        with written_whole(path) as beside, beside.open("wb") as file:
            np.savez_compressed(file, **{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def load(cls, path: Path) -> CenterProof:
        """
        Read what ``save`` wrote.

        Raises
        ------
        KeyError
            It is something else.
        """
        with np.load(path, allow_pickle=False) as file:
            arrays = {one.name: file[one.name] for one in fields(cls)}
        return cls(**{**arrays, "threshold": float(arrays["threshold"])})


@dataclass(frozen=True)
class RulesCertificate:
    """
    Multipliers that bound an instance with ``Rules`` from below.

    With λ per phase and row, π ≥ 0 per limit, μ per side rule, ĉ the costs with what limits charge added, û likewise
    for staying unserved, options o of site j,

    ``L = Σ_tr min(λ_tr, û_tr) − Σ_l π_l most_l + Σ_s (μ_s⁺ lower_s − μ_s⁻ upper_s)``
    ``    + Σ_j min_{o∈O_j} [ cost_o − Σ_s μ_s a_so + Σ_t V_{j,t,level_o(t)} ]``,
    ``V_{j,t,l} = Σ_k min { Σ_{r∈k} (ĉ_trj − λ_tr) x_r : 0 ≤ x ≤ 1, Σ need_tr x_r ≤ capacity_{j,l,k} }``

    is a lower bound whatever the multipliers: the Lagrangian of the demand rows, the limits and the side rules
    (Geoffrion, McBride 1978 for the knapsacks). The certified bound is L rounded down.

    Parameters
    ----------
    row_multiplier
        λ, float64 (n_phases, n_rows).
    side_multiplier
        μ, float64 (n_sides,).
    limit_multiplier
        π, float64 (n_limits,).
    """

    row_multiplier: FloatArray
    side_multiplier: FloatArray
    limit_multiplier: FloatArray

    def save(self, path: Path) -> None:
        """Write the arrays to a compressed ``.npz`` file, whole or not at all."""
        save_certificates(path, {"": self})

    @classmethod
    def load(cls, path: Path, name: str = "") -> RulesCertificate:
        """
        Read what ``save`` or ``save_certificates`` wrote.

        Raises
        ------
        KeyError
            There is no certificate of this name.
        """
        start = f"{name}:" if name else ""
        with np.load(path, allow_pickle=False) as file:
            return cls(**{one.name: file[start + one.name] for one in fields(cls)})

    def _arrays(self) -> dict[str, IntArray | FloatArray]:
        """What is written."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def load_proof(path: Path) -> Certificate | CenterProof:
    """
    Read what ``Certificate.save`` or ``CenterProof.save`` wrote.

    Raises
    ------
    KeyError
        It is neither.
    """
    with np.load(path, allow_pickle=False) as file:
        of_points = "threshold" in file
    return CenterProof.load(path) if of_points else Certificate.load(path)


def save_certificates(path: Path, certificates: Mapping[str, Certificate | RulesCertificate]) -> None:
    """Write several certificates by name to one compressed ``.npz`` file, whole or not at all; "" is the main one."""
    arrays = {
        f"{name}:{key}" if name else key: array
        for name, certificate in certificates.items()
        for key, array in certificate._arrays().items()
    }
    with written_whole(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
