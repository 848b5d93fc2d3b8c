"""An error is known by its code; its words may change."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from noria.system.errors import NoriaError


@contextmanager
def raises(code: str, *named: object) -> Iterator[pytest.ExceptionInfo[NoriaError]]:
    """A NoriaError with this code whose text names all of `named`: columns, paths, numbers and other values."""
    with pytest.raises(NoriaError) as caught:
        yield caught
    assert_error(caught.value, code, *named)


def assert_error(error: NoriaError, code: str, *named: object) -> None:
    """This error has the code, and its text names all of `named`."""
    assert error.code == code, str(error)
    said = str(error)
    for value in named:
        assert str(value) in said
