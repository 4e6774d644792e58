"""``gaps.html``: one file that opens anywhere, asks nothing of the network and needs no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from nearer.files import written_whole
from nearer.language import figures, t, told
from nearer.planning.gapdoc import Gap, GapsDocument
from nearer.planning.gaps import Gaps
from nearer.report import gapmap, gapwords, mapstyle, svgmap, tokens, words
from nearer.report.dates import day
from nearer.report.html import environment, mark_rows, settings_lines, sized, style, turned
from nearer.report.mapframe import WIDTH
from nearer.report.mapmarks import LETTERED, letters, mark

_CENTRES = 15


def _figures(document: GapsDocument) -> list[dict[str, str]]:
    measured, near = document.measures, words.bare(document.standard.minutes)
    whom = gapwords.whom(document)
    return [
        {
            "name": t("Lack a place"),
            "now": words.about(measured.lacking),
            "unit": whom,
            "note": t(
                "{share} of {n}", share=words.percent(measured.lacking / measured.need), n=words.about(measured.need)
            )
            if measured.need
            else "",
        },
        {
            "name": t("No centre within {near} minutes", near=near),
            "now": words.about(measured.beyond),
            "unit": whom,
            "note": t(
                "{n} of them farther than {limit}",
                n=words.about(measured.unreached),
                limit=words.bare(words.limit_min(document)),
            ),
        },
        {
            "name": t("One in reach, too crowded"),
            "now": words.about(measured.crowded),
            "unit": whom,
            "note": t("share it with more than it is for"),
        },
        {
            "name": t("Open centres"),
            "now": words.whole(len(document.centres)),
            "unit": "",
            "note": t("for {n} {whom}", n=words.about(measured.places), whom=whom),
        },
    ]


def _mend_mark(shown: list[Gap]) -> list[dict[str, Any]]:
    if not any(gap.mend for gap in shown):
        return []
    inner = mark("candidate", 80, 80, 16)
    picture = f'<svg class="mark" viewBox="0 0 160 160" aria-hidden="true" focusable="false">{inner}</svg>'
    return [{"name": t("best site of an area"), "picture": Markup(picture)}]


def _row(letter: str, gap: Gap) -> dict[str, Any]:
    return {
        "letter": letter,
        "name": told(gap.name),
        "extent": t(
            "{area} km², {across} across", area=words.number(gap.area_km2, 1), across=words.metres(gap.across_m)
        ),
        "need": words.whole(gap.need),
        "lacking": words.whole(gap.lacking),
        "beyond": words.whole(gap.beyond),
        "minutes": words.minutes(gap.minutes),
        "sites": words.whole(len(gap.sites)),
        "sized": gapwords.sized(gap.sizing),
        "mend": gap.mend.name or gap.mend.id if gap.mend else "",
        "left": gapwords.mended(gap),
        "still": words.whole(gap.mend.beyond) if gap.mend and gap.mend.beyond >= 0.5 else "",
        "groups": [(name.replace("_", " "), words.whole(count)) for name, count in gap.groups.items()],
    }


def _command(document: GapsDocument) -> str:
    asked = document.standard
    parts = [f"nearer gaps . --minutes {asked.minutes:g} --standard-people {asked.people:g}"]
    parts += [f"--group {asked.group}"] if asked.group else []
    parts += [f"--decay {asked.decay}"] if asked.decay != "none" else []
    return " ".join(parts)


def gaps_html(gaps: Gaps) -> str:
    """The whole page as one HTML document; the same gaps give the same bytes but for the date."""
    document = gaps.document
    sheet = gapmap.lay_out_gaps(gaps, "ng")
    tall = sheet.frame.height / WIDTH
    wide = min(1000.0, 760.0 / tall)
    shown = document.gaps[:LETTERED]
    rows = [_row(letter, gap) for letter, gap in zip(letters(len(shown)), shown, strict=True)]
    crowded = sorted(
        (centre for centre in document.centres if centre.ratio is not None), key=lambda c: (c.ratio or 0.0, c.id)
    )
    text = environment().get_template("gaps.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + mapstyle.CSS + gapmap.CSS + style() + turned()),
        shared=Markup(svgmap.shared(sheet)),
        map=Markup(gapmap.gap_map(sheet, "short", wide)),
        walk=Markup(gapmap.gap_map(sheet, "minutes", 480)),
        wide=round(wide),
        legend=gapmap.short_legend(gaps),
        walk_caption=t("Minutes' {trip} to the nearest centre", trip=words.trip(document)),
        walk_legend=gapmap.walk_legend(gaps, words.limit_min(document)),
        marks=[*mark_rows(gaps), *_mend_mark(shown)],
        sized=sized(gaps),
        words=words,
        told=told,
        bare_number=lambda value: figures(f"{value:.2f}"),
        said=gapwords,
        figures=_figures(document),
        rows=rows,
        groups=[name for name, _ in rows[0]["groups"]] if rows else [],
        centres=crowded[:_CENTRES],
        centres_left=max(0, len(crowded) - _CENTRES),
        settings=settings_lines(document.settings),
        command=_command(document),
        date=day(str(gaps.run.get("date", ""))),
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def write_gaps_report(gaps: Gaps, path: Path) -> None:
    """
    Write ``gaps.html``, whole or not at all.

    Raises
    ------
    NearerError
        The file cannot be written.
    """
    text = gaps_html(gaps)
    with written_whole(Path(path)) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
