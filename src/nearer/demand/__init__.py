"""How many people, of which group, live at each point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.units import FloatArray


@dataclass(frozen=True)
class Demand:
    """
    People per point and group, split into classes that walk at one speed each.

    Parameters
    ----------
    total
        People, float64 (n_points,).
    groups
        Group names.
    people
        People per group, float64 (n_groups, n_points); groups may overlap.
    class_names
        Speed classes; the first, "", is everyone who walks at the study's own speed.
    class_people, class_weight
        People, and what they weigh in the objective, float64 (n_classes, n_points). A point weighs
        total + Σ (weight − 1) · people of the group.
    """

    total: FloatArray
    groups: tuple[str, ...]
    people: FloatArray
    class_names: tuple[str, ...]
    class_people: FloatArray
    class_weight: FloatArray

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.total)

    @property
    def weight(self) -> FloatArray:
        """Objective weight per point, all classes together, float64 (n_points,)."""
        return np.asarray(self.class_weight.sum(axis=0))


def make_demand(
    total: FloatArray,
    groups: dict[str, FloatArray],
    group_weights: dict[str, float] | None = None,
    own_speed: tuple[str, ...] = (),
) -> Demand:
    """
    Weigh people by group and set apart the groups that walk at a speed of their own.

    Parameters
    ----------
    total
        People per point, float64 (n_points,).
    groups
        People of each group per point, each 0 … total.
    group_weights
        Weight of a member of a group in the objective (default 1).
    own_speed
        Groups with a speed of their own; they may not overlap.

    Raises
    ------
    ValueError
        Groups with a speed of their own add up to more people than live somewhere, or weights make a point negative.
    """
    weights = group_weights or {}
    names = tuple(groups)
    people = np.vstack([groups[name] for name in names]) if names else np.zeros((0, len(total)))
    apart = [groups[name] for name in own_speed]
    rest = total - sum(apart, np.zeros(len(total)))
    if np.any(rest < -1e-9 * np.maximum(total, 1.0)):
        raise ValueError("groups with a walking speed of their own overlap: together they exceed the total")
    class_people = np.vstack([np.maximum(rest, 0.0), *apart])
    class_weight = class_people.copy()
    for name, weight in weights.items():
        # A weighted group without a speed of its own is taken to walk at the study's speed.
        row = 1 + own_speed.index(name) if name in own_speed else 0
        class_weight[row] += (weight - 1.0) * groups[name]
    if np.any(class_weight < 0):
        raise ValueError("group weights below 1 add up to a negative weight somewhere")
    return Demand(total, names, people, ("", *own_speed), class_people, class_weight)
