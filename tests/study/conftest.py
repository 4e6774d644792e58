"""A tiny study in straight lines, whose best plan can be found by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

TOML = """\
[study]
name = "Two rows"

[streets]
mode = "straight"
detour = 1.0
speed_kmh = 6.0
limit_min = 30

[people]
file = "people.csv"
groups = { older = "old" }

[[sites]]
file = "sites.csv"

[plan]
open = 2
"""

# 0.001° of latitude are 110.574 m at the equator: 66 344 ms at 6 km/h. Sites lie on points, so that all times are
# multiples of one step.
PEOPLE = """\
id,lon,lat,population,old
a,0,0.000,100,10
b,0,0.001,10,0
c,0,0.002,50,50
d,0,0.003,10,0
e,0,0.010,40,0
f,0,0.011,30,30
"""

SITES = """\
id,name,lon,lat,status,owner
H,Town hall,0,0.000,existing,city
S,School,0,0.002,candidate,schools
P,Parish hall,0,0.003,candidate,parish
L,Library,0,0.010,candidate,city
G,Gym,0,0.011,candidate,city
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """People and sites on one meridian at the equator; S and L are the best two of four candidates."""
    folder = tmp_path / "study"
    folder.mkdir()
    for name, text in (("nearer.toml", TOML), ("people.csv", PEOPLE), ("sites.csv", SITES)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder
