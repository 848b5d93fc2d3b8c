"""From the text of a YAML file to plain values: strict, and safe with files that mean harm."""

from pathlib import Path
from typing import Any

import yaml

from noria.system.errors import NoriaError, first_line

_LARGEST_BYTES = 1 << 20
_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises:
        NoriaError: the file cannot be read, is too large, is not YAML, or holds no mapping.
    """
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """The mapping that a YAML text holds; `where` is its file, for errors.

    Raises:
        NoriaError: it is not YAML, or holds no mapping.
    """
    try:
        raw = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NoriaError(
            f"not valid YAML: {error.problem}",
            code="config.yaml_invalid",
            where=f"{where}, line {line}",
            fix=_fix(str(error.problem), text, line),
        ) from error
    except yaml.YAMLError as error:
        what = f"not a readable text file: {first_line(error)}"
        raise NoriaError(what, code="config.not_text", where=where, fix="save it as UTF-8 YAML") from error
    except RecursionError as error:
        what = "not a use case: lists or mappings are nested too deeply"
        raise NoriaError(
            what, code="config.nested_too_deeply", where=where, fix="start from configs/telco_churn.yaml"
        ) from error
    if not isinstance(raw, dict):
        raise NoriaError(
            "the file holds no mapping of sections",
            code="config.no_mapping",
            where=where,
            fix="start from configs/telco_churn.yaml",
        )
    return raw


def key_spans(text: str) -> dict[str, tuple[int, int]]:
    """Where the keys of each section stand in a text that `parse_yaml` accepts: `section.key` → (start, end)."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)  # noqa: S101 - parse_yaml accepts nothing else
    found: dict[str, tuple[int, int]] = {}
    for section, inner in root.value:
        if isinstance(inner, yaml.MappingNode):
            for key, _ in inner.value:
                found[f"{section.value}.{key.value}"] = key.start_mark.index, key.end_mark.index
    return found


def read_text(path: Path) -> str:
    """The text of a YAML file, with its line ends as they are.

    Raises:
        NoriaError: the file cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise NoriaError(
                "the file is larger than 1 MB, so it is no use case",
                code="config.too_large",
                where=str(path),
                fix="name another --config",
            )
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise NoriaError(
            "not a readable text file: it is not UTF-8",
            code="config.not_text",
            where=f"{path}, line {line}",
            fix="save it as UTF-8 YAML",
        ) from error
    except OSError as error:
        raise NoriaError(
            f"the file cannot be read: {error.strerror}",
            code="config.file_unreadable",
            where=str(path),
            fix="give yourself read access",
        ) from error


def _fix(problem: str, text: str, line: int) -> str:
    if "\\t" in problem:
        return "indent that line with spaces: YAML allows no tabs there"
    lines = text.splitlines()
    if "mapping values" in problem and line <= len(lines) and lines[line - 1].count(":") > 1:
        return "put the text in quotation marks: it holds a colon"
    return "correct that line"


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that takes text only as keys, and each but once; YAML would let the last one win."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        if key_node.tag == _MERGE:
            raise _refused("merge keys (`<<`) are not supported, write the keys out", key_node)
        key = loader.construct_object(key_node)
        if isinstance(key, bool | int | float):
            raise _refused(f"the key `{key_node.value}` is no text, write it in quotation marks", key_node)
        if not isinstance(key, str):
            raise _refused("a key must be one word", key_node)
        if key in seen:
            raise _refused(f"key `{key}` is written twice", key_node)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


def _scalar(loader: _StrictLoader, node: yaml.ScalarNode) -> Any:
    """A number or date; PyYAML lets a thirteenth month or a number of a million digits out as a plain ValueError."""
    construct = yaml.SafeLoader.yaml_constructors[node.tag]
    try:
        return construct(loader, node)
    except (ValueError, OverflowError) as error:
        shown = node.value if len(node.value) <= 40 else node.value[:39] + "…"
        raise _refused(f"`{shown}` is neither a number nor a date", node) from error


def _refused(what: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
for _tag in ("int", "float", "timestamp"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _scalar)
