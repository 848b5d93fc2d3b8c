"""What is wrong with a request, in words and as an HTTP status."""

from collections.abc import Sequence
from typing import Any

from noria.serving.api import Problem, Refusal


class Wrong(Exception):  # noqa: N818 - it is an answer, not a fault
    """The request cannot be done; nothing of it was done or recorded."""

    def __init__(
        self, status: int, error: str, *, fix: str = "", rows: Sequence[Problem] = (), retry_s: int | None = None
    ) -> None:
        super().__init__(error)
        self.status = status
        self.body = Refusal(error=error, fix=fix, rows=list(rows))
        self.retry_s = retry_s
        """Seconds until it is worth trying again."""


def not_json(error: Exception) -> Wrong:
    """400: the body is no JSON."""
    if isinstance(error, RecursionError):
        return Wrong(400, "the request is nested too deeply", fix="send rows of plain values")
    return Wrong(400, f"the request is not valid JSON: {str(error).partition(': ')[2] or error}")


def wrong_shape(found: Any, key: str) -> Wrong | None:
    """422, unless `found` is an object with the list `key` and nothing else."""
    see = "see /openapi.json for what the request should look like"
    if not isinstance(found, dict):
        return Wrong(422, f"request: must be an object with `{key}`", fix=see)
    if key not in found:
        return Wrong(422, f"{key}: missing", fix=see)
    strange = sorted(set(found) - {key})
    if strange:
        return Wrong(422, f"{strange[0][:100]}: not a known field", fix=see)
    if not isinstance(found[key], list):
        return Wrong(422, f"{key}: must be a list", fix=see)
    return None


def refuse_rows(problems: Sequence[Problem], rows: int) -> None:
    """422 if there are problems.

    Raises:
        Wrong: with the rows that are wrong.
    """
    if not problems:
        return
    noun = "row" if rows == 1 else "rows"
    only_missing = all(problem.problem.endswith(": missing") for problem in problems)
    fix = (
        "send every input of the model; null says that a value is not known"
        if only_missing
        else "correct these rows and send the request again"
    )
    raise Wrong(422, f"{len(problems)} of {rows} {noun} cannot be predicted, so none was", fix=fix, rows=problems)
