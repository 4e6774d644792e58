"""
What the program says to a person, read from its sources: the texts behind every refusal, fault, finding and reason.

A text is followed from where it is said back to where it is written: through names, choices, tuples, and what functions
are called with and give back. ``{}`` stands for each value in it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import product
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
VALUE = "{}"
_COMMON = {"add", "one", "get", "find"}
_DEEPEST, _MOST_WAYS = 8, 12


class Module:
    """One source file: its tree, and for each node the function that it stands in."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.within: dict[ast.AST, Function] = {}
        self._bound: dict[ast.AST, dict[str, list[tuple[ast.expr, bool, list[int]]]]] = {}
        self._walk(self.tree, None)

    def _walk(self, node: ast.AST, function: Function | None) -> None:
        for child in ast.iter_child_nodes(node):
            if function is not None:
                self.within[child] = function
            self._walk(child, child if isinstance(child, Function) else function)

    @cached_property
    def functions(self) -> dict[str, list[Function]]:
        """Functions and methods by their name."""
        found: dict[str, list[Function]] = defaultdict(list)
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                found[node.name].append(node)
        return found

    def bound(self, scope: ast.AST) -> dict[str, list[tuple[ast.expr, bool, list[int]]]]:
        """Names that a function, or the module, gives a value: the value, whether it is each of it, and its place."""
        if scope not in self._bound:
            found: dict[str, list[tuple[ast.expr, bool, list[int]]]] = defaultdict(list)
            for one in ast.iter_child_nodes(scope) if scope is self.tree else ast.walk(scope):
                for target, value, each in _bound(one):
                    for name, place in _places(target):
                        found[name].append((value, each, place))
            self._bound[scope] = found
        return self._bound[scope]

    def takes(self, other: Module, call: ast.Call) -> bool:
        """Whether a call here may be of a function of that name in another module."""
        if isinstance(call.func, ast.Attribute):
            return call.func.attr not in _COMMON and any(one.startswith(f"{other.name}.") for one in self.imports)
        return f"{other.name}.{called(call)}" in self.imports

    @cached_property
    def imports(self) -> list[str]:
        """Modules of ours that it may import when it runs; those imported for their types alone are left out."""
        aside = {
            inner
            for node in ast.walk(self.tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for part in node.body
            for inner in ast.walk(part)
        }
        found = []
        for node in ast.walk(self.tree):
            if node not in aside and isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nearer"):
                found += [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
        return found


def reached(source: Path, starts: Iterable[str]) -> dict[str, Module]:
    """Modules that can be reached by imports from those named, by name; ``pkg.*`` names all of a package."""
    names = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found: dict[str, Module] = {}
    waiting = [name for start in starts for name in names if name == start or name.startswith(start.removesuffix("*"))]
    while waiting:
        name = waiting.pop()
        if name in names and name not in found:
            found[name] = Module(name, names[name])
            waiting += found[name].imports
    return dict(sorted(found.items()))


class Texts:
    """Follows an expression back to the texts that it can be."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self.modules = modules
        self.inner: list[str] = []
        """Texts that are values in others, as they are met."""
        self._known: dict[ast.expr, list[str]] = {}
        self._calls: dict[str, list[tuple[Module, ast.Call]]] = defaultdict(list)
        for module in modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call):
                    self._calls[called(node)].append((module, node))

    def of(self, node: ast.expr | None, module: Module, deep: int = 0) -> list[str]:
        """Every text that an expression can be, with ``{}`` for each value; ``{}`` alone where it is none of ours."""
        if node is None or deep > _DEEPEST:
            return [VALUE]
        if node in self._known:
            return self._known[node]
        self._known[node] = [VALUE]  # where it leads back to itself
        self._known[node] = self._of(node, module, deep)
        return self._known[node]

    def _of(self, node: ast.expr, module: Module, deep: int) -> list[str]:
        go = deep + 1
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.Constant(value=None):
                return []
            case ast.JoinedStr(values=parts):
                return self._joined(parts, module, go)
            case ast.IfExp(body=one, orelse=other):
                return [*self.of(one, module, go), *self.of(other, module, go)]
            case ast.BoolOp(values=several):
                return [text for one in several for text in self.of(one, module, go)]
            case ast.BinOp(left=ast.Call(func=ast.Attribute(value=ast.Subscript(value=whole), attr="lower"))):
                return self.of(whole, module, go)  # begun with a small letter
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                pairs = product(self.of(left, module, go) or [VALUE], self.of(right, module, go) or [VALUE])
                return [a + b for a, b in pairs]
            case ast.Lambda(body=body) | ast.NamedExpr(value=body) | ast.Starred(value=body):
                return self.of(body, module, go)
            case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call() | ast.Dict():
                found = [text for one, where in self._behind(node, module, go) for text in self.of(one, where, go)]
                return list(dict.fromkeys(found)) or [VALUE]
        return [VALUE]

    def _joined(self, parts: list[ast.expr], module: Module, deep: int) -> list[str]:
        ways: list[list[str]] = []
        for part in parts:
            if isinstance(part, ast.FormattedValue):
                inner = [text for text in self.of(part.value, module, deep) if text != VALUE]
                short = isinstance(part.value, ast.IfExp) and len(inner) > 1 and any(" " not in text for text in inner)
                if not short:
                    self.inner += [text for text in inner if " " in text]
                ways.append(inner if short else [VALUE])
            else:
                ways.append([str(part.value)] if isinstance(part, ast.Constant) else [VALUE])
        return ["".join(way) for way in product(*ways)][:_MOST_WAYS]

    def _behind(self, node: ast.expr, module: Module, deep: int) -> Iterator[tuple[ast.expr, Module]]:
        """What a name, a call or a place in a table stands for."""
        match node:
            case ast.Name(id=name):
                yield from self._named(name, node, module, deep)
            case ast.Attribute(attr=attr) if attr in ("remedy", "reason", "impossible", "why"):
                for other in ast.walk(module.tree):
                    if isinstance(other, ast.keyword) and other.arg == attr:
                        yield other.value, module
            case ast.Dict(values=values):
                yield from ((one, module) for one in values)
            case ast.Subscript(value=whole, slice=ast.Constant(value=int(k))):
                yield from self._part(whole, k, module, deep)
            case ast.Subscript(value=ast.Name() as whole):
                yield from self._tables(whole, module, deep)
            case ast.Call(func=ast.Attribute(value=ast.Name() as whole, attr="get")):
                yield from self._tables(whole, module, deep)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="join"), args=[items]):
                self.inner += [
                    text
                    for one, where in self._items(items, module, deep)
                    for text in self.of(one, where, deep)
                    if " " in text
                ]
            case ast.Call():
                for function, where in self._functions(node, module):
                    yield from self._given_back(function, where)

    def _tables(self, whole: ast.Name, module: Module, deep: int) -> Iterator[tuple[ast.expr, Module]]:
        for one, where in self._named(whole.id, whole, module, deep):
            if isinstance(one, ast.Dict):
                yield from ((value, where) for value in one.values)

    def _functions(self, call: ast.Call, module: Module) -> Iterator[tuple[Function, Module]]:
        name = called(call)
        if name in module.functions:
            yield from ((one, module) for one in module.functions[name])
            return
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module in self.modules:
                for one in node.names:
                    if (one.asname or one.name) == name:
                        where = self.modules[str(node.module)]
                        yield from ((found, where) for found in where.functions.get(one.name, []))

    def _given_back(self, function: Function, module: Module) -> Iterator[tuple[ast.expr, Module]]:
        for node in ast.walk(function):
            if isinstance(node, ast.Return | ast.Yield) and node.value is not None and module.within[node] is function:
                yield node.value, module

    def _named(self, name: str, node: ast.expr, module: Module, deep: int) -> Iterator[tuple[ast.expr, Module]]:
        function = module.within.get(node)
        found = False
        scopes: list[ast.AST] = []
        while function is not None:
            scopes.append(function)
            function = module.within.get(function)
        for scope in [*scopes, module.tree]:
            for value, each, place in module.bound(scope).get(name, ()):
                found = True
                if each:
                    for item, where in self._items(value, module, deep):
                        yield from self._at(item, place, where, deep)
                else:
                    yield from self._at(value, place, module, deep)
            if not found and isinstance(scope, Function) and (k := _parameter(scope, name)) is not None:
                found = True
                if deep < _DEEPEST:
                    yield from self._arguments(scope, name, k, module)
            if found:
                return
        for other in ast.walk(module.tree):
            if isinstance(other, ast.ImportFrom) and other.module in self.modules:
                where = self.modules[str(other.module)]
                for one in other.names:
                    if (one.asname or one.name) == name:
                        yield from ((value, where) for value, _, _ in where.bound(where.tree).get(one.name, ()))

    def _arguments(self, function: Function, name: str, k: int, module: Module) -> Iterator[tuple[ast.expr, Module]]:
        for where, call in self._calls.get(function.name, []):
            if where is not module and not where.takes(module, call):
                continue
            shift = 1 if function.args.args and function.args.args[0].arg in ("self", "cls") else 0
            given = [one.value for one in call.keywords if one.arg == name]
            if not given and 0 <= k - shift < len(call.args):
                given = [call.args[k - shift]]
            yield from ((one, where) for one in given)

    def _at(self, node: ast.expr, place: list[int], module: Module, deep: int) -> Iterator[tuple[ast.expr, Module]]:
        if not place:
            yield node, module
            return
        for one, where in self._part(node, place[0], module, deep):
            yield from self._at(one, place[1:], where, deep)

    def _part(self, node: ast.expr, k: int, module: Module, deep: int) -> Iterator[tuple[ast.expr, Module]]:
        if deep > _DEEPEST:
            return
        match node:
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                if k < len(parts):
                    yield parts[k], module
            case ast.IfExp(body=one, orelse=other):
                yield from self._part(one, k, module, deep + 1)
                yield from self._part(other, k, module, deep + 1)
            case ast.Call(func=ast.Name(id=name), args=parts) if name[:1].isupper():
                if k < len(parts):
                    yield parts[k], module
            case ast.NamedExpr(value=one):
                yield from self._part(one, k, module, deep + 1)
            case ast.Name() | ast.Call() | ast.Subscript():
                for one, where in self._behind(node, module, deep + 1):
                    yield from self._part(one, k, where, deep + 1)

    def _items(self, node: ast.expr, module: Module, deep: int) -> Iterator[tuple[ast.expr, Module]]:
        if deep > _DEEPEST:
            return
        match node:
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                yield from ((one, module) for one in parts)
            case ast.GeneratorExp(elt=one) | ast.ListComp(elt=one) | ast.SetComp(elt=one):
                yield one, module
            case ast.Call(func=ast.Name(id=("sorted" | "list" | "tuple" | "set")), args=[inner, *_]):
                yield from self._items(inner, module, deep + 1)
            case ast.Call(func=ast.Attribute(value=ast.Name() as whole, attr=("items" | "values"))):
                for one, where in self._named(whole.id, whole, module, deep + 1):
                    if isinstance(one, ast.Dict):
                        for key, value in zip(one.keys, one.values, strict=True):
                            both = ast.Tuple([key or value, value]) if node.func.attr == "items" else value  # type: ignore[attr-defined]
                            yield both, where
            case ast.Call():
                for function, where in self._functions(node, module):
                    for part in ast.walk(function):
                        if isinstance(part, ast.Yield) and part.value is not None:
                            yield part.value, where
                        elif isinstance(part, ast.YieldFrom | ast.Return) and part.value is not None:
                            yield from self._items(part.value, where, deep + 1)
            case ast.Name(id=name):
                for one, where in self._named(name, node, module, deep + 1):
                    yield from self._items(one, where, deep + 1)
                scope = module.within.get(node, module.tree)
                for call in ast.walk(scope):
                    if (
                        isinstance(call, ast.Call)
                        and isinstance(call.func, ast.Attribute)
                        and call.func.attr == "append"
                        and isinstance(call.func.value, ast.Name)
                        and call.func.value.id == name
                    ):
                        yield call.args[0], module
            case ast.BinOp(left=left, right=right):
                yield from self._items(left, module, deep + 1)
                yield from self._items(right, module, deep + 1)
            case ast.IfExp(body=one, orelse=other):
                yield from self._items(one, module, deep + 1)
                yield from self._items(other, module, deep + 1)


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


def _bound(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    """Target, value and whether the target is each of the values in turn."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value, False) for target in targets)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            yield target, value, False
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            yield target, value, False
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            yield target, value, True


def _places(target: ast.expr) -> Iterator[tuple[str, list[int]]]:
    """Each name in a target, and where in it: [] for the whole."""
    if isinstance(target, ast.Name):
        yield target.id, []
    elif isinstance(target, ast.Tuple | ast.List):
        for k, part in enumerate(target.elts):
            yield from ((name, [k, *inner]) for name, inner in _places(part))


def _parameter(function: Function, name: str) -> int | None:
    """Which parameter a name is; keyword-only ones count on."""
    named = [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return named.index(name) if name in named else None


def form_of(node: ast.expr) -> str | None:
    """A text as it is written in one place, with ``{}`` for each value; None where it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (form_of(node.left) or VALUE) + (form_of(node.right) or VALUE)
    return None
