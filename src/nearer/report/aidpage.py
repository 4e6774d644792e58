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
from nearer.language import t, tn
from nearer.report import plot, tokens, words
from nearer.report.dates import day
from nearer.report.html import environment, style

LARGER = {"g": ("kg", 1000), "ml": ("l", 1000)}
"""Units that people count in where the ledger counts small ones."""

Row = Mapping[str, Any]


def unit_name(unit: str) -> str:
    """A unit of the ledger; one that it does not know by itself stays as somebody wrote it."""
    return {"g": t("g"), "kg": t("kg"), "ml": t("ml"), "l": t("l"), "piece": t("piece")}.get(unit, unit)


def kind_name(kind: str) -> str:
    """What became of goods that were lost."""
    return {
        "EXPIRED": t("past its use-by day"),
        "DAMAGED": t("spoilt"),
        "LOST": t("lost"),
        "VARIANCE": t("found missing by a count"),
    }[kind]


def cause_name(cause: str) -> str:
    """Why goods were lost; "" where that is said by what became of them."""
    known = {
        "use-by": "",
        "broken": t("broken"),
        "wet": t("wet"),
        "pests": t("pests"),
        "temperature": t("temperature"),
        "packaging": t("packaging"),
        "missing": t("missing"),
        "theft": t("theft"),
        "transport": t("transport"),
        "miscount": t("miscount"),
        "unexplained": t("unexplained"),
        "other": t("other"),
    }
    return known.get(cause, cause)


def amount(quantity: float, unit: str) -> str:
    """A quantity in the unit that people count in: 2,928 kg."""
    name, each = LARGER.get(unit, (unit, 1)) if abs(quantity) >= 100 else (unit, 1)
    value = quantity / each
    text = words.number(value, 1 if each > 1 and abs(value) < 10 and value != round(value) else 0)
    return f"{text}{words.THIN}{unit_name(name)}"


def share(value: float | None) -> str:
    """A share for people; a dash where there is none."""
    return words.NONE if value is None else words.percent(value)


def days(value: float | None) -> str:
    """A number of days."""
    return words.NONE if value is None else words.number(value)


def lead(found: Row) -> str:
    """The span in one or two sentences."""
    centres = [row for row in found["centres"] if row["fill"] is not None]
    if not found["visits"]:
        return t("Nobody was served in these days.")
    text = tn(
        found["visits"],
        "{n} visit by {households} was served at {centres}.",
        "{n} visits by {households} were served at {centres}.",
        households=words.count(found["households"], "household"),
        centres=words.count(len(found["centres"]), "centre"),
    )
    if len(centres) > 1:
        least = min(centres, key=lambda row: row["fill"])
        text += t(
            " The middle centre handed over {middle} of what its households were entitled to, {centre} {share}, the "
            "least.",
            middle=share(found["median_fill"]),
            centre=least["name"],
            share=share(least["fill"]),
        )
    return text


def figures(found: Row, coins: Mapping[str, tuple[str, int]]) -> list[dict[str, str]]:
    """The figures below the lead: name, value, unit, note."""
    costs = []
    for coin, value in found["cost_per_household"].items():
        name, each = coins.get(coin, (coin, 1))
        costs.append((words.number(value / each, 2 if each > 1 else 0), name))
    least = min((row for row in found["centres"] if row["fill"] is not None), key=lambda row: row["fill"], default=None)
    reached = ""
    if found["coverage"] is not None:
        reached = t("{share} of {n} expected", share=share(found["coverage"]), n=words.whole(found["expected"]))
    further = t(" and ").join(f"{value} {name}" for value, name in costs[1:])
    return [
        {
            "name": t("Households served"),
            "value": words.whole(found["households"]),
            "unit": t("accounts"),
            "note": reached or t("each once in a programme's period"),
        },
        {
            "name": t("Least share at a centre"),
            "value": share(found["least_fill"]),
            "unit": t("of entitlements"),
            "note": "" if least is None else str(least["name"]),
        },
        {
            "name": t("From receipt to hand-over"),
            "value": days(found["days_to_hand_over"]),
            "unit": t("days, median"),
            "note": t("{days} days before the use-by day", days=days(found["days_left"])),
        },
        {
            "name": t("Money for each household"),
            "value": costs[0][0] if costs else words.NONE,
            "unit": costs[0][1] if costs else "",
            "note": further if costs else t("no money was spent"),
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
        t("Visits by week"),
        t(
            "Between {least} and {most} visits a week, most in week {week}.",
            least=words.number(min(heights)),
            most=words.number(max(heights)),
            week=words.bare(most + 1),
        ),
        (0.0, float(weeks)),
        (0.0, max(heights)),
        t("weeks from {day}", day=day(first.isoformat())),
        t("visits"),
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
            "what": kind_name(kind),
            "cause": cause_name(cause),
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
    title: str | None,
    found: Row,
    flows: Sequence[Row],
    names: Mapping[str, str],
    coins: Mapping[str, tuple[str, int]],
    command: str,
) -> str:
    """
    The whole page, in the language spoken; the same figures give the same bytes.

    Parameters
    ----------
    title
        Whose report it is; None where nobody said.
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
        title=title or t("The centres"),
        version=__version__,
        css=Markup(tokens.css() + plot.CSS + style()),
        found=found,
        first=day(found["first"]),
        last=day(found["last"]),
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
