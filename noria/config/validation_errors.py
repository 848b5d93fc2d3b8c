"""What is wrong with a use case, in words: the key, the reason, and the way out."""

import difflib
import types
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from noria.config.section import Section
from noria.config.use_case import UseCase
from noria.system.errors import NoriaError

_TASKS = {"binary", "multiclass", "regression"}
_SCALARS = {"str": "a text", "int": "a number", "float": "a number", "bool": "true or false"}
_PLAIN = ("literal_error", "string_type")
_TYPES = {
    "model_type": "must be a section with keys of its own",
    "dict_type": "must be a section with keys of its own",
    "list_type": "must be a list",
    "string_type": "must be a text: write it in quotation marks",
    "string_pattern_mismatch": "must be lower-case letters, digits and `_`, beginning with a letter",
    "union_tag_invalid": "`task` must be one of binary, multiclass, regression",
    "union_tag_not_found": "`task` is missing: one of binary, multiclass, regression",
}


def explain_validation_error(error: ValidationError, path: Path, model: type[BaseModel] = UseCase) -> NoriaError:
    """All mistakes in one error; `model` is what the file should be."""
    lines: dict[str, None] = {}
    fixes: dict[str, None] = {}
    for keys, items in _by_place(error.errors(), model).items():
        place = ".".join(keys) or "(whole file)"
        line, fix = _one(list(keys), place, items, model)
        lines[line] = None
        fixes[fix] = None
    fix = " ".join(filter(None, fixes)) or "correct the value in that file"
    return NoriaError("; ".join(lines), code="config.invalid", where=str(path), fix=fix)


def _by_place(
    items: Iterable[Mapping[str, Any]], model: type[BaseModel]
) -> dict[tuple[str, ...], list[Mapping[str, Any]]]:
    """Mistakes by key; a value that is tried as several types is one mistake."""
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for item in items:
        keys = [str(part) for part in item["loc"] if not _is_ours(str(part))]
        if keys and _is_union_member(keys, model):
            keys.pop()
        found.setdefault(tuple(keys), []).append(item)
    # a section that has mistakes was not meant to be the plain value that the key takes as well
    sections = {place[:depth] for place in found for depth in range(len(place))}
    return {
        place: items
        for place, items in found.items()
        if place not in sections or any(item["type"] not in _PLAIN for item in items)
    }


def _is_ours(part: str) -> bool:
    """Whether a part of a place is the validator's and no key of the file."""
    return part in _TASKS or part == "[key]" or part.startswith("function-") or part in _section_names()


@cache
def _section_names() -> frozenset[str]:
    found, left = set(), [Section]
    while left:
        each = left.pop()
        found.add(each.__name__)
        left += each.__subclasses__()
    return frozenset(found)


def _is_union_member(keys: list[str], model: type[BaseModel]) -> bool:
    tail = keys[-1]
    known = any(tail in each.model_fields for each in _models_at(keys[:-1], model))
    return (tail in _SCALARS or tail.startswith(("constrained-", "literal["))) and not known


def _one(keys: list[str], place: str, items: list[Mapping[str, Any]], model: type[BaseModel]) -> tuple[str, str]:
    item = items[0]
    if item["type"] == "extra_forbidden":
        return f"unknown key `{place}`", _did_you_mean(keys, model)
    if item["type"] == "missing":
        return f"key `{place}` is missing", _describe(keys, model)
    if len(items) > 1:
        kinds = dict.fromkeys(_SCALARS[kind] for each in items if (kind := str(each["loc"][-1])) in _SCALARS)
        said = f"must be {', '.join(kinds)}" if kinds else _said(item)
    else:
        said = _TYPES.get(item["type"]) or _said(item)
    return f"`{place}`: {said}", _describe(keys, model)


def _said(item: Mapping[str, Any]) -> str:
    said = str(item["msg"]).removeprefix("Value error, ")
    return said.replace("Input should be", "must be").replace("String should", "must")


def _did_you_mean(keys: list[str], root: type[BaseModel]) -> str:
    known = sorted({name for model in _models_at(keys[:-1], root) for name in model.model_fields})
    near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known keys there: {', '.join(known)}." if known else ""


def _describe(keys: list[str], root: type[BaseModel]) -> str:
    if not keys:
        return ""
    for model in _models_at(keys[:-1], root):
        field = model.model_fields.get(keys[-1])
        if field is not None and field.description:
            return f"`{keys[-1]}`: {' '.join(field.description.split())}"
    return ""


def _models_at(keys: list[str], root: type[BaseModel]) -> list[type[BaseModel]]:
    models = [root]
    for key in keys:
        found = []
        for model in models:
            if key in model.model_fields:
                found += _models_in(model.model_fields[key].annotation)
        # a list index or a mapping's key stays at the same model
        models = found or models
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType, list, dict, tuple) or get_args(annotation):
        return [model for arg in get_args(annotation) for model in _models_in(arg)]
    return []
