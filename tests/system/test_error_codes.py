"""Every error code is in the catalogue, and the catalogue is in docs/errors.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from noria.system.error_catalogue import AREAS, ERRORS, as_markdown
from noria.system.workspace import PROJECT

ROOTS = ("noria", "app", "cli", "pipelines", "steps", "materializers", "service")
KINDS = {"NoriaError", "SpoolFull", "SpoolFailed", "HTTPError"}
CODE = re.compile(r"[a-z]+\.[a-z][a-z0-9]*(_[a-z0-9]+)*")


def calls() -> Iterator[tuple[Path, ast.Call]]:
    for root in ROOTS:
        for path in sorted((PROJECT / root).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield path, node


def code_of(call: ast.Call) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == "code"), None)


def used() -> set[str]:
    """Every text that the code names as `code=`."""
    given = [value for _, call in calls() if (value := code_of(call)) is not None]
    texts = [each.value for value in given for each in ast.walk(value) if isinstance(each, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}


def test_every_error_has_a_code() -> None:
    without = [
        f"{path.relative_to(PROJECT)}:{call.lineno}"
        for path, call in calls()
        if isinstance(call.func, ast.Name) and call.func.id in KINDS and code_of(call) is None
    ]
    assert without == []


def test_every_written_code_is_well_formed() -> None:
    for path, call in calls():
        code = code_of(call)
        if isinstance(call.func, ast.Name) and call.func.id in KINDS and isinstance(code, ast.Constant):
            assert CODE.fullmatch(str(code.value)), f"{path}:{call.lineno}"


def test_codes_and_catalogue_agree() -> None:
    assert used() == set(ERRORS)


@pytest.mark.parametrize("code", ERRORS)
def test_an_entry_is_well_formed(code: str) -> None:
    assert CODE.fullmatch(code)
    assert code.partition(".")[0] in AREAS
    for sentence in ERRORS[code]:
        assert sentence[0] in "`'\"" or sentence[0].isupper()
        assert sentence.endswith(".")
        assert "|" not in sentence


def test_no_two_codes_of_an_area_have_the_same_cause() -> None:
    causes = [(code.partition(".")[0], entry.cause) for code, entry in ERRORS.items()]
    assert len(set(causes)) == len(causes)


def test_the_catalogue_is_sorted_and_no_area_is_empty() -> None:
    assert list(ERRORS) == sorted(ERRORS)
    assert list(AREAS) == sorted({code.partition(".")[0] for code in ERRORS})


def test_the_document_is_up_to_date() -> None:
    written = (PROJECT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert written == as_markdown(), "make docs-errors"
