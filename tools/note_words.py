"""
Bring the catalogues of notes up to date: ``python tools/note_words.py``.

A plan carries sentences on its method and data, and names of rules, in English with values in them. They are read from
the sources here, ``{}`` for each value; reports find them again by their form (``nearer.language.told``).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from nearer.language import LANGUAGES

sys.path.insert(0, str(Path(__file__).parent))
from said import form_of
from web_words import write

SOURCES = Path(__file__).resolve().parents[1] / "src" / "nearer"

WHOLE = {
    "planning/gapnotes.py": ("rule", "gap_notes"),
    "planning/notes.py": ("notes",),
    "planning/staged.py": ("_notes",),
    "planning/volume.py": ("_says", "_small", "_trend"),
    "study/frontier.py": ("_money_notes", "_notes"),
    "study/ready.py": ("left_aside",),
    "study/scenarios.py": ("standard_scenarios",),
    "study/sensitivity.py": ("_losses", "in_words"),
    "study/staging.py": ("promised",),
    "study/stress.py": ("_notes",),
}
"""Functions of which every sentence is a note."""

FIXED = {
    "planning/sizecurve.py": ("RULE",),
    "planning/volume.py": ("LIMITS",),
    "study/agencies.py": ("NOTES",),
}
"""Sentences that have a name."""

KEPT = ("inputs/merge", "inputs/people", "inputs/raster", "inputs/read", "inputs/sites", "inputs/spread", "study/parts")
"""Modules that keep notes under one of ``NAMES``."""
NAMES = ("note", "notes", "said")

RULES = "study/staging.py"
"""Where rules are named: in the first argument of a call, or in a name before it."""
CALLS = ("add", "ServiceLimit")
PARTS = ("name", "part", "when")

FURTHER = (
    *("near {}", "not stated", "as given", "weights: {}", "everybody alike", "nothing more"),
    *("{} +{} %", "{} −{} %"),
    "{} touches no centre, no candidate, no street and nobody: does it lie in the area, and is its system of "
    "coordinates "
    "stated?",
    *("{} centre", "{} centres", "{} period", "{} periods", "{} people"),
    *("boundary", "buildings", "districts", "elevation", "exclude", "people", "sites", "streets", "times"),
)
"""Names that a plan gives to places, to levels, and to what a file holds."""


def forms() -> Iterator[tuple[str, None]]:
    """Every form once, in the order of the files."""
    found: dict[str, None] = {}
    for name, functions in WHOLE.items():
        for node in ast.walk(_tree(name)):
            if isinstance(node, ast.FunctionDef) and node.name in functions:
                found |= dict.fromkeys(_sentences(node.body[1:]))
    for name, names in FIXED.items():
        for node in _tree(name).body:
            if isinstance(node, ast.Assign) and any(_last_name(target) in names for target in node.targets):
                found |= dict.fromkeys(_sentences([node.value]))
    for name in KEPT:
        for node in ast.walk(_tree(f"{name}.py")):
            found |= dict.fromkeys(_sentences(_kept(node)))
    for node in ast.walk(_tree(RULES)):
        if isinstance(node, ast.Call) and _called(node) in CALLS and node.args:
            found |= dict.fromkeys(_forms(node.args[0]))
        if isinstance(node, ast.Assign) and any(_last_name(target) in PARTS for target in node.targets):
            found |= dict.fromkeys(_sentences([node.value]))
    found |= dict.fromkeys(FURTHER)
    yield from ((form, None) for form in found)


def _tree(name: str) -> ast.Module:
    return ast.parse((SOURCES / name).read_text(encoding="utf-8"))


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def _kept(node: ast.AST) -> Iterable[ast.AST]:
    """What a statement adds to notes."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
        return node.args if _last_name(node.func.value) in NAMES else ()
    if isinstance(node, ast.Assign) and any(_last_name(target) in NAMES for target in node.targets):
        return (node.value,)
    return ()


def _last_name(node: ast.AST) -> str:
    return getattr(node, "attr", "") or getattr(node, "id", "")


def _sentences(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every text of more than a word below some nodes."""
    for node in nodes:
        found = list(_forms(node))
        if found:
            yield from (form for form in found if re.search(r"[a-z]{2,} |^everyone$", form))
        else:
            yield from _sentences(ast.iter_child_nodes(node))


def _forms(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant | ast.JoinedStr) and (form := form_of(node)):
        yield form


if __name__ == "__main__":
    for code in LANGUAGES:
        if code != "en":
            write("notes", code, forms())
