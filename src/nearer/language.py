"""
Words and numbers in each language, from gettext catalogues.

What is written for people is English in the code, as ``t("…")`` and ``tn(n, "…", "…")``, and said in the language of
the block around it::

    with language("fa"):
        page = report_html(plan)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

LANGUAGES = {"en": "English", "es": "Español", "fa": "فارسی"}
"""Languages there are, each by its own name; English is in the code itself."""

RIGHT_TO_LEFT = frozenset({"fa"})
"""Languages that are read from right to left."""

_spoken: ContextVar[str] = ContextVar("language", default="en")

_FIGURES = {
    "es": str.maketrans(",.", ".,"),
    "fa": str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹٬٫"),
}


@contextmanager
def language(code: str) -> Iterator[None]:
    """
    Say in one language whatever is said inside the block, in this thread.

    Raises
    ------
    KeyError
        There is no such language.
    """
    LANGUAGES[code]
    before = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(before)


def spoken() -> str:
    """The language that is spoken: "en", "es", "fa"."""
    return _spoken.get()


def direction() -> str:
    """Which way it is read: "ltr" or "rtl"."""
    return "rtl" if spoken() in RIGHT_TO_LEFT else "ltr"


def t(text: str, /, **values: object) -> str:
    """A text in the language spoken; ``{name}`` is replaced by its value, which has been put in words before."""
    found = catalogue(spoken(), "report").get(text, text)
    return (found if isinstance(found, str) else text).format(**values)


def tn(n: float, one: str, many: str, /, **values: object) -> str:
    """The form that goes with a number; ``{n}`` is the number, rounded, as the language writes it."""
    found = catalogue(spoken(), "report").get(one)
    forms = found if isinstance(found, list) else (one, many)
    form = str(forms[0 if round(n) == 1 else 1])
    return form.format(**{"n": figures(f"{round(n):,}")} | values)


def figures(text: str) -> str:
    """A number written in English (1,234.5; 63 %) as the language spoken writes it."""
    code = spoken()
    if code == "en":
        return text
    if code == "es":  # four figures stand together, five are parted
        text = re.sub(r"(?<![\d,])(\d),(\d{3})(?![\d,])", r"\1\2", text)
    text = text.translate(_FIGURES[code])
    if code == "fa":  # the marks keep sign and number together whatever stands beside them
        text = text.replace("-", "\u200e\u2212").replace("\u202f%", "\u200f٪").replace(" %", "\u200f٪")
    return text


def told(text: str) -> str:
    """A note, whose values are in it already, in the language spoken; as it is where no form of it is known."""
    for form, said in _forms(spoken()):
        if found := form.fullmatch(text):
            return said.format(*(_value(part) for part in found.groups()))
    return text


def _value(text: str) -> str:
    """A value in a note: a number as the language writes it, a note in a note, or a name as it is."""
    if re.fullmatch(r"-?[\d,.]*\d(?:[ \u202f]?%)?", text):
        return figures(text)
    return told(text)


@cache
def _forms(code: str) -> list[tuple[re.Pattern[str], str]]:
    known = sorted(catalogue(code, "notes").items(), key=lambda one: -len(one[0].replace("{}", "")))
    return [(re.compile("(.*?)".join(map(re.escape, form.split("{}"))), re.DOTALL), str(said)) for form, said in known]


@cache
def catalogue(code: str, of: str) -> dict[str, object]:
    """
    Text → translation; a text with a plural has a list of two.

    Parameters
    ----------
    code
        One of `LANGUAGES`; English has no entries.
    of
        "pages" of the browser; "report" for what is written to files; "notes", and "faults" with refusals, by their
        form: ``{}`` for each value, values in the same order.

    Raises
    ------
    KeyError
        There is no such language.
    """
    LANGUAGES[code]
    if code == "en":
        return {}
    return read_po((files("nearer") / "locale" / f"{of}-{code}.po").read_text(encoding="utf-8"))


def read_po(text: str) -> dict[str, object]:
    """Entries of a gettext catalogue that are translated and not marked fuzzy."""
    found: dict[str, object] = {}
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in block.splitlines() if line.strip()]
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            continue
        parts: dict[str, str] = {}
        name = ""
        for line in lines:
            if line.startswith("#"):
                continue
            if not line.startswith('"'):
                name, _, line = line.partition(" ")
            parts[name] = parts.get(name, "") + ast.literal_eval(line.strip())
        key = parts.get("msgid", "")
        if not key:
            continue
        if "msgid_plural" in parts:
            forms = [parts.get(f"msgstr[{k}]", "") for k in range(2)]
            if all(forms):
                found[key] = forms
        elif parts.get("msgstr"):
            found[key] = parts["msgstr"]
    return found
