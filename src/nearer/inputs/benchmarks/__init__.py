"""Benchmark files of the location literature, one reader per format, each into plain frozen arrays."""

from nearer.inputs.benchmarks.matrices import (
    CostMatrix,
    read_delmaire,
    read_holmberg,
    read_kcapm,
    read_orlib_cap,
    read_tbed1,
)
from nearer.inputs.benchmarks.points import (
    CapacitatedPoints,
    CoverPoints,
    PlanePoints,
    PmedGraph,
    read_mclp_grid,
    read_orlib_pmed,
    read_orlib_pmedcap,
    read_tsplib,
)
from nearer.inputs.benchmarks.table import read_csv

__all__ = [
    "CapacitatedPoints",
    "CostMatrix",
    "CoverPoints",
    "PlanePoints",
    "PmedGraph",
    "read_csv",
    "read_delmaire",
    "read_holmberg",
    "read_kcapm",
    "read_mclp_grid",
    "read_orlib_cap",
    "read_orlib_pmed",
    "read_orlib_pmedcap",
    "read_tbed1",
    "read_tsplib",
]
