"""The ground Newtown stands on: its size, its quarters, the river, the railway and the parks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.study.newtown.neighbours import gabriel, nearest
from nearer.units import BoolArray, FloatArray, IntArray

PEOPLE = 400_000  # the size the figures below are stated for; areas grow with people
CITY_M2_PER_PERSON = 212.5  # gross ground of the closed city: 85 km² for 400,000 people, 80 without water and parks
CELL_M2_PER_PERSON = 500.0  # populated cells, suburbs and villages included: 20,000 of 100 m for 400,000 people
OUTSKIRTS = 2.15  # radius of the whole area over that of the closed city
OLD_DEPTH = 0.17  # the old centre ends here, on the scale of `Ground.depth`

OLD, INNER, TERRACE, TOWERS, VILLA, INDUSTRY, VILLAGE = range(7)
"""What kind of quarter a place is; the tables of streets, people and venues are indexed by it."""


@dataclass(frozen=True)
class Curve:
    """
    A line that runs through the whole area: in its own frame (u along, v across) it is v = f(u).

    Parameters
    ----------
    angle
        Direction of u, radians from east.
    offset_m
        Mean distance from the centre.
    waves
        Amplitude (m), wavelength (m) and phase of each sine that bends it, float64 (n_waves, 3).
    half_m
        Half its width.
    """

    angle: float
    offset_m: float
    waves: FloatArray
    half_m: float

    def along(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Position along the line, metres."""
        return np.asarray(x * np.cos(self.angle) + y * np.sin(self.angle))

    def across(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Signed distance from the line, metres, to first order."""
        u = self.along(x, y)
        v = y * np.cos(self.angle) - x * np.sin(self.angle)
        f, slope = self._bend(u)
        return np.asarray((v - f) / np.sqrt(1.0 + slope**2))

    def line(self, reach_m: float, step_m: float) -> tuple[FloatArray, FloatArray]:
        """Its points from -reach to +reach, one every step, metres."""
        u = np.linspace(-reach_m, reach_m, 2 * int(np.ceil(reach_m / step_m)) + 1)
        v = self._bend(u)[0]
        return u * np.cos(self.angle) - v * np.sin(self.angle), u * np.sin(self.angle) + v * np.cos(self.angle)

    def _bend(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        f, slope = np.full_like(u, self.offset_m), np.zeros_like(u)
        for amplitude, length, phase in self.waves:
            f += amplitude * np.sin(2 * np.pi * u / length + phase)
            slope += amplitude * 2 * np.pi / length * np.cos(2 * np.pi * u / length + phase)
        return f, slope


@dataclass(frozen=True)
class Parks:
    """Ellipses without streets: centre, half axes (m) and turn (radians), float64 (n_parks, 5)."""

    ellipses: FloatArray

    def covers(self, x: FloatArray, y: FloatArray) -> BoolArray:
        """Which points lie in a park or close by its fence."""
        if not len(self.ellipses):
            return np.zeros(len(x), dtype=np.bool_)
        nearest_idx = nearest(self.ellipses[:, :2], x, y)[1]
        cx, cy, a, b, turn = self.ellipses[nearest_idx].T
        dx, dy = x - cx, y - cy
        u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        return np.asarray((u / a) ** 2 + (v / b) ** 2 <= 1.1 * _ragged(np.arctan2(v / b, u / a), turn))

    def outlines(self) -> list[tuple[FloatArray, FloatArray]]:
        """The rim of each park, closed, metres."""
        t = np.linspace(0.0, 2 * np.pi, 61)
        rims = []
        for cx, cy, a, b, turn in self.ellipses:
            r = np.sqrt(_ragged(t, np.full_like(t, turn)))
            u, v = a * r * np.cos(t), b * r * np.sin(t)
            x, y = cx + u * np.cos(turn) - v * np.sin(turn), cy + u * np.sin(turn) + v * np.cos(turn)
            x[-1], y[-1] = x[0], y[0]
            rims.append((x, y))
        return rims


@dataclass(frozen=True)
class Ground:
    """
    What is fixed before a street is drawn, in metres east and north of the town hall.

    Parameters
    ----------
    city_m, outer_m
        Mean radius of the closed city and of the whole area.
    wobble
        Phases of the sines that make both outlines uneven, float64 (3,).
    places
        Middle of each quarter or village, float64 (n_places, 2); the first is the town hall.
    kind
        Kind of each place, int64 (n_places,).
    size
        How large a village is beside its kind, float64 (n_places,), 1 on average.
    village_m
        Mean radius of a village.
    river, railway
        The two barriers.
    parks
        Ground without streets.
    """

    city_m: float
    outer_m: float
    wobble: FloatArray
    places: FloatArray
    kind: IntArray
    size: FloatArray
    village_m: float
    river: Curve
    railway: Curve
    parks: Parks

    def outline(self, theta: FloatArray) -> FloatArray:
        """Radius of an outline over its mean in a direction, about 0.85 … 1.15."""
        return _outline(theta, self.wobble)

    def depth(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Distance from the town hall over the city's radius in that direction: 0 in the middle, 1 at the edge."""
        return np.asarray(np.hypot(x, y) / (self.city_m * self.outline(np.arctan2(y, x))))

    def quarter(self, x: FloatArray, y: FloatArray) -> IntArray:
        """Nearest place of each point, int64."""
        return nearest(self.places, x, y)[1]

    def kind_at(self, x: FloatArray, y: FloatArray, quarter_idx: IntArray) -> IntArray:
        """Kind of the ground at each point; the old centre does not keep to quarters."""
        return np.asarray(np.where(self.depth(x, y) < OLD_DEPTH, OLD, self.kind[quarter_idx]))

    def built_up(self, x: FloatArray, y: FloatArray, quarter_idx: IntArray) -> BoolArray:
        """Where side streets and homes may stand: not in water, on rails, in parks or in open country."""
        dx, dy = x - self.places[quarter_idx, 0], y - self.places[quarter_idx, 1]
        # Each village has an outline of its own: its size, of many digits, turns the waves as well as chance would.
        theta, own = np.arctan2(dy, dx), 40.0 * self.size[quarter_idx]
        ragged = (
            1.0 + 0.28 * np.sin(2 * theta + own) + 0.2 * np.sin(3 * theta + 2 * own) + 0.1 * np.sin(7 * theta + own)
        )
        reach = self.village_m * self.size[quarter_idx] * ragged
        rim = 1.07 + 0.05 * np.sin(x / 430.0 + self.wobble[0]) + 0.05 * np.sin(y / 370.0 + x / 900.0 + self.wobble[1])
        settled = np.where(self.kind[quarter_idx] == VILLAGE, np.hypot(dx, dy) < reach, self.depth(x, y) < rim)
        dry = np.abs(self.river.across(x, y)) > self.river.half_m + 25.0
        off_rails = np.abs(self.railway.across(x, y)) > self.railway.half_m
        inside = np.hypot(x, y) < 0.99 * self.outer_m * self.outline(np.arctan2(y, x))
        return np.asarray(settled & dry & off_rails & inside & ~self.parks.covers(x, y))


def make_ground(people: int, seed: int) -> Ground:
    """Lay out the ground for so many people."""
    rng = np.random.default_rng([seed, 1])
    scale = float(np.sqrt(people / PEOPLE))
    city_m = float(np.sqrt(people * CITY_M2_PER_PERSON / np.pi))
    wobble = rng.uniform(0.0, 2 * np.pi, 3)
    angle = rng.uniform(0.0, np.pi)
    river = _curve(rng, angle, 0.09 * city_m, city_m, (0.12, 0.035), 48.0 * float(np.clip(2.0 * scale, 0.25, 1.0)))
    turn = rng.uniform(0.6, 1.0) * rng.choice([-1.0, 1.0])
    railway = _curve(rng, angle + turn, 0.24 * city_m, city_m, (0.08, 0.02), 20.0)

    spacing_m = 1150.0 * float(np.clip(2.2 * scale, 0.1, 1.0))  # a small town has small quarters
    places, is_city = _places(rng, city_m, spacing_m, wobble, river)
    kind = _kinds(rng, places, is_city, city_m, wobble, railway)
    size = np.where(is_city, 1.0, rng.lognormal(-0.06, 0.35, len(places)).clip(0.4, 1.8))
    n_villages = max(1, int(np.sum(~is_city)))
    village_m2 = people * CELL_M2_PER_PERSON - 0.78 * np.pi * city_m**2
    village_m = float(np.sqrt(1.15 * village_m2 / (n_villages * np.pi)))
    return Ground(
        city_m,
        OUTSKIRTS * city_m,
        wobble,
        places,
        kind,
        size,
        village_m,
        river,
        railway,
        _parks(rng, places, kind, spacing_m),
    )


def _outline(theta: FloatArray, wobble: FloatArray) -> FloatArray:
    waves = (0.07, 2, wobble[0]), (0.05, 3, wobble[1]), (0.03, 5, wobble[2])
    return np.asarray(1.0 + sum(a * np.sin(n * theta + phase) for a, n, phase in waves))


def _ragged(t: FloatArray, turn: FloatArray) -> FloatArray:
    return np.asarray(1.0 + 0.22 * np.sin(3 * t + 5 * turn) + 0.12 * np.sin(5 * t + 11 * turn))


def _curve(
    rng: np.random.Generator,
    angle: float,
    offset_m: float,
    city_m: float,
    bends: tuple[float, float],
    half_m: float,
) -> Curve:
    phases = rng.uniform(0.0, 2 * np.pi, 2)
    waves = np.array([[bends[0] * city_m, 1.7 * city_m, phases[0]], [bends[1] * city_m, 0.6 * city_m, phases[1]]])
    # The line passes the town hall at the distance asked, whatever the phases.
    at_hall = float(np.sum(waves[:, 0] * np.sin(waves[:, 2])))
    return Curve(angle, offset_m - at_hall, waves, half_m)


def _places(
    rng: np.random.Generator, city_m: float, spacing_m: float, wobble: FloatArray, river: Curve
) -> tuple[FloatArray, BoolArray]:
    # Villages lie closer around a small town, or it would have but a handful.
    country_m = spacing_m * float(np.clip(1.0 + 0.75 * city_m / 2600.0, 1.35, 1.85))
    nets = (1.3 * city_m, spacing_m), (1.2 * OUTSKIRTS * city_m, country_m)
    city, country = (_hexagonal(rng, reach, step) for reach, step in nets)
    city = city[_depth(city, city_m, wobble) < 1.0]
    city = city[np.hypot(city[:, 0], city[:, 1]) > 0.6 * spacing_m]
    city = np.vstack([[0.0, 0.0], city])
    country = country[(_depth(country, city_m, wobble) > 1.1) & (_depth(country, city_m, wobble) < OUTSKIRTS * 0.94)]
    if len(country):
        country = country[nearest(city, *country.T)[0] > 1.25 * spacing_m]
    places = np.vstack([city, country])
    is_city = np.arange(len(places)) < len(city)
    dry = np.abs(river.across(places[:, 0], places[:, 1])) > river.half_m + 0.12 * spacing_m
    dry[0] = True  # the town hall keeps its distance by the river's own offset
    return places[dry], is_city[dry]


def _hexagonal(rng: np.random.Generator, reach_m: float, step_m: float) -> FloatArray:
    rows = np.arange(-reach_m, reach_m, step_m * np.sqrt(0.75))
    columns = np.arange(-reach_m, reach_m, step_m)
    x, y = np.meshgrid(columns, rows)
    x = x + np.where(np.arange(len(rows)) % 2, 0.5 * step_m, 0.0)[:, None]
    net = np.column_stack([x.ravel(), y.ravel()])
    return np.asarray(net + rng.uniform(-0.3, 0.3, net.shape) * step_m)


def _depth(places: FloatArray, city_m: float, wobble: FloatArray) -> FloatArray:
    x, y = places.T
    return np.asarray(np.hypot(x, y) / (city_m * _outline(np.arctan2(y, x), wobble)))


def _kinds(
    rng: np.random.Generator,
    places: FloatArray,
    is_city: BoolArray,
    city_m: float,
    wobble: FloatArray,
    railway: Curve,
) -> IntArray:
    depth = _depth(places, city_m, wobble)
    x, y = places.T
    # Villas keep to one side of town, industry to the railway, towers to the edge.
    leafy = np.cos(np.arctan2(y, x) - rng.uniform(0.0, 2 * np.pi)) > 0.55
    by_rails = np.abs(railway.across(x, y)) < 750.0
    luck = rng.uniform(size=len(places))
    kind = np.full(len(places), TERRACE)
    kind[(depth > 0.45) & leafy & (luck < 0.75)] = VILLA
    kind[(depth > 0.66) & ~leafy & (luck < 0.42)] = TOWERS
    kind[(depth > 0.42) & by_rails & (luck > 0.40)] = INDUSTRY
    kind[depth < 0.47] = INNER
    kind[~is_city] = VILLAGE
    kind[0] = OLD
    return kind


def _parks(rng: np.random.Generator, places: FloatArray, kind: IntArray, spacing_m: float) -> Parks:
    city = places[kind != VILLAGE]
    if len(city) < 6:
        return Parks(np.zeros((0, 5)))
    # Parks lie where the main roads between the places leave most room.
    ends = gabriel(places[:, 0], places[:, 1], 3.0 * spacing_m)
    t = np.linspace(0.0, 1.0, 25)[:, None, None]
    on_roads = (places[ends[:, 0]] * (1.0 - t) + places[ends[:, 1]] * t).reshape(-1, 2)
    spot = city[rng.integers(len(city), size=40 * len(city))]
    spot = spot + rng.uniform(-0.7, 0.7, spot.shape) * spacing_m
    room_m = nearest(on_roads, *spot.T)[0]
    chosen: list[int] = []
    for k in np.argsort(-room_m * rng.uniform(0.6, 1.0, len(spot)), kind="stable")[: 12 * len(city)]:
        apart = not chosen or np.min(np.hypot(*(spot[chosen] - spot[k]).T)) > 1.3 * spacing_m
        if apart and room_m[k] > 0.12 * spacing_m:
            chosen.append(int(k))
        if len(chosen) >= max(1, len(city) // 6):
            break
    long_m = room_m[chosen] * rng.uniform(0.7, 0.95, len(chosen))
    wide_m = long_m * rng.uniform(0.6, 0.95, len(chosen))
    return Parks(np.column_stack([spot[chosen], long_m, wide_m, rng.uniform(0.0, np.pi, len(chosen))]))
