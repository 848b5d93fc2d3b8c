"""The one error that a user is meant to read."""

import re

_CODE = re.compile(r"\[([a-z0-9_.]+)\] ")


class NoriaError(Exception):
    """Something that the user can correct: what is wrong, where it is, how to correct it, and a stable code.

    The command line prints these parts without a traceback and exits with 2; the service answers with `what`, `code`
    and `fix` only. Programs and tests match on `code`, so that messages can be reworded; see docs/errors.md.
    """

    def __init__(self, what: str, *, code: str, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.code = code
        self.where = where
        self.fix = fix

    @classmethod
    def from_traceback(cls, text: str) -> "NoriaError | None":
        """The error at the end of a traceback from another process; None: it ends with an error of another kind."""
        _, marker, said = text.strip().rpartition(f"{cls.__module__}.{cls.__name__}: ")
        return cls.parse(said) if marker else None

    @classmethod
    def parse(cls, said: str) -> "NoriaError | None":
        """The error that `str` made this text of; None: it is not the text of a NoriaError."""
        code = _CODE.match(said)
        if code is None:
            return None
        before, _, fix = said[code.end() :].partition(" | fix: ")
        what, _, where = before.partition(" | where: ")
        return cls(what, code=code[1], where=where, fix=fix)

    def __reduce__(self) -> tuple[object, tuple[str, str, str, str]]:
        return _rebuild, (self.what, self.code, self.where, self.fix)

    def __str__(self) -> str:
        parts = [f"[{self.code}] {self.what}"]
        if self.where:
            parts.append(f"where: {self.where}")
        if self.fix:
            parts.append(f"fix: {self.fix}")
        return " | ".join(parts)


def describe(error: BaseException) -> str:
    """An error in one text: of a NoriaError all parts, which `NoriaError.parse` reads; of others kind and first line.

    >>> describe(RuntimeError("no memory is left"))
    'RuntimeError: no memory is left'
    """
    if isinstance(error, NoriaError):
        return str(error)
    said = first_line(error)
    return said if said == type(error).__name__ else f"{type(error).__name__}: {said}"


def first_line(error: BaseException) -> str:
    """The first line of what an error says, without its end of line; of one that says nothing, its kind."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def last_line(said: str) -> str:
    """The last line of what a program wrote when it failed: as a rule the reason."""
    return (said.strip().splitlines() or ["it says nothing"])[-1]


def _rebuild(what: str, code: str, where: str, fix: str) -> NoriaError:
    return NoriaError(what, code=code, where=where, fix=fix)
