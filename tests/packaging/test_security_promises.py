"""SECURITY.md: each promise names tests, and these exist."""

import ast
import re
from collections.abc import Iterator

import pytest

from noria.system.workspace import PROJECT

_REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_TEXT = (PROJECT / "SECURITY.md").read_text(encoding="utf-8")
_NAMED = sorted(set(_REFERENCE.findall(_TEXT)))


def promises() -> Iterator[tuple[str, str]]:
    """The last two cells of each line of the tables: what is promised, and its tests."""
    threats = _TEXT.split("\n## Threat model\n")[1]
    for line in threats.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            *_, promise, tests = (cell.strip() for cell in line.strip().strip("|").split("|"))
            if tests != "tests":
                yield promise, tests


@pytest.mark.parametrize(("path", "name"), _NAMED)
def test_each_test_that_is_named_exists(path: str, name: str) -> None:
    tree = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_promise_names_its_test() -> None:
    assert [promise for promise, tests in promises() if not _REFERENCE.search(tests)] == []
    assert len(list(promises())) > 20
