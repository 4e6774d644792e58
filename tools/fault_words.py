"""
Bring the catalogues of faults and refusals up to date: ``python tools/fault_words.py``.

What the program says to a person at the planning map or the aid desk, beside its pages, is English text with values in
it. It is read from the sources of everything that the server can reach, ``{}`` for each value; the pages find the text
again by its form, and say it in the reader's language.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from nearer.language import LANGUAGES, read_po

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from said import Module, Texts, called, reached  # noqa: E402

LOCALE = ROOT / "src" / "nearer" / "locale"
STARTS = ("nearer.serve*", "nearer.aid.api*", "nearer.solvers*")
"""Where what runs behind the pages begins; solvers are chosen by name when they run."""

ASIDE = {
    "nearer.aid.api.serving": "said at the command line, before there is a page",
    "nearer.aid.copies": "copies are brought back at the command line",
    "nearer.aid.migrate": "said at the command line, before there is a page",
    "nearer.aid.offline.journal": "the offline desk of the command line; the browser's own has its words in the pages",
    "nearer.aid.refusals": "its texts are in the catalogues of the pages, and its remedies for the command line",
    "nearer.cluster.jobs": "computers together are asked for at the command line",
    "nearer.cluster.pool": "computers together are asked for at the command line",
    "nearer.serve.certificates": "said at the command line, before there is a page",
    "nearer.serve.oidc": "settings of the server, said at the command line before there is a page",
    "nearer.serve.running": "said at the command line, before there is a page",
}
"""Modules that the server reaches, and why nobody at a page meets what they say."""

REASONS = {"nearer.aid.allocation.explain", "nearer.errors", "nearer.study.why_not"}
"""Modules whose every text in words is said: reasons, and how a fault tells where it is."""

_TOLD = {"UsageError", "NotThereError", "InfeasibleError", "NearerError", "StoppedError"}
_SECOND = {"PydanticCustomError", "RefusedHere"}
_PLAIN = re.compile(r"\[|place=|nearer |[{} ]+(lon|lat|crs|GB|MB|km|m|,|\()?[{} )]*$")
"""Values that are the same in every language: keys, commands, units."""
_COLLECTED = ("fault", "sided", "book")


def forms() -> tuple[str, ...]:
    """Every text once, in the order of the modules' names; what is put into others comes after them."""
    return _forms()[0]


def untold() -> tuple[str, ...]:
    """Places where something is said that no text of ours was found behind."""
    return _forms()[1]


@cache
def _forms() -> tuple[tuple[str, ...], tuple[str, ...]]:
    modules = reached(ROOT / "src" / "nearer", STARTS)
    texts, wanted, blank = Texts(modules), dict[str, None](), []
    for name, module in modules.items():
        if name in ASIDE:
            continue
        for said in _said(module):
            found = texts.of(said, module)
            found = [re.sub(r"\{\w+\}", "{}", text) for text in found]  # pydantic names its values
            wanted |= dict.fromkeys(text for text in found if " " in text.strip() and any(map(str.isalpha, text)))
            if found == ["{}"]:
                blank.append(f"{name}: {ast.unparse(said)}")
    wanted |= dict.fromkeys(text for text in texts.inner if _PLAIN.match(text) is None)
    return tuple(wanted), tuple(dict.fromkeys(blank))


def _said(module: Module) -> Iterator[ast.expr]:
    """What a module says to a person."""
    if module.name in REASONS:
        parts = {part for one in ast.walk(module.tree) if isinstance(one, ast.JoinedStr) for part in ast.walk(one)}
        notes = {one.value for one in ast.walk(module.tree) if isinstance(one, ast.Expr)}
        for node in ast.walk(module.tree):
            text = isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts
            if (text or isinstance(node, ast.JoinedStr)) and node not in notes:
                yield node
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            name, given = called(node.exc), node.exc.args
            if name in _TOLD:
                yield from given[:1]
            elif name in _SECOND:
                yield from given[1:2]
            elif name == "ValueError" and _checks_a_value(module, node):
                yield from given[:1]
        elif isinstance(node, ast.Call):
            yield from _noted(module, node)
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "CODES":
            for one in node.value.values if isinstance(node.value, ast.Dict) else ():
                yield from one.elts[1:] if isinstance(one, ast.Tuple) else ()
        elif isinstance(node, ast.Dict) and module.name.startswith("nearer.serve"):
            told = zip(node.keys, node.values, strict=True)
            yield from (value for key, value in told if isinstance(key, ast.Constant) and key.value == "error")


def _checks_a_value(module: Module, node: ast.AST) -> bool:
    """Whether a ValueError becomes a fault: in a validator of pydantic's, or where its caller turns it into one."""
    function = module.within.get(node)
    decorators = [] if function is None else function.decorator_list
    return module.name == "nearer.demand" or any("validator" in ast.unparse(one) for one in decorators)


def _noted(module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """Faults, contradictions, findings of the audit, reasons of a sharing, and what a reader passed over."""
    name, by_name = called(call), {one.arg: one.value for one in call.keywords if one.arg}
    on = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name == "Fault":
        yield from [*call.args[:1], *call.args[4:5]]
    elif name == "add" and (any(one in on for one in _COLLECTED) or "remedy" in by_name):
        yield from call.args[:1]
    elif name in ("note_rows", "one_fault"):
        yield from call.args[{"note_rows": 3, "one_fault": 1}[name] :]
    elif name == "Contradiction":
        yield from call.args[1:]
    elif name == "_refuse" and module.name == "nearer.serve.guard":
        yield from call.args[2:]
    elif name in ("_find", "find") and len(call.args) == 4 and module.name.startswith("nearer.aid.audit"):
        yield call.args[3]
    elif name == "append" and on.endswith("notes") and module.name.startswith("nearer.aid"):
        yield call.args[0]
    yield from (by_name[one] for one in ("remedy", "because") if one in by_name)


def quoted(text: str) -> str:
    """A text as gettext writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def write(language: str, more: dict[str, str] | None = None) -> list[str]:
    """Write one catalogue anew, with further translations; returns what is not translated."""
    path = LOCALE / f"faults-{language}.po"
    known = read_po(path.read_text(encoding="utf-8")) if path.exists() else {}
    known |= more or {}
    wanted = list(forms())
    blocks = [f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"']
    blocks += [f"msgid {quoted(one)}\nmsgstr {quoted(str(known.get(one, '')))}" for one in wanted]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return [one for one in wanted if one not in known]


if __name__ == "__main__":
    for code in LANGUAGES:
        if code != "en":
            missing = write(code)
            sys.stdout.write("".join(f"{code}: {one}\n" for one in missing))
