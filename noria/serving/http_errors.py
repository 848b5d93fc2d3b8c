"""Errors of a request, with message and HTTP status."""

import json
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


def not_json(error: Exception, body: bytes) -> HTTPError:
    """400: the body is not JSON. NaN and Infinity, which many programs write, are named by row and field."""
    if isinstance(error, RecursionError):
        return HTTPError(
            400, "the request is nested too deeply", code="request.nested_too_deeply", fix="send rows of plain values"
        )
    problems = _not_finite(body)
    if problems:
        more = f" ({len(problems)} such values)" if len(problems) > 1 else ""
        return HTTPError(
            400,
            f"the request is not valid JSON: row {problems[0].row}: {problems[0].problem}{more}",
            code="request.number_not_finite",
            fix="send null for a value that is not known",
            rows=problems,
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


class _NotFinite(str):
    """NaN, Infinity or -Infinity, as it was written."""

    __slots__ = ()


def _not_finite(body: bytes) -> list[RowError]:
    """The fields of `{"rows": [{…}, …]}`, or of an object in its place, that are NaN or infinite."""
    if b"NaN" not in body and b"Infinity" not in body:
        return []
    try:
        found = json.loads(body, parse_constant=_NotFinite)
    except (ValueError, RecursionError):  # it is not JSON for other reasons
        return []
    problems = []
    for key, value in found.items() if isinstance(found, dict) else ():
        for row, sent in enumerate(value if isinstance(value, list) else [value]):
            fields = sent.items() if isinstance(sent, dict) else [(key, sent)]
            problems += [
                RowError(row=row, problem=f"{name[:100]}: {each} is not a JSON value; send null")
                for name, each in fields
                if isinstance(each, _NotFinite)
            ]
    return problems
