"""Directives that write reference tables from the code itself, so that pages cannot fall behind it."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Iterator
from types import NoneType
from typing import Any

import annotated_types
import typer.models
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from nearer.cli import app
from nearer.planning import comparedoc, curvedoc, document, gapdoc, sensdoc
from nearer.study.settings import Study

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside ``X``, ``X | None``, ``list[X]`` or ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(model_in, typing.get_args(annotation))), None)


def tables_of(model: type[BaseModel] = Study, path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table of ``nearer.toml`` by its dotted path."""
    for name, field in model.model_fields.items():
        if inner := model_in(field.annotation):
            yield f"{path}{name}", inner
            yield from tables_of(inner, f"{path}{name}.")


def commands() -> Iterator[tuple[str, Any]]:
    """Name and function of every command."""
    for command in app.registered_commands:
        assert command.callback is not None
        yield command.name or command.callback.__name__, command.callback
    for name, group in groups():
        for command in group.registered_commands:
            yield f"{name} {command.name}", command.callback


def groups() -> Iterator[tuple[str, typer.Typer]]:
    """Name and commands of every group, and of those within it."""
    there = [("", app)]
    for name, group in there:
        if name:
            yield name, group
        for inner in group.registered_groups:
            assert inner.typer_instance is not None
            there.append((f"{name} {inner.name}".strip(), inner.typer_instance))


def parameters(function: Any) -> Iterator[tuple[str, str, str, str]]:
    """Spelling, kind of value, default and help of each argument and option, from the annotations typer reads."""
    hints = typing.get_type_hints(function, include_extras=True, localns={"Path": sys.modules["pathlib"].Path})
    for name, parameter in inspect.signature(function).parameters.items():
        if hints[name] is typer.Context:
            continue
        annotation, info = typing.get_args(hints[name])[:2]
        help_text = info.help or ""
        default = info.show_default if isinstance(info.show_default, str) else ""
        if isinstance(info, typer.models.ArgumentInfo):
            yield info.metavar or name.upper(), "", "needed", help_text
            continue
        # Inside Annotated the first spelling stands where a default would.
        spellings = [spelling for spelling in (info.default, *(info.param_decls or ())) if isinstance(spelling, str)]
        spelling = ", ".join(spellings or [f"--{name.replace('_', '-')}"])
        if parameter.default is inspect.Parameter.empty:
            default = "needed"
        elif parameter.default not in (None, False):
            default = f"`{parameter.default}`"
        yield spelling, info.metavar or kind_of(annotation), default, help_text


def kind_of(annotation: Any) -> str:
    """A type in words."""
    if annotation in _WORDS:
        return "" if annotation is bool else _WORDS[annotation]
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(f"`{value}`" for value in typing.get_args(annotation))
    if typing.get_origin(annotation) is dict:
        return f"table of {_WORDS.get(typing.get_args(annotation)[1], 'value')}s"
    if annotation is Any:
        return "value"
    inner = [part for part in typing.get_args(annotation) if part not in (NoneType, Ellipsis)]
    if inner:
        words = kind_of(inner[0])
        is_list = typing.get_origin(annotation) in (list, tuple)
        return (
            f"list of {words.replace('table', 'tables', 1) if 'table' in words else f'{words}s'}" if is_list else words
        )
    return "file" if getattr(annotation, "__name__", "") == "Path" else "table"


def limits_of(field: FieldInfo) -> str:
    """What a number may be, in words."""
    words = []
    for limit in field.metadata:
        if isinstance(limit, annotated_types.Gt):
            words.append(f"more than {limit.gt:g}")
        elif isinstance(limit, annotated_types.Ge):
            words.append(f"at least {limit.ge:g}")
        elif isinstance(limit, annotated_types.Lt):
            words.append(f"less than {limit.lt:g}")
        elif isinstance(limit, annotated_types.Le):
            words.append(f"at most {limit.le:g}")
    return ", ".join(words)


def said_of(field: FieldInfo) -> str:
    """A field's description, without the values that stand beside it anyway."""
    text = field.description or ""
    for values in (field.annotation, *typing.get_args(field.annotation)):
        if typing.get_origin(values) is typing.Literal:
            text = text.removeprefix(" | ".join(map(str, typing.get_args(values)))).lstrip(",; ")
    return text


def default_of(field: FieldInfo) -> str:
    """A default as one would write it."""
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value is None or value == {} or value == ():
        return ""
    return f"`{value:g}`" if isinstance(value, float) else f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return [line(header), "|" + " --- |" * len(header), *(line(row) for row in rows)]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


class _Markdown(SphinxDirective):
    """A directive that writes Markdown."""

    required_arguments = 1
    final_argument_whitespace = True

    def lines(self) -> list[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # the code may change and the page not
        box = nodes.Element()
        self.state.nested_parse(StringList(self.lines(), source="generated"), self.content_offset, box)
        return box.children


class Settings(_Markdown):
    """The keys of one table of ``nearer.toml``."""

    def lines(self) -> list[str]:
        model = dict(tables_of())[self.arguments[0]]
        rows = []
        for name, field in model.model_fields.items():
            if model_in(field.annotation):
                rows.append((f"`{name}`", "table", "", f"see [`{self.arguments[0]}.{name}`](#{name})"))
                continue
            about = "; ".join(filter(None, (said_of(field), limits_of(field))))
            rows.append((f"`{name}`", kind_of(field.annotation), default_of(field), _sentence(about)))
        return _table(("key", "kind", "default", "meaning"), rows)


class Command(_Markdown):
    """What a command does and every option it takes."""

    def lines(self) -> list[str]:
        function = dict(commands())[self.arguments[0]]
        rows = [(f"`{name}`", kind, default, text) for name, kind, default, text in parameters(function)]
        said = [inspect.getdoc(function) or "", ""]
        return [*said, *(_table(("argument or option", "value", "default", "meaning"), rows) if rows else [])]


class Part(_Markdown):
    """
    The keys of one part of ``plan.json``, ``gaps.json`` or ``curve.json``.

    Lines of the directive, ``key: meaning``, explain keys that the code leaves to their names.
    """

    has_content = True

    def lines(self) -> list[str]:
        name = self.arguments[0]
        model = next(
            found
            for place in (document, gapdoc, curvedoc, comparedoc, sensdoc)
            if (found := getattr(place, name, None))
        )
        further = dict(line.split(": ", 1) for line in self.content if line.strip())
        rows = []
        for name, field in model.model_fields.items():
            inner = model_in(field.annotation)
            kind = kind_of(field.annotation)
            if inner:
                kind = f"list of {inner.__name__}" if kind.startswith("list") else inner.__name__
            key = field.alias or name
            rows.append((f"`{key}`", kind, _sentence(said_of(field) or further.pop(key, ""))))
        if further:
            raise self.error(f"{self.arguments[0]} has no such keys, or explains them itself: {', '.join(further)}")
        return [(inspect.getdoc(model) or ""), "", *_table(("key", "kind", "meaning"), rows)]


class Values(_Markdown):
    """A set of words or a table of speeds from a module: ``nearer.inputs.tags OPEN_VALUES``."""

    def lines(self) -> list[str]:
        place, name = self.arguments[0].split()
        value = getattr(__import__(place, fromlist=["_"]), name)
        if isinstance(value, dict):
            return [", ".join(f"`{key}` {number:.4g}" for key, number in value.items())]
        return [", ".join(f"`{word}`" for word in sorted(value))]


class Speeds(_Markdown):
    """How each class of way is driven without a speed limit."""

    required_arguments = 0

    def lines(self) -> list[str]:
        from nearer.inputs.tags import KINDS

        open_kinds = {name: kind for name, kind in KINDS.items() if kind.drive_kmh is not None}
        rows = [
            (f"`{name}`", f"{kind.drive_kmh:g}", "yes" if kind.drive else "where a key opens it")
            for name, kind in open_kinds.items()
        ]
        return _table(("class", "km/h", "open to driving"), rows)


class Roles(_Markdown):
    """Which roles of the desk's staff may do what, one row for all that the same roles may do."""

    required_arguments = 0

    def lines(self) -> list[str]:
        from nearer.aid.households.staff import MAY

        rows: dict[tuple[str, ...], list[str]] = {}
        for kind, roles in MAY.items():
            rows.setdefault(roles, []).append(f"`{kind}`")
        return _table(("who", "may"), [(", ".join(roles), ", ".join(kinds)) for roles, kinds in rows.items()])


class ModuleText(SphinxDirective):
    """A module's docstring, as reStructuredText; write it inside ``eval-rst``."""

    required_arguments = 1
    option_spec = {"after": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        module = __import__(self.arguments[0], fromlist=["_"])
        text = inspect.getdoc(module) or ""
        if after := self.options.get("after"):
            text = text.partition(after)[2]
        box = nodes.Element()
        self.state.nested_parse(StringList(text.splitlines(), source=self.arguments[0]), 0, box)
        return box.children


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directives known."""
    app.add_directive("settings", Settings)
    app.add_directive("command", Command)
    app.add_directive("part", Part)
    app.add_directive("values", Values)
    app.add_directive("speeds", Speeds)
    app.add_directive("roles", Roles)
    app.add_directive("module-text", ModuleText)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
