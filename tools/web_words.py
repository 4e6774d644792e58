"""
Bring the catalogues of the pages up to date: ``python tools/web_words.py``.

Texts are read from the pages' sources and from the refusals of the aid desk (``nearer.aid.refusals``); translations
there are stay, those no longer used go, new ones are left empty.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nearer.language import LANGUAGES, read_po

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "web" / "src"
LOCALE = ROOT / "src" / "nearer" / "locale"
PLURAL = {"es": "nplurals=2; plural=(n != 1);", "fa": "nplurals=2; plural=(n != 1);"}

REFUSALS = {"RefusedError", "ClaimError", "NotEnoughError", "UnknownError", "IdTakenError", "BusyError"}
COMMAND_LINE = ("src/nearer/aid/refusals.py", "src/nearer/aid/offline/journal.py")
"""Where refusals are made by what is handed on, or told at the command line alone."""

_TEXT = r'"(?:[^"\\]|\\.)*"'
_ONE = re.compile(rf"\bt\(\s*({_TEXT})")
_MANY = re.compile(rf"\btn\(\s*[^,]+?,\s*({_TEXT})\s*,\s*({_TEXT})", re.DOTALL)


def texts() -> Iterator[tuple[str, str | None]]:
    """Every text of the pages once, in the order of the files, with its plural where it has one."""
    known = set()
    for path in sorted(SOURCES.rglob("*.ts")):
        source = path.read_text(encoding="utf-8")
        found = [(m.start(), m[1], None) for m in _ONE.finditer(source)]
        found += [(m.start(), m[1], m[2]) for m in _MANY.finditer(source)]
        for _, one, many in sorted(found):
            text = ast.literal_eval(one)
            if text not in known:
                known.add(text)
                yield text, None if many is None else ast.literal_eval(many)
    yield from ((text, None) for text in dict.fromkeys(refusals()) if text not in known)


def refusals() -> Iterator[str]:
    """
    The text of every refusal that the aid desk can give, in the order of the files.

    Raises
    ------
    ValueError
        One is put together before it is refused: nobody could look it up.
    """
    for path in sorted((ROOT / "src" / "nearer" / "aid").rglob("*.py")):
        if path.relative_to(ROOT).as_posix() in COMMAND_LINE:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        fixed = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
                (first, *_) = node.args
                text = first.value if isinstance(first, ast.Constant) else fixed.get(getattr(first, "id", ""))
                if not isinstance(text, str):
                    raise ValueError(f"{path.name}, line {node.lineno}: give the text and its values apart.")
                yield text
    yield "There is no {what} {code}."  # nearer.aid.refusals.unknown


def quoted(text: str) -> str:
    """A text as gettext writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def write(of: str, language: str, wanted: Iterable[tuple[str, str | None]]) -> None:
    """Write one catalogue anew: texts, each with its plural where it has one."""
    path = LOCALE / f"{of}-{language}.po"
    old = read_po(path.read_text(encoding="utf-8")) if path.exists() else {}
    blocks = [
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        f'"Plural-Forms: {PLURAL[language]}\\n"'
    ]
    for one, many in wanted:
        known = old.get(one, "")
        if many is None:
            blocks.append(f"msgid {quoted(one)}\nmsgstr {quoted(str(known))}")
        else:
            forms = known if isinstance(known, list) else ["", ""]
            lines = [f"msgstr[{k}] {quoted(form)}" for k, form in enumerate(forms)]
            blocks.append("\n".join([f"msgid {quoted(one)}", f"msgid_plural {quoted(many)}", *lines]))
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for code in LANGUAGES:
        if code != "en":
            write("pages", code, texts())
