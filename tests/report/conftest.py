# ruff: noqa: E501
"""A small invented town, planned, in the shape that the report reads; every figure is derived from its own people."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Polygon, box

from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import Streets
from nearer.planning.document import (
    Access,
    AreaAccess,
    BeforeAfter,
    Curve,
    FarPlace,
    Measures,
    Objective,
    PlanDocument,
    PlannedSite,
    Snapping,
    SourceFile,
)
from nearer.planning.plan import Plan

LIMIT, UNREACHED, NEAR = 30.0, 60.0, 15.0
PLANE = LocalPlane(-51.2, -30.0)
AREAS = ("Riverside", "Old Town", "Southfield", "Mill Hill")
PLACES = (
    "Library", "Town hall", "Market house", "Harbour school", "Mill school", "St Anne", "Fire station", "North school",
    "Quarry hall", "Station", "West school", "Garden house", "Sports hall", "Brook school", "Hill chapel", "Depot",
)  # fmt: skip


def grid_streets(n_side: int, spacing_m: float, split: int = 1) -> Streets:
    """Streets on a square grid, each row and column a way, each block ``split`` segments."""
    n = (n_side - 1) * split + 1
    half = (n_side - 1) * spacing_m / 2
    steps = np.linspace(-half, half, n)
    blocks = np.linspace(-half, half, n_side)
    x = np.concatenate([np.tile(steps, n_side), np.repeat(blocks, n)])
    y = np.concatenate([np.repeat(blocks, n), np.tile(steps, n_side)])
    lon, lat = PLANE.to_lonlat(x, y)
    starts = np.arange(2 * n_side * n).reshape(-1, n)
    from_idx, to_idx = starts[:, :-1].ravel(), starts[:, 1:].ravel()
    way = np.repeat(np.arange(2 * n_side), n - 1)
    return Streets(
        lon=lon,
        lat=lat,
        from_idx=from_idx.astype(np.int32),
        to_idx=to_idx.astype(np.int32),
        forward_kmh=np.full(len(way), 4.8, np.float32),
        backward_kmh=np.full(len(way), 4.8, np.float32),
        way_idx=way.astype(np.int32),
        street_class=np.array([1 if w % 6 == 0 else 3 if w % 5 == 0 else 2 for w in way], np.uint8),
        way_names=tuple(f"Street {w}" for w in range(2 * n_side)),
        mode="walk",
    )


def measures(people: np.ndarray, minutes: np.ndarray) -> dict[str, object]:
    """Access of some people, straight from its definition."""
    total = float(people.sum())
    reached = np.isfinite(minutes)
    capped = np.where(reached, minutes, UNREACHED)
    return {
        "people": total,
        "mean_min": float((people * capped).sum() / total),
        "mean_min_reached": float((people * capped)[reached].sum() / people[reached].sum()) if reached.any() else None,
        "within": {f"{m:g}": float(people[np.nan_to_num(minutes, nan=np.inf) <= m].sum() / total) for m in (5, 10, NEAR, 30)},
        "farthest_min": float(minutes[reached].max()) if reached.any() else None,
        "unreached": float(people[~reached].sum()),
    }  # fmt: skip


def make_plan(
    *,
    n_side: int = 20,
    cell_m: float = 200.0,
    n_existing: int = 6,
    n_opened: int = 4,
    n_candidates: int = 12,
    streets: bool = True,
    split: int = 1,
    districts: bool = True,
    groups: tuple[str, ...] = ("children", "older people"),
    names: tuple[str, ...] = PLACES,
    areas: tuple[str, ...] = AREAS,
    status: str = "gap",
    proof: str = "certificate",
    scale: float = 1.0,
    spread: float = 0.35,
    hexagons: bool = False,
    points: bool = False,
    study: str = "Newtown: from 6 to 10 centres",
    seed: int = 7,
) -> Plan:
    """
    Plan an invented town: existing centres crowd the south-west, opened ones go where most is gained.

    ``spread`` is how far from the south-west corner existing centres lie, as a share of the town; 1 leaves nobody far.
    """
    rng = np.random.default_rng(seed)
    half = (n_side - 1) * cell_m / 2
    gx, gy = (a.ravel() for a in np.meshgrid(np.linspace(-half, half, n_side), np.linspace(half, -half, n_side)))
    density = np.exp(-(((gx + half * 0.3) ** 2 + (gy + half * 0.3) ** 2) / (half * 0.9) ** 2)) + 0.8 * np.exp(
        -(((gx - half * 0.55) ** 2 + (gy - half * 0.5) ** 2) / (half * 0.35) ** 2)
    )
    keep = (density * rng.uniform(0.4, 1.6, len(gx)) > 0.12) | (n_side <= 20)
    gx, gy, density = gx[keep], gy[keep], density[keep]
    total = np.round((5 + 120 * density * rng.uniform(0.5, 1.5, len(gx))) * scale)
    people = {group: np.round(total * rng.uniform(0.1, 0.3, len(gx))) for group in groups}

    n_sites = n_existing + n_opened + n_candidates
    span = 2 * half * spread
    sx = np.concatenate([-half + span * rng.random(n_existing), rng.uniform(-half, half, n_sites - n_existing)])
    sy = np.concatenate([-half + span * rng.random(n_existing), rng.uniform(-half, half, n_sites - n_existing)])
    minutes = np.hypot(gx[:, None] - sx, gy[:, None] - sy) * 1.3 / 80.0
    minutes[minutes > LIMIT] = np.nan
    cost = np.where(np.isnan(minutes), UNREACHED, minutes)

    existing = list(range(n_existing))
    best = cost[:, existing].min(axis=1) if existing else np.full(len(gx), UNREACHED)
    before_cost, order, gains = best.copy(), [], []
    free = np.arange(n_existing, n_sites)
    for _ in range(n_opened):
        saved = [(total * (best - np.minimum(best, cost[:, j]))).sum() if j not in order else -1.0 for j in free]
        site = int(free[int(np.argmax(saved))])
        gains.append(float(max(saved)))
        order.append(site)
        best = np.minimum(best, cost[:, site])
    is_open = existing + order
    after = np.min(np.where(np.isnan(minutes[:, is_open]), np.inf, minutes[:, is_open]), axis=1)
    before = np.min(np.where(np.isnan(minutes[:, existing]), np.inf, minutes[:, existing]), axis=1, initial=np.inf)
    before, after = (np.where(np.isinf(m), np.nan, m) for m in (before, after))
    nearest = np.array(is_open)[np.argmin(cost[:, is_open], axis=1)] if is_open else np.zeros(len(gx), int)
    site_before = np.array(existing)[np.argmin(cost[:, existing], axis=1)] if existing else np.zeros(len(gx), int)

    area_idx = (gx > 0).astype(int) + 2 * (gy < 0).astype(int)
    area_of = np.array(areas, dtype=object)[area_idx] if areas else np.full(len(gx), "", object)
    ids = [f"s{j:03d}" for j in range(n_sites)]
    title = [names[j % len(names)] + ("" if j < len(names) else f" {j}") for j in range(n_sites)]
    lon, lat = PLANE.to_lonlat(sx, sy)
    loss = {}
    for site in order:
        without = [j for j in is_open if j != site]
        second = cost[:, without].min(axis=1) if without else np.full(len(gx), UNREACHED)
        loss[site] = float((total * (second - best)).sum()), float(total[second > best + 1e-9].sum())
    spare = [j for j in free if j not in order]
    served = {j: float(total[(nearest == j) & ~np.isnan(after)].sum()) for j in range(n_sites)}
    planned = [
        PlannedSite(
            id=ids[j], name=title[j], status="opened" if j in order else "existing", people=served[j],
            lon=float(lon[j]), lat=float(lat[j]),
            area=(areas[int(sx[j] > 0) + 2 * int(sy[j] < 0)] if areas else None),
            order=order.index(j) + 1 if j in order else None,
            gain_person_min=gains[order.index(j)] if j in order else None,
            loss_person_min=loss[j][0] if j in order else None,
            people_nearer=loss[j][1] if j in order else None,
            replacement=ids[spare[0]] if j in order and spare else None,
            replaced_loss_person_min=loss[j][0] * 0.4 if j in order and spare else None,
        )
        for j in is_open
    ]  # fmt: skip

    value, start = float((total * best).sum()), float((total * before_cost).sum())
    bound = value if status == "optimal" else value - 0.0002 * value
    gap = abs(value - bound) / max(abs(value), 1e-9)
    gain_gap = abs(value - bound) / abs(start - bound) if start != bound else 0.0

    def access(minutes_: np.ndarray) -> Access:
        parts = {group: Measures(**measures(numbers, minutes_)) for group, numbers in people.items()}
        return Access(**measures(total, minutes_), unreachable_from_any_site=0.0, groups=parts)

    steps = [float(m) for m in range(int(LIMIT) + 1)]
    cumulative = [
        [float(total[np.nan_to_num(mins, nan=np.inf) <= m].sum() / total.sum()) for m in steps]
        for mins in (before, after)
    ]
    area_rows = []
    for name in areas:
        mask = area_of == name
        if not mask.any():
            continue
        was, now = measures(total[mask], before[mask]), measures(total[mask], after[mask])
        area_rows.append(
            AreaAccess(
                name=name, people=was["people"], before_mean_min=was["mean_min"], after_mean_min=now["mean_min"],
                before_unreached=was["unreached"], after_unreached=now["unreached"],
                before_within=was["within"]["15"], after_within=now["within"]["15"],
            )
        )  # fmt: skip
    lonp, latp = PLANE.to_lonlat(gx, gy)
    far_idx = np.argsort(-total * (np.nan_to_num(after, nan=UNREACHED) > NEAR), kind="stable")[:5]
    far = [
        FarPlace(
            name=f"near {area_of[i]}" if area_of[i] else "", people=float(total[i] * 3), lon=float(lonp[i]),
            lat=float(latp[i]), minutes=None if np.isnan(after[i]) else float(after[i]),
            nearest_site=None if np.isnan(after[i]) else ids[nearest[i]],
            mend=ids[spare[0]] if spare else None, mend_minutes=11.3 if spare else None,
        )
        for i in far_idx if not after[i] <= NEAR
    ]  # fmt: skip
    sha = "sha256:" + "0123456789abcdef" * 4
    sources = [
        SourceFile(path="people.csv", sha256=sha, kind="people", licence="CC BY 4.0, Newtown statistics 2024"),
        SourceFile(path="centres.csv", sha256=sha, kind="sites"),
    ]
    if streets:
        licence = "ODbL 1.0, © OpenStreetMap contributors"
        sources.insert(0, SourceFile(path="streets.osm.pbf", sha256=sha, kind="streets", licence=licence))
    document = PlanDocument(
        nearer="0.1.0", schema=1, study=study, seed=seed, inputs={s.path: s.sha256 for s in sources},
        settings={
            "study": {"name": study, "seed": seed},
            "streets": {"file": "streets.osm.pbf", "mode": "walk" if streets else "straight", "limit_min": LIMIT},
            "people": {"file": "people.csv", "total": "population", "groups": {g: g for g in groups}},
            "plan": {"open": n_opened, "objective": "travel", "coverage_min": NEAR, "unreached_min": UNREACHED,
                     "group_weights": {}},
        },
        status=status, objective=Objective(name="travel", value=value), before_value=start, bound=bound, gap=gap,
        gain_gap=gain_gap, proof=proof, crs=PLANE.crs, opened=n_opened, sites=planned,
        measures=BeforeAfter(before=access(before), after=access(after)),
        curve=Curve(minutes=steps, before=cumulative[0], after=cumulative[1]),
        areas=sorted(area_rows, key=lambda a: -a.people), far=far,
        snapping={"people": Snapping(points=len(gx), joined=len(gx) - 1, median_m=14.2, farthest_m=340.0, cap_m=500.0,
                                     unjoined=["c17"], unjoined_people=12.0)} if streets else {},
        sources=sources,
        notes=["People walk at 4.8 km/h along streets and paths that may be walked.", "Slopes are not counted."],
    )  # fmt: skip

    site_table = gpd.GeoDataFrame(
        {
            "id": ids, "name": title,
            "status": ["existing" if j in existing else "opened" if j in order else "candidate" for j in range(n_sites)],
            "people": [served[j] if j in is_open else 0.0 for j in range(n_sites)],
            "order": pd.array([order.index(j) + 1 if j in order else None for j in range(n_sites)], dtype="Int64"),
            "gain_person_min": [gains[order.index(j)] if j in order else np.nan for j in range(n_sites)],
            "loss_person_min": [loss[j][0] if j in order else np.nan for j in range(n_sites)],
            "replacement": [ids[spare[0]] if j in order and spare else "" for j in range(n_sites)],
            "opening_hours": ["Mo-Fr 09:00-17:00"] * n_sites,
        },
        geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326",
    )  # fmt: skip
    people_table = gpd.GeoDataFrame(
        {
            "id": [f"c{i}" for i in range(len(gx))], "total": total, **people, "area": area_of,
            "minutes_before": before, "minutes_after": after,
            "site_before": ["" if np.isnan(m) else ids[s] for m, s in zip(before, site_before, strict=True)],
            "site_after": ["" if np.isnan(m) else ids[s] for m, s in zip(after, nearest, strict=True)],
        },
        geometry=gpd.points_from_xy(lonp, latp), crs="EPSG:4326",
    )  # fmt: skip
    corners = [(-1.15, -1.1), (0.9, -1.2), (1.2, -0.2), (1.1, 1.15), (-0.6, 1.1), (-1.2, 0.5)]
    outline = Polygon(list(zip(*PLANE.to_lonlat(*(half * np.array(corners).T)), strict=True)))
    quarters = [box(-9, 0, 0, 9), box(0, 0, 9, 9), box(-9, -9, 0, 0), box(0, -9, 9, 0)]
    outline_m = Polygon(half * np.array(corners))
    pieces = []
    for quarter in quarters:
        ring = np.array(outline_m.intersection(Polygon(np.array(quarter.exterior.coords) * half)).exterior.coords)
        pieces.append(Polygon(list(zip(*PLANE.to_lonlat(*ring.T), strict=True))))
    shapes = None
    if hexagons:
        turn = np.radians(np.arange(0, 360, 60) + 30)
        rings = [PLANE.to_lonlat(x + cell_m * 0.58 * np.cos(turn), y + cell_m * 0.58 * np.sin(turn)) for x, y in zip(gx, gy, strict=True)]  # fmt: skip
        shapes = gpd.GeoSeries([Polygon(list(zip(*ring, strict=True))) for ring in rings], crs="EPSG:4326")
    return Plan(
        document=document, sites=site_table, people=people_table,
        streets=grid_streets(n_side, cell_m, split) if streets else None,
        boundary=gpd.GeoDataFrame(geometry=[outline], crs="EPSG:4326") if districts else None,
        districts=gpd.GeoDataFrame({"name": list(areas)}, geometry=pieces, crs="EPSG:4326") if districts else None,
        shapes=shapes, cell_m=None if hexagons or points else cell_m,
        run={"seconds": {"times": 0.4, "solve": 1.2}, "threads": 2},
    )  # fmt: skip


@pytest.fixture(scope="session")
def build() -> Callable[..., Plan]:
    return make_plan


@pytest.fixture(scope="session")
def plan() -> Plan:
    """The town with everything: streets, districts, groups, far places, some people out of reach."""
    return make_plan()


ARABIC = ("مركز الحي", "مكتبة المدينة", "کتابخانهٔ مرکزی", "مدرسه شماره ۱۲", "دار البلدية (2)", "سوق الحي")


@pytest.fixture(
    scope="session",
    params=["full", "bare", "arabic", "everyone reached", "huge", "proven", "hexagons", "points", "none open", "injected"],
)  # fmt: skip
def any_plan(request: pytest.FixtureRequest) -> Plan:
    """One plan of each odd kind."""
    return ODD[request.param]()


INJECTED = ('<b>&"</b><script>alert(1)</script>', "]]></style>'\"><img src=x onerror=y>", "{{ 7*7 }}\x0b%")
ODD: dict[str, Callable[[], Plan]] = {
    "full": make_plan,
    "bare": lambda: make_plan(streets=False, districts=False, groups=(), areas=()),
    "arabic": lambda: make_plan(names=ARABIC, areas=("شمال", "المدينة القديمة", "جنوب شهر", "تپه"), study="خطة المدينة"),
    "everyone reached": lambda: make_plan(spread=1.0, n_existing=8, cell_m=100.0),
    "huge": lambda: make_plan(scale=40_000.0),
    "proven": lambda: make_plan(status="optimal"),
    "hexagons": lambda: make_plan(hexagons=True, proof="solver", status="feasible"),
    "points": lambda: make_plan(points=True),
    "none open": lambda: make_plan(n_existing=0, n_opened=1),
    "injected": lambda: make_plan(
        names=INJECTED, areas=(*INJECTED, "x&y"), study=INJECTED[0], groups=("children<i>",)
    ),
}  # fmt: skip
