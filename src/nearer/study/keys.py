"""Every key of ``nearer.toml``, as the settings themselves describe them."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from nearer.study.settings import Study


def keys_text() -> str:
    """All tables and keys with their defaults and what they mean, as comments in a file of their own."""
    lines: list[str] = []
    for path, model, many in _tables(Study, "", False):
        told = [(name, field) for name, field in model.model_fields.items() if _model_in(field.annotation) is None]
        lines += ["", f"[[{path}]]" if many else f"[{path}]"]
        wide = max(len(name) for name, _ in told)
        lines += [f"{name:<{wide}}  # {_said(field)}" for name, field in told]
    return "\n".join(lines[1:])


def _said(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    words = field.description or ""
    if field.is_required():
        return f"{words}; must be given"
    if default is PydanticUndefined or default is None or default in ((), {}, "", False) or "default" in words:
        return words
    return f"{words}; default {default}"


def _tables(model: type[BaseModel], path: str, many: bool) -> Iterator[tuple[str, type[BaseModel], bool]]:
    """Every table by its dotted path, and whether it may stand several times."""
    if path and any(_model_in(field.annotation) is None for field in model.model_fields.values()):
        yield path, model, many
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            several = "tuple" in str(field.annotation)
            yield from _tables(inner, f"{path}.{name}" if path else name, several)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model inside ``X``, ``X | None`` or ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, typing.get_args(annotation))), None)
