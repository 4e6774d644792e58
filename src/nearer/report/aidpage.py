"""``aid.html``: how some days at the centres went, as one file that opens anywhere and needs no script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup

from nearer import __version__
from nearer.files import written_whole
from nearer.report import plot, tokens, words
from nearer.report.html import environment, style

LARGER = {"g": ("kg", 1000), "ml": ("l", 1000)}
"""Units that people count in where the ledger counts small ones."""

CAUSES = {
    "EXPIRED": "past its use-by day",
    "DAMAGED": "spoilt",
    "LOST": "lost",
    "VARIANCE": "found missing by a count",
}

Row = Mapping[str, Any]


def amount(quantity: float, unit: str) -> str:
    """A quantity in the unit that people count in: 2,928 kg."""
    name, each = LARGER.get(unit, (unit, 1)) if abs(quantity) >= 100 else (unit, 1)
    value = quantity / each
    text = f"{value:,.1f}" if each > 1 and abs(value) < 10 and value != round(value) else f"{value:,.0f}"
    return f"{text}{words.THIN}{name}"


def share(value: float | None) -> str:
    """A share for people; a dash where there is none."""
    return words.NONE if value is None else words.percent(value)


def days(value: float | None) -> str:
    """A number of days."""
    return words.NONE if value is None else f"{value:,.0f}"


def lead(found: Row) -> str:
    """The span in one or two sentences."""
    centres = [row for row in found["centres"] if row["fill"] is not None]
    if not found["visits"]:
        return "Nobody was served in these days."
    text = (
        f"{words.whole(found['visits'])} visits by {words.whole(found['households'])} households were served at "
        f"{words.count(len(found['centres']), 'centre')}."
    )
    if len(centres) > 1:
        least = min(centres, key=lambda row: row["fill"])
        text += (
            f" The middle centre handed over {share(found['median_fill'])} of what its households were entitled to, "
            f"{least['name']} {share(least['fill'])}, the least."
        )
    return text


def figures(found: Row, coins: Mapping[str, tuple[str, int]]) -> list[dict[str, str]]:
    """The figures below the lead: name, value, unit, note."""
    costs = []
    for coin, value in found["cost_per_household"].items():
        name, each = coins.get(coin, (coin, 1))
        costs.append((f"{value / each:,.2f}" if each > 1 else f"{value:,.0f}", name))
    least = min((row for row in found["centres"] if row["fill"] is not None), key=lambda row: row["fill"], default=None)
    reached = (
        "" if found["coverage"] is None else f"{share(found['coverage'])} of {words.whole(found['expected'])} expected"
    )
    return [
        {
            "name": "Households served",
            "value": words.whole(found["households"]),
            "unit": "accounts",
            "note": reached or "each once in a programme's period",
        },
        {
            "name": "Least share at a centre",
            "value": share(found["least_fill"]),
            "unit": "of entitlements",
            "note": "" if least is None else str(least["name"]),
        },
        {
            "name": "From receipt to hand-over",
            "value": days(found["days_to_hand_over"]),
            "unit": "days, median",
            "note": f"{days(found['days_left'])} days before the use-by day",
        },
        {
            "name": "Money for each household",
            "value": costs[0][0] if costs else words.NONE,
            "unit": costs[0][1] if costs else "",
            "note": " and ".join(f"{value} {name}" for value, name in costs[1:]) if costs else "no money was spent",
        },
    ]


def week_plot(found: Row) -> plot.Plot | None:
    """Visits of each week, all centres together; None for fewer than two weeks."""
    sums: dict[str, int] = defaultdict(int)
    for row in found["weeks"]:
        sums[row["from"]] += row["visits"]
    if len(sums) < 2:
        return None
    first = min(map(date.fromisoformat, sums))
    last = max(map(date.fromisoformat, sums))
    weeks = (last - first).days // 7 + 1
    heights = [0.0] * weeks
    for start, number in sums.items():
        heights[(date.fromisoformat(start) - first).days // 7] = float(number)
    most = max(range(weeks), key=lambda k: heights[k])
    chart = plot.Plot(
        "weeks",
        "Visits by week",
        f"Between {min(heights):,.0f} and {max(heights):,.0f} visits a week, most in week {most + 1}.",
        (0.0, float(weeks)),
        (0.0, max(heights)),
        f"weeks from {first.isoformat()}",
        "visits",
        height=300,
    )
    chart.steps([float(k) for k in range(weeks + 1)], heights)
    return chart


def fill_table(found: Row) -> dict[str, Any]:
    """Centres by items: the share of entitlements that was handed over, and how dark each cell is."""
    items = list(dict.fromkeys(row["item"] for row in found["fill"]))
    names = {row["item"]: row["name"] for row in found["items"]}
    at = {(row["site"], row["item"]): row["fill"] for row in found["fill"]}
    lines = []
    for row in found["centres"]:
        cells = [at.get((row["site"], item)) for item in items]
        shown = [{"text": share(cell), "dark": 0 if cell is None else shade(cell)} for cell in cells]
        lines.append({"name": row["name"], "all": share(row["fill"]), "cells": shown})
    return {"items": [names.get(item, item) for item in items], "lines": lines}


def shade(fill: float) -> int:
    """How much is missing, from 0 (nearly nothing) to 5."""
    return min(5, int((1.0 - fill) * 10))


def goods_rows(found: Row) -> list[dict[str, str]]:
    """Items: handed over, unmet, written off, waiting."""
    return [
        {
            "name": row["name"],
            "given": amount(row["handed_over"], row["unit"]),
            "unmet": amount(row["unmet"], row["unit"]),
            "fill": share(row["fill"]),
            "wasted": amount(row["wasted"], row["unit"]),
            "waste": share(row["waste_share"]),
            "waited": days(row["days_to_hand_over"]),
            "left": days(row["days_left"]),
        }
        for row in found["items"]
    ]


def waste_rows(found: Row) -> list[dict[str, str]]:
    """What went wrong: by kind, cause and item, all sites together, the most telling first."""
    units = {row["item"]: row["unit"] for row in found["waste"]}
    names = {row["item"]: row["name"] for row in found["items"]}
    whole = {row["item"]: row["wasted"] + row["handed_over"] for row in found["items"]}
    given = {row["item"]: row["handed_over"] for row in found["items"]}
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in found["waste"]:
        sums[row["kind"], row["cause"], row["item"]] += row["quantity"]
    ordered = sorted(sums.items(), key=lambda entry: (-entry[1] / max(whole.get(entry[0][2], 0), 1), entry[0]))
    return [
        {
            "what": CAUSES[kind],
            "cause": "" if cause == "use-by" else cause,
            "item": names.get(item, item),
            "quantity": amount(quantity, units[item]),
            "share": share(quantity / whole[item]) if given.get(item) else words.NONE,
        }
        for (kind, cause, item), quantity in ordered
    ]


def stock_rows(flows: Sequence[Row], names: Mapping[str, str]) -> list[dict[str, str]]:
    """Goods that lie at a site at the end, and where they came from and went to meanwhile."""
    found = []
    for row in flows:
        came = sum(row[way] for way in ("given", "bought", "arrived"))
        out = -row["handed_over"] - row["sent"]
        rest = row["closing"] - row["opening"] - came + out
        found.append(
            {
                "site": names.get(row["site"], row["site"]),
                "item": names.get(row["item"], row["item"]),
                **{
                    key: amount(value, row["unit"])
                    for key, value in (
                        ("opening", row["opening"]),
                        ("came", came),
                        ("out", out),
                        ("rest", rest),
                        ("closing", row["closing"]),
                    )
                },
            }
        )
    return found


def aid_html(
    title: str,
    found: Row,
    flows: Sequence[Row],
    names: Mapping[str, str],
    coins: Mapping[str, tuple[str, int]],
    command: str,
) -> str:
    """
    The whole page; the same figures give the same bytes.

    Parameters
    ----------
    title
        Whose report it is.
    found
        Indicators of a span of days, as plain values.
    flows
        What each site held and moved, as plain values.
    names
        Code of a site or an item → its name.
    coins
        Code of a currency → the unit that people count in, and how many base units that is.
    command
        The command that makes the page again.
    """
    chart = week_plot(found)
    text = environment().get_template("aid.html.j2").render(
        title=title,
        version=__version__,
        css=Markup(tokens.css() + plot.CSS + style()),
        found=found,
        lead=lead(found),
        figures=figures(found, coins),
        weeks="" if chart is None else Markup(chart.svg()),
        reading="" if chart is None else chart.desc,
        fill=fill_table(found),
        centres=[
            {**row, "fill": share(row["fill"]), "least_fill": share(row["least_fill"])} for row in found["centres"]
        ],
        goods=goods_rows(found),
        waste=waste_rows(found),
        stock=stock_rows(flows, names),
        words=words,
        share=share,
        command=command,
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def write_aid_page(page: str, path: Path) -> None:
    """Write the page, whole or not at all."""
    with written_whole(Path(path)) as beside:
        beside.write_text(page, encoding="utf-8", newline="\n")
