"""``nearer.toml`` changed key by key, comments kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Table

from nearer.errors import UsageError
from nearer.files import written_whole
from nearer.study.load import STUDY_FILE, check_settings

CHANGEABLE = ("study.", "plan.", "streets.", "people.", "area.", "agencies", "owners", "levels", "sites", "exclude")
"""What the browser may change: keys that begin so."""


def change_settings(folder: Path, values: Mapping[str, Any]) -> None:
    """
    Set some keys of a study's file; None takes a key out.

    Parameters
    ----------
    folder
        The study folder.
    values
        Dotted key ("plan.open", "people.groups", "agencies") → plain value. A list of tables replaces the whole list.

    Raises
    ------
    InputError
        The file would have faults; it stands as it was.
    UsageError
        A key may not be changed here.
    """
    file = folder / STUDY_FILE
    document = tomlkit.parse(file.read_bytes().decode("utf-8-sig") if file.exists() else "")
    for key, value in values.items():
        if not key.startswith(CHANGEABLE):
            raise UsageError(f"{key} cannot be changed here.")
        _set(document, key.split("."), value)
    text = tomlkit.dumps(document)
    check_settings(tomlkit.parse(text).unwrap(), STUDY_FILE)
    with written_whole(file) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def _set(document: tomlkit.TOMLDocument, path: list[str], value: Any) -> None:
    table: Any = document
    for part in path[:-1]:
        if part not in table:
            if value is None:
                return
            table.add(part, tomlkit.table())
        table = table[part]
    name = path[-1]
    if value is None:
        if name in table:
            table.remove(name)
        return
    item = _item(value)
    if name in table:
        old = table[name]
        if getattr(old, "trivia", None) is not None and not isinstance(old, Table) and hasattr(item, "trivia"):
            item.trivia.comment, item.trivia.comment_ws = old.trivia.comment, old.trivia.comment_ws
        table[name] = item
    else:
        table.add(name, item)


def as_items(settings: Mapping[str, Any]) -> tomlkit.TOMLDocument:
    """Whole settings as a new TOML document; groups on one line, lists of tables one below the other."""
    document = tomlkit.document()
    for name, value in settings.items():
        if isinstance(value, dict):
            table = tomlkit.table()
            for key, inner in value.items():
                table.add(key, _item(inner))
            document.add(name, table)
        else:
            document.add(name, _item(value))
    return document


def _item(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        tables = tomlkit.aot()
        for one in value:
            table = tomlkit.table()
            for key, inner in one.items():
                if inner is not None:
                    table.add(key, _item(inner) if isinstance(inner, dict) else tomlkit.item(_said(inner)))
            tables.append(table)
        tables[-1].add(tomlkit.nl())
        return tables
    if isinstance(value, dict):
        inline = tomlkit.inline_table()
        inline.update(_said(value))
        return inline
    return tomlkit.item(_said(value))


def _said(value: Any) -> Any:
    """A value without what is null in it, which TOML cannot say."""
    if isinstance(value, dict):
        return {key: _said(inner) for key, inner in value.items() if inner is not None}
    return [_said(one) for one in value] if isinstance(value, list) else value
