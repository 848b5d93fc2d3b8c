"""Errors of a request, with message and HTTP status."""

from collections.abc import Sequence
from typing import Any

from noria.serving.api import ErrorResponse, RowError


class HTTPError(Exception):
    """The request fails as a whole; nothing of it was done or recorded."""

    def __init__(
        self,
        status: int,
        error: str,
        *,
        code: str,
        fix: str = "",
        rows: Sequence[RowError] = (),
        retry_s: int | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.body = ErrorResponse(error=error, code=code, fix=fix, rows=list(rows))
        self.retry_s = retry_s
        """Seconds until it is worth trying again."""


def not_json(error: Exception) -> HTTPError:
    """400: the body is not JSON."""
    if isinstance(error, RecursionError):
        return HTTPError(
            400, "the request is nested too deeply", code="request.nested_too_deeply", fix="send rows of plain values"
        )
    return HTTPError(
        400, f"the request is not valid JSON: {str(error).partition(': ')[2] or error}", code="request.json_invalid"
    )


def wrong_shape(found: Any, key: str) -> HTTPError | None:
    """422, unless `found` is an object with nothing but the list `key`."""
    see = "see /openapi.json for what the request should look like"
    if not isinstance(found, dict):
        return HTTPError(422, f"request: must be an object with `{key}`", code="request.shape_invalid", fix=see)
    if key not in found:
        return HTTPError(422, f"{key}: missing", code="request.shape_invalid", fix=see)
    unknown = sorted(set(found) - {key})
    if unknown:
        return HTTPError(422, f"{unknown[0][:100]}: not a known field", code="request.shape_invalid", fix=see)
    if not isinstance(found[key], list):
        return HTTPError(422, f"{key}: must be a list", code="request.shape_invalid", fix=see)
    return None


def raise_row_errors(problems: Sequence[RowError], rows: int) -> None:
    """Raise 422 if there are problems.

    Raises:
        HTTPError: names the invalid rows.
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
    raise HTTPError(
        422,
        f"{len(problems)} of {rows} {noun} cannot be predicted, so none was",
        code="request.rows_invalid",
        fix=fix,
        rows=problems,
    )
