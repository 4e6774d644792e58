"""
Bring the catalogues of reports up to date: ``python tools/report_words.py``.

Texts are read from ``nearer.report`` and its templates: ``t("…")``, ``tn(n, "…", "…")``, ``folk(n, "…", "…", "…")`` and
``count(n, "…")``. Translations there are stay, those no longer used go, new ones are left empty.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jinja2 import nodes

from nearer.language import LANGUAGES
from nearer.report.html import environment

sys.path.insert(0, str(Path(__file__).parent))
from web_words import write

REPORT = Path(__file__).resolve().parents[1] / "src" / "nearer" / "report"

SAYING = {"t": (0, 1), "tn": (1, 3), "count": (1, 2), "folk": (1, 4)}
"""Functions that say a text, and which of their arguments are texts."""

HANDING_ON = ("count", "folk", "said")
"""Functions that say a text that they are given."""

Said = tuple[str, str | None]
"""A text, and its plural where it has one."""

Call = tuple[str, int, list[str | None]]
"""A function that says texts, the line, and its arguments; None where one is not written there."""


def texts() -> Iterator[Said]:
    """
    Every text of the reports once, in the order of the files.

    Raises
    ------
    ValueError
        One is not written where it is said, so that nobody could look it up.
    """
    known: set[str] = set()
    for path in [*sorted(REPORT.glob("*.py")), *sorted((REPORT / "templates").glob("*.j2"))]:
        calls = _in_python(path) if path.suffix == ".py" else _in_template(path)
        for name, line, arguments in sorted(calls, key=lambda call: call[1]):
            for one, many in _of_call(name, arguments, f"{path.name}, line {line}"):
                if one and one not in known:
                    known.add(one)
                    yield one, many


def _of_call(name: str, arguments: list[str | None], where: str) -> list[Said]:
    first, last = SAYING[name]
    given = arguments[first:last]
    if None in given or len(given) != last - first:
        raise ValueError(f"{where}: write the text itself into {name}(…).")
    said = [str(text) for text in given]
    if name == "count":
        return [(f"{{n}} {said[0]}", f"{{n}} {said[0]}s")]
    if name == "folk":
        return [(said[0], None), (said[1], said[2])]
    return [(said[0], said[1] if name == "tn" else None)]


def _in_python(path: Path) -> Iterator[Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    handing_on = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in HANDING_ON]
    inside = {id(node) for function in handing_on for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in inside:
            yield from _call(node.func, "id", "value", node.lineno, node.args)


def _in_template(path: Path) -> Iterator[Call]:
    for node in environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
        yield from _call(node.node, "name", "node", node.lineno, node.args)


def _call(called: Any, name_of: str, owner_of: str, line: int, arguments: Sequence[Any]) -> Iterator[Call]:
    """A call of a function that says texts, by its name alone or as ``words.NAME``; attributes as the language has."""
    owner = getattr(getattr(called, owner_of, None), name_of, "")
    name = getattr(called, "attr", "") if owner == "words" else getattr(called, name_of, "")
    if name in SAYING:
        values = [getattr(one, "value", None) for one in arguments]
        yield name, line, [value if isinstance(value, str) else None for value in values]


if __name__ == "__main__":
    for code in LANGUAGES:
        if code != "en":
            write("report", code, texts())
