"""An error from another process is told as it was meant."""

import traceback

import pytest

from noria.system.errors import NoriaError, first_line


def ended_with(error: Exception) -> str:
    try:
        raise error
    except Exception:
        return traceback.format_exc()


@pytest.mark.parametrize(
    "error",
    [
        NoriaError("too few rows", code="test.example", where="data.csv", fix="add some"),
        NoriaError("two lines:\nof them", code="test.example", fix="read on"),
        NoriaError("nothing more is known", code="test.example"),
    ],
    ids=["whole", "no place", "alone"],
)
def test_the_parts_come_back(error: NoriaError) -> None:
    told = NoriaError.from_traceback(ended_with(error))
    assert told is not None
    assert (told.what, told.code, told.where, told.fix) == (error.what, error.code, error.where, error.fix)


def test_another_error_is_none_of_ours() -> None:
    assert NoriaError.from_traceback(ended_with(ZeroDivisionError("no rows"))) is None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no rows\nin that table"), "no rows"),
        (ValueError("\n  no rows\n"), "no rows"),
        (TimeoutError(), "TimeoutError"),
        (RuntimeError(" \n"), "RuntimeError"),
    ],
)
def test_the_first_line_of_an_error_that_may_say_nothing(error: Exception, line: str) -> None:
    assert first_line(error) == line
