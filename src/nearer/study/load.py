"""``nearer.toml`` read and checked: every fault at once, with its key, its line and what would mend it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nearer.errors import Faults, InputError
from nearer.study.settings import Study, contradictions

STUDY_FILE = "nearer.toml"

Location = tuple[int | str, ...]


def load_study(path: Path) -> Study:
    """
    Read a study's settings.

    Parameters
    ----------
    path
        The study folder, or its ``nearer.toml``.

    Raises
    ------
    InputError
        The file is missing, is not TOML, or has unknown keys, missing keys, wrong types or contradictions.
    """
    path = Path(path)
    file = path if path.suffix == ".toml" else path / STUDY_FILE
    text = _read(file)
    return check_settings(_parse(text, file.name), file.name, _lines_of_keys(text))


def check_settings(settings: Mapping[str, Any], file: str, lines: Mapping[str, int] | None = None) -> Study:
    """
    Settings from plain values; ``lines`` maps dotted keys to lines of ``file``.

    Raises
    ------
    InputError
        With every fault of the settings.
    """
    faults = Faults(file)
    study: Study | None = None
    try:
        study = Study.model_validate(_tuples(settings), strict=True)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            key = dotted(detail["loc"])
            if detail["type"] == "too_short" and detail["input"]:
                continue  # tables are there; what is wrong with each is said already
            message, remedy = _in_words(detail)
            faults.add(message, row=_line(key, lines), column=key, remedy=remedy)
    if study is not None:
        for key, message, remedy in contradictions(study):
            faults.add(message, row=_line(key, lines), column=key, remedy=remedy)
    if study is None or faults.found:
        raise InputError(sorted(faults.found, key=lambda fault: fault.row or 0))
    return study


def dotted(location: Location) -> str:
    """A key as people write it; tables of a list are counted from 1: ``sites[2].status``."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _read(file: Path) -> str:
    faults = Faults(file.name)
    try:
        return file.read_bytes().decode("utf-8-sig")  # editors on Windows put a mark first
    except FileNotFoundError:
        what = (
            f"there is no {file.name} in {file.parent}" if file.parent.is_dir() else f"there is no folder {file.parent}"
        )
        faults.add(what, remedy="give the study's folder, or write a new study with `nearer new DIR`")
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        faults.add("the text is not UTF-8", row=row, remedy="save the file as UTF-8")
    except NotADirectoryError:
        faults.add(f"{file.parent} is a file", remedy="give the study's folder")
    except OSError as error:
        faults.add(f"cannot be read: {error.strerror or error}")
    raise InputError(faults.found)


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", str(error))
        row = text.count("\n") + 1 if place and place[1] is None else int(place[1]) if place else None
        message = str(error)[: place.start()] if place else str(error)
        faults = Faults(name)
        remedy = _toml_remedy(str(error), text.splitlines()[row - 1] if row and text else "")
        faults.add(f"not valid TOML: {message[:1].lower()}{message[1:]}", row=row, remedy=remedy)
        raise InputError(faults.found) from error


def _toml_remedy(message: str, line: str) -> str:
    if "\\" in message:
        return "write paths with / instead of \\"
    if any(sign in line for sign in "“”„‟«»‘’"):
        return 'write straight quotes "…": a word processor has made others of them'
    if "declare" in message or "overwrite" in message:
        return "write each table and each key once"
    return 'text stands in "quotes", numbers without, tables as [name]'


def _tuples(value: Any) -> Any:
    # Strict types (a quoted "98" is no number) want tuples where the settings have them.
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_tuples(item) for item in value)
    return value.item() if hasattr(value, "item") else value  # numbers of NumPy


def _in_words(detail: ErrorDetails) -> tuple[str, str | None]:
    """What is wrong and what would mend it, for one of pydantic's findings."""
    location, context = detail["loc"], detail.get("ctx", {})
    given = _quoted(detail["input"])
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key {location[-1]}", _nearest_key(location)
        case "missing":
            return _missing(location)
        case "string_too_short":
            return "must not be empty", None
        case "string_type":
            return f"must be text, not {given}", "put it in quotes"
        case "int_type" | "int_from_float" | "int_parsing":
            return f"must be a whole number, not {given}", "write it without quotes and without a fraction"
        case "float_type" | "float_parsing":
            return f"must be a number, not {given}", "write it without quotes, with a point for decimals"
        case "finite_number":
            return f"must be a finite number, not {given}", None
        case "literal_error":
            return f"{given} is not one of {context['expected']}", None
        case "greater_than":
            return f"must be more than {context['gt']:g}, not {given}", None
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}, not {given}", None
        case "less_than":
            return f"must be less than {context['lt']:g}, not {given}", None
        case "less_than_equal":
            return f"must be at most {context['le']:g}, not {given}", None
        case "too_short":
            return "there are no sites", "add at least one [[sites]] table"
        case "tuple_type":
            return f"must be a list of tables, not {given}", f"write [[{location[-1]}]] instead of [{location[-1]}]"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"must be a table, not {given}", f"write [{dotted(location)}], or {{ name = value }}"
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:], None


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, tuple):
        return "a list"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _nearest_key(location: Location) -> str:
    """The known key most like an unknown one: at its own place first, else anywhere."""
    *place, wrong = location
    here = _model_at(tuple(place))
    names = list(here.model_fields) if here else []
    if near := get_close_matches(str(wrong), names, n=1):
        return f"did you mean {dotted((*place, near[0]))}"
    elsewhere = {key.rpartition(".")[2]: key for key in reversed(list(_all_keys(Study)))}
    if near := get_close_matches(str(wrong), elsewhere, n=1, cutoff=0.8):
        return f"did you mean {elsewhere[near[0]]}"
    return f"known here: {', '.join(names)}"


def _all_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        if inner := _model_in(field.annotation):
            yield from _all_keys(inner, f"{prefix}{name}.")


def _model_at(location: Location) -> type[BaseModel] | None:
    model: type[BaseModel] | None = Study
    for part in location:
        if isinstance(part, str):
            field = model.model_fields.get(part) if model else None
            model = _model_in(field.annotation) if field else None
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The settings class inside ``X``, ``X | None`` or ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _missing(location: Location) -> tuple[str, str]:
    key, model = location[-1], _model_at(location[:-1])
    field = model.model_fields.get(str(key)) if model else None
    if field is not None and _model_in(field.annotation):
        table = f"[{key}]" if isinstance(field.annotation, type) else f"[[{key}]]"
        return f"the table {key} is missing", f"add {table}; `nearer new DIR` writes a study to compare with"
    return f"the key {key} is missing", f"add it: {field.description}" if field else "add it"


def _lines_of_keys(text: str) -> dict[str, int]:
    """Line of each table and key, from 1; keys of inline tables are found at the line of the table."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := re.match(r"\s*(\[\[?)\s*([\w.\-\s\"']+?)\s*\]", line):
            table = re.sub(r"[\s\"']", "", found[2])
            if found[1] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table = f"{table}[{counts[table]}]"
            lines.setdefault(table, number)
        elif found := re.match(r"\s*([\w.\-\"']+)\s*=", line):
            key = re.sub(r"[\"']", "", found[1])
            lines.setdefault(f"{table}.{key}".lstrip("."), number)
    return lines


def _line(key: str, lines: Mapping[str, int] | None) -> int | None:
    """Line of a key, or of the innermost table around it that the file has."""
    while lines and key:
        if key in lines or f"{key}[1]" in lines:
            return lines.get(key) or lines[f"{key}[1]"]
        key = key.rpartition(".")[0] if "." in key else key.rpartition("[")[0]
    return None
