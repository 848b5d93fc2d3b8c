"""The one error that a user is meant to read."""


class NoriaError(Exception):
    """Something the user can mend: what is wrong, where it is, and how to mend it.

    The command line prints these three parts without a traceback and exits with 2;
    the service answers with `what` and `fix` only.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    @classmethod
    def told(cls, text: str) -> "NoriaError | None":
        """The error that a traceback from elsewhere ends with; None: it ends with another one."""
        _, marker, said = text.strip().rpartition(f"{cls.__module__}.{cls.__name__}: ")
        if not marker:
            return None
        before, _, fix = said.partition(" | fix: ")
        what, _, where = before.partition(" | where: ")
        return cls(what, where=where, fix=fix)

    def __reduce__(self) -> tuple[object, tuple[str, str, str]]:
        return _rebuild, (self.what, self.where, self.fix)

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"where: {self.where}")
        if self.fix:
            parts.append(f"fix: {self.fix}")
        return " | ".join(parts)


def first_line(error: BaseException) -> str:
    """The first line of what an error says, without its end of line; of one that says nothing, its kind."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def last_line(said: str) -> str:
    """The last line of what a program wrote when it failed: as a rule the reason."""
    return (said.strip().splitlines() or ["it says nothing"])[-1]


def _rebuild(what: str, where: str, fix: str) -> NoriaError:
    return NoriaError(what, where=where, fix=fix)
