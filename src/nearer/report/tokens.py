"""The design tokens of every picture and page, as data: the report, QGIS styles and the browser read this one file."""

from __future__ import annotations

LIGHT: dict[str, str] = {
    "page": "#FFFFFF",
    "text": "#1B1F24",
    "quiet": "#57606A",
    "line": "#D0D7DE",
    "existing": "#1B1F24",
    "opened": "#D55E00",
    "on-opened": "#000000",
    "upgraded": "#009E73",
    "closed": "#B0206F",
    "candidate": "#6E7781",
    "other": "#0072B2",
    "streets": "#C9CED6",
    "water": "#DCE9F2",
    "outside": "#F3F4F6",
    "warning": "#9A6700",
    "error": "#B42318",
}
"""Colour of each role on a light page. ``on-opened`` is the number inside an opened centre's circle."""

DARK: dict[str, str] = {
    "page": "#0F1419",
    "text": "#E6EDF3",
    "quiet": "#9DA7B3",
    "line": "#30363D",
    "existing": "#E6EDF3",
    "opened": "#FF8A3D",
    "on-opened": "#0F1419",
    "upgraded": "#2EC79A",
    "closed": "#F07BB6",
    "candidate": "#8B949E",
    "other": "#56B4E9",
    "streets": "#2B323B",
    "water": "#16242F",
    "outside": "#151A20",
    "warning": "#E3B341",
    "error": "#FF7B72",
}
"""The same roles on a dark page."""

MINUTE_BREAKS: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0, 30.0)
"""Upper ends of the classes of minutes, inclusive; the sixth class has none, and out of reach is a seventh, hatched."""

MINUTES_LIGHT = ("#FFEA46", "#CBBA69", "#958F78", "#666970", "#31446B", "#00204D")
"""Cividis in six steps (Nuñez, Anderton, Renslow 2018), near to far: dark is far, on paper and in grey too."""

MINUTES_DARK = ("#FFEA46", "#CBBA69", "#958F78", "#6E727B", "#4A5F8C", "#2A4A85")
"""The far end lifted, so that the farthest cells do not sink into a dark page."""

GAIN_BREAKS: tuple[float, ...] = (0.5, 2.0, 5.0, 10.0)
"""Upper ends of the classes of minutes saved; the fifth class has none, and newly within reach is a sixth."""

GAIN_LIGHT = ("#E4E7EB", "#FBE9DC", "#F6CDAE", "#EEA878", "#E38445", "#D55E00")
GAIN_DARK = ("#232A32", "#3A2A20", "#643F27", "#95572F", "#C97138", "#FF8A3D")
"""One-sided ramp towards the colour of opened centres; the first is "no change", the last "newly within reach"."""

SHORT_BREAKS: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
"""Upper ends of the classes of the share of a place that people lack, inclusive; before them stands "nothing lacks"."""

SHORT_LIGHT = ("#E4E7EB", "#F1CDE0", "#DB8FB6", "#C5568F", "#8E1156")
SHORT_DARK = ("#232A32", "#52263D", "#8A3D65", "#C35A92", "#F7A6CE")
"""One-sided ramp of the colour of closed centres, from "nothing lacks" away from the page."""

CHANGE_BREAKS: tuple[float, ...] = (-5.0, -2.0, -0.5, 0.5, 2.0, 5.0)
"""Ends between the classes of minutes more or less; newly out of reach is an eighth class, hatched."""

CHANGE_LIGHT = ("#B35806", "#F1A340", "#FEE0B6", "#ECEEF1", "#D8DAEB", "#998EC3", "#542788")
CHANGE_DARK = ("#FF9B3D", "#B4692B", "#5A3E26", "#232A32", "#3B3657", "#7D6FC0", "#BDAEFF")
"""PuOr in seven steps (Brewer, Harrower 2003), orange is shorter and purple longer; no change sinks into the page."""

STREET_WIDTHS_PX = {"path": 0.3, "minor": 0.45, "major": 0.9, "motorway": 1.3, "ferry": 0.7}
"""Stroke of each class of ``nearer.inputs.tables.STREET_CLASSES``, pixels on screen."""

FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif'
"""The system's own sans serif; no web font."""


def variables(dark: bool = False) -> dict[str, str]:
    """CSS variables of one scheme, ``--role`` → colour; ``m0`` … minutes, ``g`` gain, ``s`` shortfall, ``d`` change."""
    roles = DARK if dark else LIGHT
    minutes, gain = (MINUTES_DARK, GAIN_DARK) if dark else (MINUTES_LIGHT, GAIN_LIGHT)
    short, change = (SHORT_DARK, CHANGE_DARK) if dark else (SHORT_LIGHT, CHANGE_LIGHT)
    found = {f"--{role}": colour for role, colour in roles.items()}
    found.update({f"--m{place}": colour for place, colour in enumerate(minutes)})
    found.update({f"--g{place}": colour for place, colour in enumerate(gain)})
    found.update({f"--s{place}": colour for place, colour in enumerate(short)})
    found.update({f"--d{place}": colour for place, colour in enumerate(change)})
    return found


def css(selector: str = ":root") -> str:
    """Both schemes as a style sheet: light by default and in print, dark on a screen that asks for it."""
    light, dark = (";".join(f"{name}:{value}" for name, value in variables(d).items()) for d in (False, True))
    return (
        f"{selector}{{color-scheme:light dark;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{{selector}{{{dark}}}}}"
    )


def luminance(colour: str) -> float:
    """Relative luminance of ``#RRGGBB``, 0 … 1 (WCAG 2.2)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 … 21 (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
