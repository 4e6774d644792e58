"""A plan in, files for people out: one HTML page, a GeoPackage, tables, pictures, a few lines of text."""

from __future__ import annotations

from nearer.planning.plan import Plan
from nearer.report import plan_words
from nearer.report.gapgpkg import write_gaps_gpkg
from nearer.report.gaphtml import write_gaps_report
from nearer.report.gapwords import gaps_summary, gaps_table, gaps_text
from nearer.report.gpkg import write_gpkg
from nearer.report.html import report_html, write_report
from nearer.report.stages import phase_lines
from nearer.report.svgmap import map_svg
from nearer.report.tables import write_sites_csv

__all__ = [
    "gaps_summary",
    "gaps_table",
    "gaps_text",
    "map_svg",
    "report_html",
    "summary_text",
    "write_gaps_gpkg",
    "write_gaps_report",
    "write_gpkg",
    "write_report",
    "write_sites_csv",
]


def summary_text(plan: Plan) -> str:
    """The few lines that the command line prints: what the plan gains and how well it is proven."""
    return "\n".join([*plan_words.summary(plan.document), *phase_lines(plan.document)])
