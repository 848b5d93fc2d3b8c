"""Reading a use case from YAML, with errors that say what, where and how to mend it."""

import difflib
import json
import os
import re
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from noria.config.usecase import UseCase
from noria.errors import NoriaError

_ENV = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")  # not ${NAME}: ZenML would expand and store that


def load_use_case(path: Path) -> UseCase:
    """Read and check one use-case file.

    Raises:
        NoriaError: the file is missing, is not YAML, or breaks the schema.
    """
    if not path.is_file():
        near = sorted(str(p) for p in Path("configs").glob("*.yaml"))
        fix = (
            f"name one of {', '.join(near)}"
            if near
            else "write one with `python run.py new --data FILE --target COLUMN`"
        )
        raise NoriaError(f"config file not found: {path}", where=str(path), fix=fix)
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NoriaError(
            f"not valid YAML: {error.problem}", where=f"{path}, line {line}", fix="mend that line"
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise NoriaError(f"not a readable text file: {error}", where=str(path), fix="save it as UTF-8 YAML") from error
    if not isinstance(raw, dict):
        raise NoriaError(
            "the file holds no mapping of sections", where=str(path), fix="start from configs/telco_churn.yaml"
        )
    try:
        return UseCase.model_validate(raw)
    except ValidationError as error:
        raise _explain(error, path) from error


def use_case_schema() -> dict[str, Any]:
    """JSON Schema of the use-case file, for editors."""
    schema = UseCase.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Noria use case"}


def write_schema(path: Path) -> None:
    """Write the JSON Schema to `path`."""
    path.write_text(json.dumps(use_case_schema(), indent=2) + "\n", encoding="utf-8")


def expand_environment(text: str, *, where: str) -> str:
    """Replace every `${env:NAME}` by the environment variable of that name.

    Raises:
        NoriaError: a variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise NoriaError(f"environment variable {name} is not set", where=where, fix=f"export {name}=…")
        return os.environ[name]

    return _ENV.sub(value, text)


class _UniqueKeyLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice, which YAML would otherwise let the last one win."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if not isinstance(key, (str, int, float, bool)):
            raise yaml.constructor.ConstructorError(None, None, "a key must be one word", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key `{key}` is written twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _explain(error: ValidationError, path: Path) -> NoriaError:
    lines, fixes = [], []
    for item in error.errors():
        keys = [str(part) for part in item["loc"] if str(part) not in {"binary", "multiclass", "regression"}]
        place = ".".join(keys) or "(whole file)"
        if item["type"] == "extra_forbidden":
            lines.append(f"unknown key `{place}`")
            fixes.append(_did_you_mean(keys))
        elif item["type"] == "missing":
            lines.append(f"key `{place}` is missing")
            fixes.append(_describe(keys))
        else:
            lines.append(f"`{place}`: {item['msg'].removeprefix('Value error, ')}")
    return NoriaError(
        "; ".join(lines), where=str(path), fix=" ".join(filter(None, fixes)) or "correct the value in that file"
    )


def _did_you_mean(keys: list[str]) -> str:
    known = sorted({name for model in _models_at(keys[:-1]) for name in model.model_fields})
    near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known keys there: {', '.join(known)}." if known else ""


def _describe(keys: list[str]) -> str:
    for model in _models_at(keys[:-1]):
        field = model.model_fields.get(keys[-1])
        if field is not None and field.description:
            return f"`{keys[-1]}`: {field.description}"
    return ""


def _models_at(keys: list[str]) -> list[type[BaseModel]]:
    models: list[type[BaseModel]] = [UseCase]
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
