"""
What OpenStreetMap's tags say about who may use a way, in which direction and how fast.

Every choice is in these tables. Where tags contradict each other the more specific one wins; a value that is not known
counts as no tag; ``:conditional`` and ``:lanes`` keys are not read (nobody can plan on Tuesdays from nine to ten).

Right of way
    ==========  ==========================================================================================
    mode        keys, most specific first; ``key:forward`` and ``key:backward`` come before ``key``
    ==========  ==========================================================================================
    walk        foot, access
    bike        bicycle, vehicle, access
    drive       motorcar, motor_vehicle, vehicle, access
    ==========  ==========================================================================================

    ``OPEN_VALUES`` open (destination and customers too: people go to a centre as visitors, and passing through is not
    told apart), ``CLOSED_VALUES`` close (private, residents, delivery, agricultural, use_sidepath …). Of a list such as
    ``agricultural;destination`` one open value suffices. A mode's own keys open a class that is closed by default;
    ``access`` can only close. ``sidewalk`` says nothing about the right to walk and is not read.

Classes of way
    ========================================  ==================  =====================  ===========================
    class                                     walk                bike                   drive, km/h without maxspeed
    ========================================  ==================  =====================  ===========================
    motorway, motorway_link                   closed              never                  100, 50
    trunk … residential, road, their links    open                ride                   70 … 25 (``KINDS``)
    service, living_street                    open                ride                   15, 10, also with maxspeed
    track                                     open                ride, rough            20, 15, 10 by grade 1-3; 10
                                                                                         without; 4-5 closed
    path                                      open                ride, rough            closed, 10 where a key opens
    cycleway                                  open                ride                   closed, 10 where a key opens
    footway, pedestrian, bridleway            open                push                   closed, 10 where a key opens
    busway                                    closed              closed                 closed, 25 where a key opens
    steps                                     open, half speed    never                  never
    corridor, elevator, platform              open                never                  never
    man_made=pier                             open                push                   never
    route=ferry                               open                open                   closed unless a key opens
    construction, proposed, raceway,          never               never                  never
    bus_guideway, via_ferrata, all others
    ========================================  ==================  =====================  ===========================

    motorroad=yes closes walking and cycling. sac_scale of the alpine grades closes every mode, mountain grades close
    cycling. smoothness=impassable and impassable=yes close cycling and driving. area=yes closes driving; walking and
    cycling follow the outline. service=emergency_access closes driving.

Direction
    oneway yes/true/1, -1/reverse and no/false/0; reversible closes both directions, since nobody can count on it. The
    most specific of oneway:bicycle or oneway:motorcar, oneway:motor_vehicle, oneway:vehicle, oneway is taken. Without
    any, junction=roundabout and circular, motorway and motorway_link run forward only. cycleway (:left, :right, :both)
    =opposite, opposite_lane, opposite_track, opposite_share_busway and cycleway:left/right:oneway -1 or no open a
    one-way street to cycling against it. Walking heeds oneway:foot alone, and on ferries and moving stairs oneway too;
    moving stairs (conveying=forward/backward) run one way.

Speed
    walk 4.8 km/h, bike 15 km/h, or the study's own. Steps are walked at half speed. Rough surfaces, tracks but those
    of grade 1, and paths are ridden at two thirds. A bike is pushed at 4 km/h (never faster than its own speed) on
    bicycle=dismount, and where riding is not allowed but walking is; bicycle=no closes to pushing too.
    Driving: 0.8 × maxspeed (nobody drives at the limit all the way), else the class's speed, at most 30 km/h on rough
    surfaces and 130 km/h anywhere. maxspeed is read in km/h, mph or knots, ``walk`` is 6 km/h, ``none`` 130; of a list
    ``50;30`` the least holds; ``DE:urban`` and the like are looked up in ``limits.NATIONAL_KMH``, also from
    maxspeed:type, source:maxspeed and zone:maxspeed. Traffic, signals and turn bans are not considered.
    Ferries: their length over ``duration``, else 10 km/h; waiting is not considered.

Not read
    Tags of relations: a ferry line or a square that is tagged on its relation alone is not travelled.

Barriers
    Nodes with ``barrier`` close by kind (``node_closed``); a mode's own keys overrule the kind, access=private or no
    and locked=yes close.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from nearer.inputs.limits import MAX_DRIVE_KMH, duration_s, maxspeed_kmh
from nearer.inputs.tables import STREET_CLASSES

Direction = Literal["forward", "backward"]
Tags = Mapping[str, str]

WAY_KEYS = ("highway", "route", "railway", "public_transport", "man_made")
"""A way without any of these keys is never travelled."""

WALK_KMH = 4.8
BIKE_KMH = 15.0
PUSH_KMH = 4.0
FERRY_KMH = 10.0
ROUGH_DRIVE_KMH = 30.0
LIMIT_SHARE = 0.8
STEPS_SHARE = 0.5
ROUGH_SHARE = 2.0 / 3.0

OPEN_VALUES = frozenset(
    {"yes", "designated", "official", "permissive", "public", "destination", "customers", "discouraged", "shared"}
)
CLOSED_VALUES = frozenset(
    {
        *("no", "private", "residents", "permit", "employees", "staff", "restricted", "military", "emergency"),
        *("agricultural", "forestry", "delivery", "bus", "psv", "use_sidepath"),
    }
)

MODE_KEYS: dict[str, tuple[str, ...]] = {
    "walk": ("foot",),
    "bike": ("bicycle", "vehicle"),
    "drive": ("motorcar", "motor_vehicle", "vehicle"),
}
ONEWAY_KEYS: dict[str, tuple[str, ...]] = {
    "bike": ("oneway:vehicle", "oneway"),
    "drive": ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway"),
}
ONEWAY_VALUES = {
    **dict.fromkeys(("yes", "true", "1"), (True, False)),
    **dict.fromkeys(("-1", "reverse"), (False, True)),
    **dict.fromkeys(("no", "false", "0", "alternating"), (True, True)),
    "reversible": (False, False),
}
"""Whether a oneway value leaves a way open forward and backward."""


class Kind(NamedTuple):
    """How a class of way behaves before any other tag is read."""

    street_class: str
    walk: bool
    bike: Literal["ride", "push", "closed", "never"]
    drive_kmh: float | None
    """Speed where driving is allowed; None = never."""
    drive: bool = True
    slow: bool = False
    """The class's own speed holds even where a higher maxspeed is signed."""


KINDS: dict[str, Kind] = {
    "motorway": Kind("motorway", False, "never", 100.0),
    "motorway_link": Kind("motorway", False, "never", 50.0),
    "trunk": Kind("major", True, "ride", 70.0),
    "trunk_link": Kind("major", True, "ride", 40.0),
    "primary": Kind("major", True, "ride", 50.0),
    "primary_link": Kind("major", True, "ride", 30.0),
    "secondary": Kind("major", True, "ride", 45.0),
    "secondary_link": Kind("major", True, "ride", 30.0),
    "tertiary": Kind("minor", True, "ride", 35.0),
    "tertiary_link": Kind("minor", True, "ride", 25.0),
    "unclassified": Kind("minor", True, "ride", 30.0),
    "residential": Kind("minor", True, "ride", 25.0),
    "road": Kind("minor", True, "ride", 25.0),
    "service": Kind("minor", True, "ride", 15.0, slow=True),
    "living_street": Kind("minor", True, "ride", 10.0, slow=True),
    "track": Kind("path", True, "ride", 10.0, slow=True),
    "path": Kind("path", True, "ride", 10.0, drive=False, slow=True),
    "cycleway": Kind("path", True, "ride", 10.0, drive=False, slow=True),
    "footway": Kind("path", True, "push", 10.0, drive=False, slow=True),
    "pedestrian": Kind("path", True, "push", 10.0, drive=False, slow=True),
    "bridleway": Kind("path", True, "push", 10.0, drive=False, slow=True),
    "busway": Kind("minor", False, "closed", 25.0, drive=False, slow=True),
    "steps": Kind("path", True, "never", None),
    "corridor": Kind("path", True, "never", None),
    "elevator": Kind("path", True, "never", None),
    "platform": Kind("path", True, "never", None),
    "pier": Kind("path", True, "push", None),
    "ferry": Kind("ferry", True, "ride", FERRY_KMH, drive=False),
}
ALIASES = {"trail": "path", "footpath": "footway", "crossing": "footway", "minor": "unclassified"}

TRACK_KMH = {"grade1": 20.0, "grade2": 15.0, "grade3": 10.0, "grade4": 0.0, "grade5": 0.0}
ROUGH_SURFACES = frozenset(
    {
        *("unpaved", "gravel", "pebblestone", "ground", "dirt", "earth", "soil", "mud", "sand", "grass", "grass_paver"),
        *("cobblestone", "unhewn_cobblestone", "rock", "stone", "woodchips", "snow", "ice"),
    }
)
ALPINE = frozenset({"alpine_hiking", "demanding_alpine_hiking", "difficult_alpine_hiking"})
MOUNTAIN = ALPINE | {"mountain_hiking", "demanding_mountain_hiking"}

WALK_BARRIERS = frozenset({"wall", "fence", "hedge", "city_wall", "retaining_wall", "guard_rail"})
BIKE_BARRIERS = WALK_BARRIERS | {"stile", "turnstile", "full-height_turnstile", "kissing_gate", "ladder"}
DRIVE_PASSES = frozenset(
    {
        *("no", "entrance", "kerb", "gate", "lift_gate", "swing_gate", "sliding_gate", "hampshire_gate", "bump_gate"),
        *("border_control", "toll_booth", "cattle_grid", "sally_port", "height_restrictor", "arch", "rumble_strip"),
    }
)


def way_kind(tags: Tags) -> str | None:
    """Class of a way, a key of ``KINDS``; None where nobody travels."""
    highway = tags.get("highway")
    if highway is not None:
        if highway in KINDS:
            return highway if highway not in ("ferry", "pier") else None
        for part in highway.split(";"):
            part = ALIASES.get(part.strip(), part.strip())
            if part in KINDS:
                return part
        return None
    if tags.get("route") == "ferry":
        return "ferry"
    if tags.get("railway") == "platform" or tags.get("public_transport") == "platform":
        return "platform"
    return "pier" if tags.get("man_made") == "pier" else None


def street_class(tags: Tags) -> int:
    """
    Drawing class of a way, a position in ``tables.STREET_CLASSES``; ways that nobody travels are drawn as paths.

    Motorways are "motorway"; trunk to secondary "major"; other streets cars use "minor"; the rest "path" or "ferry".
    """
    kind = way_kind(tags)
    return STREET_CLASSES.index(KINDS[kind].street_class if kind else "path")


def way_speeds(tags: Tags, mode: str, speed_kmh: float | None = None) -> tuple[float, float]:
    """
    Speed along and against a way, by the rules in this module's docstring.

    Parameters
    ----------
    tags
        The way's tags.
    mode
        "walk", "bike" or "drive".
    speed_kmh
        Speed on plain ground, km/h; default 4.8 walking and 15 cycling; ignored driving.

    Returns
    -------
    forward_kmh, backward_kmh
        0 = closed. A ferry's is ``FERRY_KMH``; see `ferry_kmh` for those with a timetable.

    Raises
    ------
    ValueError
        No such mode.
    """
    if mode not in MODE_KEYS:
        raise ValueError(f"no tag rules for mode {mode!r}")
    name = way_kind(tags)
    if name is None or tags.get("sac_scale") in ALPINE:
        return 0.0, 0.0
    if mode == "walk":
        base = WALK_KMH if speed_kmh is None else speed_kmh
        forward, backward = _walk_ways(tags, name)
        if name == "ferry":
            base = FERRY_KMH
        elif name == "steps":
            base *= STEPS_SHARE
        return base * forward, base * backward
    if mode == "bike":
        base = BIKE_KMH if speed_kmh is None else speed_kmh
        return _bike_kmh(tags, name, base)
    return _drive_kmh(tags, name)


def node_closed(tags: Tags, mode: str) -> bool:
    """
    Whether a barrier stops the traveller at this node.

    Walking is stopped by walls, fences and hedges; cycling also by stiles, turnstiles and kissing gates; driving by
    everything but gates, booths and the like (``DRIVE_PASSES``), bollards above all. Bikes are pushed through where
    vehicles may not pass. A gate without further tags is open.
    """
    kind = tags.get("barrier")
    if kind is None:
        return False
    own = _permission(tags, ("bicycle",) if mode == "bike" else MODE_KEYS[mode])
    if own is not None:
        return not own
    if _permission(tags, ("access",)) is False or tags.get("locked") == "yes":
        # A gate that is shut to the public may still name walkers; bikes are pushed through with them.
        return not (mode == "bike" and _permission(tags, ("foot",)) is True)
    if mode == "drive":
        return kind not in DRIVE_PASSES
    return kind in (WALK_BARRIERS if mode == "walk" else BIKE_BARRIERS)


def ferry_kmh(tags: Tags, length_m: float) -> float:
    """Speed of a ferry: its length over its ``duration``, ``FERRY_KMH`` where that is absent or unreadable, km/h."""
    seconds = duration_s(tags.get("duration", ""))
    return length_m / seconds * 3.6 if seconds and length_m > 0 else FERRY_KMH


def _verdict(value: str) -> bool | None:
    """What an access value says; None where it is not known."""
    if value in OPEN_VALUES:
        return True
    if value in CLOSED_VALUES:
        return False
    if ";" not in value:
        return None
    verdicts = {_verdict(part.strip()) for part in value.split(";")}
    return True if True in verdicts else False if False in verdicts else None


def _permission(tags: Tags, keys: tuple[str, ...], direction: Direction | None = None) -> bool | None:
    """Whether the first key that speaks opens or closes; None where none speaks."""
    for key in keys:
        for full in (f"{key}:{direction}", key) if direction else (key,):
            value = tags.get(full)
            if value is not None and (verdict := _verdict(value)) is not None:
                return verdict
    return None


def _oneway(tags: Tags, keys: tuple[str, ...], name: str = "") -> tuple[bool, bool]:
    """Directions open by the first oneway key that speaks, else by what the class or junction implies."""
    for key in keys:
        if (said := ONEWAY_VALUES.get(tags.get(key, ""))) is not None:
            return said
    implied = tags.get("junction") in ("roundabout", "circular") or name in ("motorway", "motorway_link")
    return True, not implied


def _walk_ways(tags: Tags, name: str) -> tuple[bool, bool]:
    """Whether walking is open along and against the way."""
    if name == "ferry" or (name in ("steps", "footway", "corridor") and tags.get("conveying", "no") != "no"):
        ways = _oneway(tags, ("oneway:foot", "oneway"))
        if tags.get("conveying") == "forward":
            ways = (ways[0], False)
        elif tags.get("conveying") == "backward":
            ways = (False, ways[1])
    else:
        ways = ONEWAY_VALUES.get(tags.get("oneway:foot", ""), (True, True))
    return ways[0] and _may_walk(tags, name, "forward"), ways[1] and _may_walk(tags, name, "backward")


def _may_walk(tags: Tags, name: str, direction: Direction) -> bool:
    own = _permission(tags, MODE_KEYS["walk"], direction)
    if own is not None:
        return own
    if not KINDS[name].walk or tags.get("motorroad") == "yes":
        return False
    return _permission(tags, ("access",), direction) is not False


def _contraflow(tags: Tags) -> bool:
    """Whether bikes may ride against a one-way street."""
    for side in ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both"):
        if tags.get(side, "").startswith("opposite") or tags.get(f"{side}:oneway") in ("-1", "no"):
            return True
    return False


def _bike_kmh(tags: Tags, name: str, base: float) -> tuple[float, float]:
    kind = KINDS[name]
    if kind.bike == "never" or _impassable(tags) or tags.get("sac_scale") in MOUNTAIN:
        return 0.0, 0.0
    ways = ONEWAY_VALUES.get(tags.get("oneway:bicycle", ""))
    if ways is None:
        ways = (True, True) if _contraflow(tags) else _oneway(tags, ONEWAY_KEYS["bike"], name)
    walk = _walk_ways(tags, name)
    rough = (
        tags.get("surface") in ROUGH_SURFACES
        or (name == "path" and "surface" not in tags and tags.get("bicycle") != "designated")
        or (name == "track" and "surface" not in tags and tags.get("tracktype") != "grade1")
    )
    if name == "ferry":
        ride, push = FERRY_KMH, 0.0
    else:
        ride, push = base * (ROUGH_SHARE if rough else 1.0), min(base, PUSH_KMH)

    def speed(direction: Direction, by_oneway: bool, on_foot: bool) -> float:
        named = tags.get(f"bicycle:{direction}", tags.get("bicycle"))
        if named == "dismount":
            return push if on_foot else 0.0
        if _permission(tags, ("bicycle",), direction) is False:
            return 0.0
        own = _permission(tags, MODE_KEYS["bike"], direction)
        may_ride = own
        if own is None:
            may_ride = (
                kind.bike == "ride"
                and tags.get("motorroad") != "yes"
                and _permission(tags, ("access",), direction) is not False
            )
        if may_ride:
            return ride if by_oneway else 0.0
        return push if on_foot and kind.bike != "closed" else 0.0

    return speed("forward", ways[0], walk[0]), speed("backward", ways[1], walk[1])


def _drive_kmh(tags: Tags, name: str) -> tuple[float, float]:
    kind = KINDS[name]
    if kind.drive_kmh is None or tags.get("area") == "yes" or _impassable(tags):
        return 0.0, 0.0
    ways = _oneway(tags, ONEWAY_KEYS["drive"], name)
    default = TRACK_KMH.get(tags.get("tracktype", ""), kind.drive_kmh) if name == "track" else kind.drive_kmh

    def speed(direction: Direction) -> float:
        own = _permission(tags, MODE_KEYS["drive"], direction)
        if own is None:
            own = (
                kind.drive
                and default > 0
                and tags.get("service") != "emergency_access"
                and _permission(tags, ("access",), direction) is not False
            )
        if not own:
            return 0.0
        if name == "ferry":
            return FERRY_KMH
        kmh = default or kind.drive_kmh or 0.0
        limit = _limit_kmh(tags, direction)
        if limit is not None:
            kmh = min(kmh, LIMIT_SHARE * limit) if kind.slow else LIMIT_SHARE * limit
        if tags.get("surface") in ROUGH_SURFACES:
            kmh = min(kmh, ROUGH_DRIVE_KMH)
        return min(kmh, MAX_DRIVE_KMH)

    return speed("forward") * ways[0], speed("backward") * ways[1]


def _limit_kmh(tags: Tags, direction: Direction) -> float | None:
    """Limit in force in a direction, km/h; None where no tag tells."""
    for key in (f"maxspeed:{direction}", "maxspeed", "maxspeed:type", "source:maxspeed", "zone:maxspeed"):
        value = tags.get(key)
        if value is None or (key == "source:maxspeed" and ":" not in value):
            continue  # source:maxspeed=25 names a survey as often as a speed
        if (limit := maxspeed_kmh(value)) is not None:
            return limit
    return None


def _impassable(tags: Tags) -> bool:
    return tags.get("smoothness") == "impassable" or tags.get("impassable") == "yes"
