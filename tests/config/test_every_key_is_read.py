"""Every key that can be written in a use case is read by something outside `noria.config`.

The source is searched for attribute reads whose owner is known to be that section: parameters and fields annotated
with it, and whatever is reached from those by attributes, loops and assignments. A field of the same name elsewhere
does not count. HTML templates count as source, and so do the public methods of a section, which answer for its keys.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from jinja2 import Environment, nodes
from pydantic import BaseModel

from noria.config import UseCase
from noria.config.section import Section

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("noria", "steps", "pipelines", "app", "cli", "service", "run.py")
Types = frozenset[type[BaseModel]]
NONE: Types = frozenset()


def sections_in(annotation: object) -> Types:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return frozenset({annotation})
    return frozenset(found for part in get_args(annotation) for found in sections_in(part))


def reachable(start: type[BaseModel]) -> list[type[BaseModel]]:
    found, todo = [], [start]
    while todo:
        model = todo.pop()
        if model not in found:
            found.append(model)
            inner = {each for field in model.model_fields.values() for each in sections_in(field.annotation)}
            todo += sorted(inner, key=lambda each: each.__name__)
    return found


SECTIONS = reachable(UseCase)
BY_NAME = {model.__name__: frozenset({model}) for model in SECTIONS} | {
    "Problem": frozenset(model for model in SECTIONS if model.__name__.endswith("Problem"))
}


class Reads(ast.NodeVisitor):
    """Collects (section, field) pairs that a module reads, following types as far as annotations tell."""

    def __init__(self, attributes: dict[str, Types]) -> None:
        self.found: set[tuple[type[BaseModel], str]] = set()
        self.attributes = attributes
        self.scopes: list[dict[str, Types]] = [{}]

    def types_of(self, node: ast.expr | None) -> Types:  # noqa: PLR0911 - one line per kind of node
        """The sections that an expression (or the items of a collection) may be."""
        match node:
            case ast.Name(id=name):
                return next((scope[name] for scope in reversed(self.scopes) if name in scope), NONE)
            case ast.Attribute(value=value, attr=name):
                return self.fields(self.types_of(value), name) or self.attributes.get(name, NONE)
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(name)), *_]):
                return self.fields(self.types_of(value), name)
            case ast.Call(func=ast.Attribute(value=value, attr="get" | "values" | "items" | "copy")):
                return self.types_of(value)
            case ast.Call(func=ast.Name(id="enumerate" | "sorted" | "list" | "reversed" | "next" | "iter"), args=args):
                return frozenset().union(*map(self.types_of, args))
            case ast.Call(func=ast.Name(id="load_use_case")):
                return frozenset({UseCase})
            case ast.Call(func=ast.Name(id=name)) if name in BY_NAME:
                return BY_NAME[name]
            case ast.Subscript(value=value) | ast.Starred(value=value) | ast.NamedExpr(value=value):
                return self.types_of(value)
            case ast.IfExp(body=one, orelse=other):
                return self.types_of(one) | self.types_of(other)
            case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values):
                return frozenset().union(*map(self.types_of, values))
        return NONE

    @staticmethod
    def fields(owners: Types, name: str) -> Types:
        return frozenset().union(
            *(sections_in(owner.model_fields[name].annotation) for owner in owners if name in owner.model_fields)
        )

    def bind(self, target: ast.expr, types: Types, value: ast.expr | None = None) -> None:
        if isinstance(target, ast.Name) and types:
            self.scopes[-1][target.id] = types
        elif isinstance(target, ast.Attribute) and types:
            self.attributes[target.attr] = types
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            for place, part in enumerate(target.elts):
                own = parts[place] if len(parts) == len(target.elts) else None
                self.bind(part, self.types_of(own) if own is not None else types, own)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        self.scopes.append({arg.arg: types for arg in arguments if (types := annotated(arg.annotation))})
        self.generic_visit(node)
        self.scopes.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = function  # noqa: N815

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load):
            self.note(self.types_of(node.value), node.attr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(name)), *_]):
                self.note(self.types_of(value), name)
        self.generic_visit(node)

    def note(self, owners: Types, name: str) -> None:
        self.found |= holders(owners, name)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.bind(target, self.types_of(node.value), node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.bind(node.target, self.types_of(node.value))
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self.bind(node.target, self.types_of(node.iter))
        self.generic_visit(node)

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self.scopes.append({})
        for generator in node.generators:
            self.bind(generator.target, self.types_of(generator.iter))
        self.generic_visit(node)
        self.scopes.pop()

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = comprehension  # noqa: N815


def holders(owners: Types, name: str) -> set[tuple[type[BaseModel], str]]:
    """Who of the possible owners has that field; nobody if only some have it and it is not one and the same field."""
    found = {owner for owner in owners if name in owner.model_fields}
    declared = {
        next(base for base in owner.__mro__ if name in vars(base).get("__annotations__", {})) for owner in found
    }
    return {(owner, name) for owner in found} if found == owners or len(declared) == 1 else set()


def annotated(annotation: ast.expr | None) -> Types:
    """The sections that an annotation names, also within `list[…]`, `… | None` and quotation marks."""
    if annotation is None:
        return NONE
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    return frozenset().union(*(BY_NAME[name] for name in names if name in BY_NAME))


def modules() -> Iterator[ast.Module]:
    for place in PLACES:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if not file.is_relative_to(ROOT / "noria" / "config"):
                yield ast.parse(file.read_text(encoding="utf-8"))


def public_methods() -> Iterator[tuple[Types, ast.FunctionDef]]:
    """The sections' methods that others call: no validator, nothing private."""
    for file in sorted((ROOT / "noria" / "config").rglob("*.py")):
        for section in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(section, ast.ClassDef) and section.name in BY_NAME:
                for node in section.body:
                    if isinstance(node, ast.FunctionDef) and node.name[0] != "_" and not node.decorator_list:
                        yield BY_NAME[section.name], node


def own_attributes(tree: ast.Module) -> dict[str, Types]:
    """Fields of the module's own classes that hold a section (`self.use_case`)."""
    found: dict[str, Types] = {}
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if types := annotated(annotation):
                found[name] = types
            case ast.FunctionDef(name="__init__", args=ast.arguments(args=args)):
                found |= {arg.arg: types for arg in args if (types := annotated(arg.annotation))}
            case ast.FunctionDef(name=name, returns=returns) if types := annotated(returns):
                found[name] = types
    return found


def shared_attributes() -> dict[str, Types]:
    """Fields and properties of any class that hold a section, where the name stands for no other section."""
    found: dict[str, set[Types]] = {}
    for tree in modules():
        for holder in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            for node in holder.body:
                match node:
                    case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                        found.setdefault(name, set()).add(annotated(annotation))
                    case ast.FunctionDef(name=name, returns=returns):
                        found.setdefault(name, set()).add(annotated(returns))
    sections = {name: types - {NONE} for name, types in found.items()}
    return {name: next(iter(types)) for name, types in sections.items() if len(types) == 1}


def in_templates() -> set[tuple[type[BaseModel], str]]:
    """What the HTML reports read: `use_case` and its sections are handed to them under their own names."""
    named = {"use_case": frozenset({UseCase})}
    named |= {name: sections_in(field.annotation) for name, field in UseCase.model_fields.items()}

    def types_of(node: nodes.Node) -> Types:
        if isinstance(node, nodes.Getattr):
            return Reads.fields(types_of(node.node), node.attr)
        return named.get(node.name, NONE) if isinstance(node, nodes.Name) else NONE

    found: set[tuple[type[BaseModel], str]] = set()
    for file in (ROOT / "noria").rglob("*.html"):
        for node in Environment().parse(file.read_text(encoding="utf-8")).find_all(nodes.Getattr):  # noqa: S701
            found |= holders(types_of(node.node), node.attr)
    return found


@pytest.fixture(scope="module")
def read() -> set[tuple[type[BaseModel], str]]:
    found, shared = in_templates(), shared_attributes()
    for tree in modules():
        reads = Reads(shared | own_attributes(tree))
        reads.visit(tree)
        found |= reads.found
    for owner, method in public_methods():
        reads = Reads(shared)
        reads.scopes[0]["self"] = owner
        reads.visit(method)
        found |= reads.found
    return found


@pytest.mark.parametrize("section", SECTIONS, ids=lambda model: model.__name__)
def test_every_key_is_read(section: type[BaseModel], read: set[tuple[type[BaseModel], str]]) -> None:
    unread = [name for name in section.model_fields if (section, name) not in read]
    assert unread == [], f"{section.__name__}: nothing outside noria/config reads {', '.join(unread)}"


def test_the_search_tells_owners_apart() -> None:
    source = (
        "def f(use_case: UseCase, other):\n"
        "    monitoring, rows = use_case.monitoring, other.max_rows\n"
        "    for source in use_case.data.sources:\n"
        "        print(source.path, monitoring.min_rows)\n"
    )
    reads = Reads({})
    reads.visit(ast.parse(source))
    names = {(owner.__name__, name) for owner, name in reads.found}
    assert {("SourceConfig", "path"), ("MonitoringConfig", "min_rows"), ("DataConfig", "sources")} <= names
    assert not names & {("ServingConfig", "max_rows"), ("MonitoringConfig", "max_rows"), ("SourceConfig", "url")}
