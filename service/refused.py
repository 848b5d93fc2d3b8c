"""An answer that says no."""

from collections.abc import Sequence

from noria.api import Problem, Refusal


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """The request cannot be done; `status` is the HTTP status, nothing was done or recorded."""

    def __init__(self, status: int, error: str, *, fix: str = "", rows: Sequence[Problem] = ()) -> None:
        super().__init__(error)
        self.status = status
        self.body = Refusal(error=error, fix=fix, rows=list(rows))
