"""Default styles of the GeoPackage's layers, written as QGIS keeps them (QML), from the design tokens."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from nearer.report import tokens

_MM_PER_PX = 25.4 / 96


class Rule(NamedTuple):
    """Features that match ``where`` (QGIS expression, "" = all others) drawn with ``symbol`` (XML, name left open)."""

    name: str
    where: str
    symbol: str


def _rgba(colour: str, alpha: int = 255) -> str:
    return ",".join(str(int(colour[start : start + 2], 16)) for start in (1, 3, 5)) + f",{alpha}"


def _options(values: dict[str, str]) -> str:
    inner = "".join(f'<Option type="QString" name={quoteattr(k)} value={quoteattr(v)}/>' for k, v in values.items())
    return f'<Option type="Map">{inner}</Option>'


def _layer(kind: str, values: dict[str, str]) -> str:
    return f'<layer class="{kind}" enabled="1" locked="0" pass="0">{_options(values)}</layer>'


def _symbol(kind: str, *layers: str) -> str:
    return (
        f'<symbol type="{kind}" name="{{name}}" alpha="1" clip_to_extent="1" force_rhr="0">{"".join(layers)}</symbol>'
    )


def _marker(shape: str, fill: str, line: str, size: str, unit: str = "MM", line_mm: float = 0.25) -> str:
    values = {"name": shape, "color": _rgba(fill), "outline_color": _rgba(line), "outline_style": "solid"}
    values |= {"outline_width": f"{line_mm}", "outline_width_unit": "MM", "size": size, "size_unit": unit}
    return _layer("SimpleMarker", values)


def _fill(colour: str, line: str, style: str = "solid", line_style: str = "no") -> str:
    values = {"color": _rgba(colour), "style": style, "outline_color": _rgba(line), "outline_style": line_style}
    return _layer("SimpleFill", values | {"outline_width": "0.2", "outline_width_unit": "MM"})


def _line(colour: str, width_px: float) -> str:
    values = {"line_color": _rgba(colour), "line_style": "solid", "capstyle": "round", "joinstyle": "round"}
    return _layer("SimpleLine", values | {"line_width": f"{width_px * _MM_PER_PX:.3f}", "line_width_unit": "MM"})


def _rules(rules: Iterable[Rule]) -> str:
    rules = list(rules)
    heads = "".join(
        f'<rule key="{{rule-{n}}}" symbol="{n}" label={quoteattr(rule.name)} filter={quoteattr(rule.where or "ELSE")}/>'
        for n, rule in enumerate(rules)
    )
    symbols = "".join(rule.symbol.replace("{name}", str(n), 1) for n, rule in enumerate(rules))
    return (
        '<renderer-v2 type="RuleRenderer" forceraster="0" symbollevels="0" enableorderby="0">'
        f'<rules key="{{rules}}">{heads}</rules><symbols>{symbols}</symbols></renderer-v2>'
    )


def _labels(expression: str, size: float, colour: str, above: int) -> str:
    style = {
        "fieldName": expression, "isExpression": "1", "fontSize": f"{size}", "fontSizeUnit": "Point",
        "textColor": _rgba(colour), "namedStyle": "Bold", "fontWeight": "75",
    }  # fmt: skip
    halo = {"bufferDraw": "1", "bufferSize": "0.8", "bufferSizeUnits": "MM", "bufferColor": _rgba(tokens.LIGHT["page"])}
    attributes = "".join(f" {k}={quoteattr(v)}" for k, v in style.items())
    buffer = "".join(f" {k}={quoteattr(v)}" for k, v in halo.items())
    return (
        f'<labeling type="simple"><settings calloutType="simple"><text-style{attributes}><text-buffer{buffer}/>'
        f'</text-style><placement placement="{above}" centroidInside="1" dist="1.5" distUnits="MM" priority="5"/>'
        '<rendering obstacle="1" drawLabels="1" scaleVisibility="0"/></settings></labeling>'
    )


def _document(renderer: str, labels: str = "") -> str:
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="3.22.0" styleCategories="Symbology|Labeling" labelsEnabled="{1 if labels else 0}">'
        f"{renderer}{labels}</qgis>"
    )


def sites_style() -> str:
    """Sites by status; new centres carry their number and name."""
    roles, page = tokens.LIGHT, tokens.LIGHT["page"]
    kinds = [
        ("new centre", "opened", "circle", roles["opened"], roles["text"], "4"),
        ("upgraded centre", "upgraded", "cross_fill", roles["upgraded"], page, "4"),
        ("closed centre", "closed", "cross2", page, roles["closed"], "3.4"),
        ("existing centre", "existing", "circle", roles["existing"], page, "2.6"),
        ("another provider's centre", "other", "square", roles["other"], page, "2.4"),
        ("candidate", "candidate", "circle", page, roles["candidate"], "1.5"),
    ]
    rules = [
        Rule(name, f"\"status\" = '{status}'", _symbol("marker", _marker(shape, fill, line, size)))
        for name, status, shape, fill, line, size in kinds
    ]
    label = 'CASE WHEN "status" = \'opened\' THEN concat("order", \' \', "name") END'
    return _document(_rules(rules), _labels(label, 8, roles["text"], 6))


def people_style(polygons: bool, cell_m: float | None) -> str:
    """People's cells by minutes with the plan; out of reach hatched."""
    breaks, page, text = tokens.MINUTE_BREAKS, tokens.LIGHT["page"], tokens.LIGHT["text"]
    bounds = [f'"minutes_after" <= {breaks[0]:g}']
    bounds += [f'"minutes_after" > {low:g} AND "minutes_after" <= {high:g}' for low, high in pairwise(breaks)]
    bounds += [f'"minutes_after" > {breaks[-1]:g}']
    names = [f"up to {breaks[0]:g} minutes", *(f"{low:g} to {high:g} minutes" for low, high in pairwise(breaks))]
    names += [f"over {breaks[-1]:g} minutes"]

    def cell(colour: str) -> str:
        if polygons:
            return _symbol("fill", _fill(colour, page))
        if cell_m is not None:
            return _symbol("marker", _marker("square", colour, page, f"{cell_m:g}", "RenderMetersInMapUnits", 0.05))
        return _symbol("marker", _marker("circle", colour, page, "1.6", line_mm=0.05))

    rules = [Rule(n, b, cell(c)) for n, b, c in zip(names, bounds, tokens.MINUTES_LIGHT, strict=True)]
    if polygons:
        out = _symbol("fill", _fill(tokens.LIGHT["line"], text), _fill(text, text, "b_diagonal"))
    elif cell_m is not None:
        size = f"{cell_m:g}"
        unit = "RenderMetersInMapUnits"
        out = _symbol(
            "marker",
            _marker("square", tokens.LIGHT["line"], text, size, unit, 0.15),
            _marker("line", text, text, size, unit, 0.3),
        )
    else:
        out = _symbol("marker", _marker("cross2", text, text, "1.6"))
    return _document(_rules([*rules, Rule("out of reach", '"minutes_after" IS NULL', out)]))


def areas_style() -> str:
    """Outlines and names of areas."""
    quiet = tokens.LIGHT["quiet"]
    symbol = _symbol("fill", _fill(tokens.LIGHT["page"], quiet, "no", "dash"))
    return _document(_rules([Rule("area", "", symbol)]), _labels('"name"', 9, tokens.LIGHT["text"], 0))


def streets_style() -> str:
    """Streets by class, thin and grey."""
    return _document(
        _rules(
            Rule(name, f"\"class\" = '{name}'", _symbol("line", _line(tokens.LIGHT["streets"], width)))
            for name, width in tokens.STREET_WIDTHS_PX.items()
        )
    )


def gaps_style() -> str:
    """Areas with too few places: outlined in the colour of what is missing, with their rank and name."""
    line = tokens.LIGHT["closed"]
    symbol = _symbol("fill", _fill(tokens.LIGHT["page"], line, "no", "solid"))
    return _document(
        _rules([Rule("too few places in reach", "", symbol)]),
        _labels('concat("rank", \' \', "name")', 8, tokens.LIGHT["text"], 0),
    )


def shortfall_style(polygons: bool, cell_m: float | None) -> str:
    """People's cells by the share of a place they lack; those with no centre in reach hatched."""
    breaks, text, page = tokens.SHORT_BREAKS, tokens.LIGHT["text"], tokens.LIGHT["page"]
    short = '1 - "supply"'
    bounds = [f'"count" > 0 AND {short} <= 0.000001']
    bounds += [
        f'"count" > 0 AND {short} > {max(low, 1e-6):g} AND {short} <= {high:g}'
        for low, high in pairwise((0.0, *breaks))
    ]
    names = ["as many as the standard asks", *(f"lacks up to {high:.0%}" for high in breaks)]
    rules = [
        Rule(name, where, _symbol("fill" if polygons else "marker", _cell(colour, page, polygons, cell_m)))
        for name, where, colour in zip(names, bounds, tokens.SHORT_LIGHT, strict=True)
    ]
    hatch = _fill(text, text, "b_diagonal") if polygons else _marker("line", text, text, "1.6", line_mm=0.3)
    ground = _cell(tokens.LIGHT["line"], page, polygons, cell_m)
    out = _symbol("fill" if polygons else "marker", ground, hatch)
    return _document(_rules([*rules, Rule("no centre in reach", "", out)]))


def _cell(colour: str, line: str, polygons: bool, cell_m: float | None) -> str:
    if polygons:
        return _fill(colour, line)
    if cell_m is not None:
        return _marker("square", colour, line, f"{cell_m:g}", "RenderMetersInMapUnits", 0.05)
    return _marker("circle", colour, line, "1.6", line_mm=0.05)


def gap_sites_style() -> str:
    """Open centres, and the candidates that would mend a gap with the ranks of those gaps."""
    roles, page = tokens.LIGHT, tokens.LIGHT["page"]
    kinds = [
        ("would mend a gap", "\"mends\" <> ''", "circle", roles["opened"], roles["text"], "4"),
        ("existing centre", "\"status\" = 'existing'", "circle", roles["existing"], page, "2.6"),
        ("another provider's centre", "\"status\" = 'other'", "square", roles["other"], page, "2.4"),
        ("candidate", "\"status\" = 'candidate' AND \"mends\" = ''", "circle", page, roles["candidate"], "1.5"),
    ]
    rules = [
        Rule(name, where, _symbol("marker", _marker(shape, fill, line, size)))
        for name, where, shape, fill, line, size in kinds
    ]
    label = 'CASE WHEN "mends" <> \'\' THEN concat("name", \' → \', "mends") END'
    return _document(_rules(rules), _labels(label, 8, roles["text"], 6))


def hazard_style() -> str:
    """Ground that cannot be used."""
    symbol = _symbol("fill", _fill(tokens.LIGHT["other"], tokens.LIGHT["other"], "b_diagonal", "solid"))
    return _document(_rules([Rule("ground that cannot be used", "", symbol)]))


def flows_style() -> str:
    """From the centre people went to before to the one they go to then."""
    return _document(_rules([Rule("people go elsewhere", "", _symbol("line", _line(tokens.LIGHT["closed"], 1.5)))]))
