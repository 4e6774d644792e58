"""Problems of the location literature whose files hold the cost of every pair."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nearer.errors import Faults
from nearer.inputs.benchmarks.numbers import Numbers, read_numbers, refuse_negative
from nearer.units import FloatArray

CAPACITY_WORD = "capacity"
"""Stands in OR-Library's large files where a number is to be put in."""


@dataclass(frozen=True)
class CostMatrix:
    """
    Customers, sites, and what it costs to serve each from each.

    Parameters
    ----------
    cost
        float64 (n_customers, n_sites), per unit of ``weight``; ``inf`` = that site cannot serve that customer.
    weight, demand
        float64 (n_customers,): what cost is multiplied by, and what is taken of a site's capacity.
    price, capacity
        float64 (n_sites,): cost of opening, and what can be served; ``inf`` = no limit; ``nan`` in the capacities =
        the file leaves it to the reader.
    """

    cost: FloatArray
    weight: FloatArray
    demand: FloatArray
    price: FloatArray
    capacity: FloatArray


def read_orlib_cap(path: Path) -> CostMatrix:
    """
    Read a warehouse problem of the OR-Library.

    ``m n``, then ``capacity price`` per site, then per customer its demand and the cost of serving ALL of it from each
    site. The word ``capacity`` may stand for a number.

    Raises
    ------
    InputError
        The file is missing or does not have that form.

    References
    ----------
    J. E. Beasley, "An algorithm for solving large capacitated warehouse location problems", European Journal of
    Operational Research 33 (1988).
    """
    faults = Faults(path.name)
    numbers = Numbers(read_numbers(path, faults, {CAPACITY_WORD: np.nan}), faults)
    m, n = numbers.counts(2, "numbers of sites and customers")
    sites = numbers.take(2 * m, "sites").reshape(m, 2)
    customers = numbers.take(n * (m + 1), "customers").reshape(n, m + 1)
    numbers.end()
    if np.isnan(sites[:, 1]).any() or np.isnan(customers).any():
        faults.add(f"the word {CAPACITY_WORD} may only stand where a site's capacity does")
    return _checked(faults, customers[:, 1:], customers[:, 0], sites[:, 1], sites[:, 0])


def read_kcapm(path: Path) -> CostMatrix:
    """
    Read an uncapacitated problem of the M* kind: as ``read_orlib_cap``, and the capacities mean nothing.

    Raises
    ------
    InputError
        The file is missing or does not have that form.

    References
    ----------
    J. Kratica, D. Tosic, V. Filipovic, I. Ljubic, "Solving the simple plant location problem by genetic algorithm",
    RAIRO Operations Research 35 (2001).
    """
    matrix = read_orlib_cap(path)
    return CostMatrix(matrix.cost, matrix.weight, matrix.demand, matrix.price, np.full_like(matrix.capacity, np.inf))


def read_holmberg(path: Path) -> CostMatrix:
    """
    Read a problem of Holmberg or of Yang.

    ``m n``, ``capacity price`` per site, n demands, then the cost of serving all of a customer's demand: one row per
    site, one column per customer.

    Raises
    ------
    InputError
        The file is missing or does not have that form.

    References
    ----------
    K. Holmberg, M. Ronnqvist, D. Yuan, "An exact algorithm for the capacitated facility location problems with single
    sourcing", European Journal of Operational Research 113 (1999).

    Z. Yang, F. Chu, H. Chen, "A cut-and-solve based algorithm for the single-source capacitated facility location
    problem", European Journal of Operational Research 221 (2012).
    """
    faults = Faults(path.name)
    numbers = Numbers(read_numbers(path, faults), faults)
    m, n = numbers.counts(2, "numbers of sites and customers")
    sites = numbers.take(2 * m, "sites").reshape(m, 2)
    demand = numbers.take(n, "demands")
    cost = numbers.take(m * n, "costs").reshape(m, n).T
    numbers.end()
    return _checked(faults, cost, demand, sites[:, 1], sites[:, 0])


def read_delmaire(path: Path) -> CostMatrix:
    """
    Read a problem of Delmaire: ``n m``, customers × sites costs of whole demands, n demands, m prices, m capacities.

    Raises
    ------
    InputError
        The file is missing or does not have that form.

    References
    ----------
    J. A. Diaz, E. Fernandez, "A branch-and-price algorithm for the single source capacitated plant location problem",
    Journal of the Operational Research Society 53 (2002).
    """
    faults = Faults(path.name)
    numbers = Numbers(read_numbers(path, faults), faults)
    n, m = numbers.counts(2, "numbers of customers and sites")
    cost = numbers.take(n * m, "costs").reshape(n, m)
    demand, price, capacity = (numbers.take(k, what) for k, what in ((n, "demands"), (m, "prices"), (m, "capacities")))
    numbers.end()
    return _checked(faults, cost, demand, price, capacity)


def read_tbed1(path: Path) -> CostMatrix:
    """
    Read a problem of the test bed 1: ``m n``, n demands, m capacities, m prices, costs PER UNIT of demand.

    One row of costs per site, one column per customer.

    Raises
    ------
    InputError
        The file is missing or does not have that form.

    References
    ----------
    P. Avella, M. Boccia, "A cutting plane algorithm for the capacitated facility location problem", Computational
    Optimization and Applications 43 (2009).
    """
    faults = Faults(path.name)
    numbers = Numbers(read_numbers(path, faults), faults)
    m, n = numbers.counts(2, "numbers of sites and customers")
    demand, capacity, price = (numbers.take(k, what) for k, what in ((n, "demands"), (m, "capacities"), (m, "prices")))
    cost = numbers.take(m * n, "costs").reshape(m, n).T
    numbers.end()
    return _checked(faults, cost, demand, price, capacity, per_unit=True)


def _checked(
    faults: Faults,
    cost: FloatArray,
    demand: FloatArray,
    price: FloatArray,
    capacity: FloatArray,
    per_unit: bool = False,
) -> CostMatrix:
    refuse_negative(faults, costs=cost, demands=demand, prices=price, capacities=capacity)
    weight = demand.copy() if per_unit else np.ones(len(demand))
    return CostMatrix(np.ascontiguousarray(cost), weight, demand.copy(), price.copy(), capacity.copy())
