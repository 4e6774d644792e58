"""The pages' words in each language, from gettext catalogues."""

from __future__ import annotations

import ast
from functools import cache
from importlib.resources import files

from nearer.serve.studies import NotThereError

LANGUAGES = {"en": "English", "es": "Español", "fa": "فارسی"}
"""Languages of the pages, each by its own name; English is in the pages themselves."""


@cache
def catalogue(language: str) -> dict[str, object]:
    """
    Text → translation; a text with a plural has a list.

    Raises
    ------
    NotThereError
        There is no such language.
    """
    if language not in LANGUAGES:
        raise NotThereError(f"There is no language {language[:10]!r} here.")
    if language == "en":
        return {}
    path = files("nearer.serve") / "locale" / f"{language}.po"
    return read_po(path.read_text(encoding="utf-8"))


@cache
def faults(language: str) -> dict[str, object]:
    """
    Form of a fault or refusal, ``{}`` for each value → the same in a language, values in the same order.

    Raises
    ------
    NotThereError
        There is no such language.
    """
    if language not in LANGUAGES:
        raise NotThereError(f"There is no language {language[:10]!r} here.")
    path = files("nearer.serve") / "locale" / f"faults-{language}.po"
    return {} if language == "en" else read_po(path.read_text(encoding="utf-8"))


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
