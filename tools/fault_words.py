"""
Bring the catalogues of faults and refusals up to date: ``python tools/fault_words.py``.

What the readers of files and the planning map say to a person is English text with values in it. It is read from the
sources here, ``{}`` for each value; the pages find the text again by its form, and say it in the reader's language.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from nearer.language import LANGUAGES, read_po

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "src" / "nearer" / "locale"
SOURCES = {
    "inputs": ("area", "columns", "frames", "people", "points", "raster", "read", "sites", "text"),
    "study": ("load", "owners", "parts", "venues"),
    "serve": (
        *(
            "gapshapes",
            "intake",
            "jobs",
            "routes_files",
            "routes_map",
            "routes_plans",
            "scene",
            "sent",
            "settings_file",
        ),
        *("shares", "situation", "stressing", "studies", "workbook", "worker"),
    ),
}
"""Modules whose words a person at the planning map meets first; what others say stays in English there."""

_RAISED = ("UsageError", "NotThereError", "InfeasibleError", "NearerError")
_NOTED = ("add", "note_rows", "Fault", "one_fault")


def forms() -> Iterator[str]:
    """Every text once, in the order of the files."""
    known = set()
    for room, names in SOURCES.items():
        for name in names:
            source = (ROOT / "src" / "nearer" / room / f"{name}.py").read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(source)):
                for said in _said(node):
                    form = form_of(said)
                    if form is not None and " " in form and form not in known:
                        known.add(form)
                        yield form


def _said(node: ast.AST) -> Iterator[ast.expr]:
    """What a statement says to a person, both arms of a choice."""
    found: list[ast.expr] = []
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _name(node.exc) in _RAISED:
        found = node.exc.args[:1]
    elif isinstance(node, ast.Call) and _name(node) in _NOTED:
        found = [*node.args, *(one.value for one in node.keywords if one.arg == "remedy")]
    for one in found:
        inner = one.body if isinstance(one, ast.Lambda) else one
        yield from (inner.body, inner.orelse) if isinstance(inner, ast.IfExp) else (inner,)


def _name(call: ast.Call) -> str:
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


def form_of(node: ast.expr) -> str | None:
    """A text with ``{}`` for each value."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (form_of(node.left) or "{}") + (form_of(node.right) or "{}")
    return None


def quoted(text: str) -> str:
    """A text as gettext writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def write(language: str, more: dict[str, str] | None = None) -> list[str]:
    """Write one catalogue anew, with further translations; returns what is not translated."""
    path = LOCALE / f"faults-{language}.po"
    known = read_po(path.read_text(encoding="utf-8")) if path.exists() else {}
    known |= more or {}
    wanted = list(forms())
    blocks = [f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"']
    rest = [one for one in known if one not in wanted]  # parts that are put into others
    blocks += [f"msgid {quoted(one)}\nmsgstr {quoted(str(known.get(one, '')))}" for one in [*wanted, *rest]]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return [one for one in wanted if one not in known]


if __name__ == "__main__":
    for code in LANGUAGES:
        if code != "en":
            missing = write(code)
            sys.stdout.write("".join(f"{code}: {one}\n" for one in missing))
