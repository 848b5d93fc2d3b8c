"""Reading what was sent: how large it may be, and what is wrong with it in words."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from noria.api import FeedbackRequest, Problem
from service.refused import Refused

_BYTES_PER_ROW = 16_384
_BYTES_AT_LEAST = 1 << 20
_VALUE = "must be a number, a text, true, false or null"
_NOT_FINITE = "infinite or not a number"
_FIELDS = {
    "id": "must be the identifier that /predict gave",
    "entity": "must be the case's identifier: a whole number, or a text of at most 255 characters",
    "label": "must be a number, a text, true or false",
}
Body = TypeVar("Body", bound=BaseModel)


async def body_of(request: Request, max_rows: int) -> bytes:
    """The request's body.

    Raises:
        Refused: it is longer than `max_rows` rows could be.
    """
    limit = max(_BYTES_AT_LEAST, max_rows * _BYTES_PER_ROW)
    chunks, length = [], 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > limit:
            raise Refused(413, f"the request is longer than {limit} bytes", fix="send it in several requests")
        chunks.append(chunk)
    return b"".join(chunks)


def parsed(kind: type[Body], body: bytes) -> Body:
    """The body as what it should be.

    Raises:
        Refused: it is no JSON (400), or not what it should be (422).
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise _refused(details, _FIELDS if kind is FeedbackRequest else {}) from error


def _refused(details: list[Any], fields: Mapping[str, str]) -> Refused:
    if details[0]["type"] == "json_invalid":
        return Refused(400, f"the request is not valid JSON: {details[0]['msg'].partition(': ')[2]}")
    rows: dict[tuple[int, str], str] = {}
    elsewhere = []
    for detail in details:
        place = detail["loc"]
        if len(place) >= 2 and isinstance(place[1], int):
            field = str(place[2]) if len(place) > 2 else ""
            found = _said(detail["type"], fields.get(field, _VALUE if field else "must be an object"))
            if found == _NOT_FINITE or (place[1], field) not in rows:  # one value is tried as several types
                rows[place[1], field] = found
        else:
            elsewhere.append(f"{'.'.join(map(str, place)) or 'request'}: {detail['msg'].lower()}")
    problems = [Problem(row=row, problem=f"{field}: {said}" if field else said) for (row, field), said in rows.items()]
    error = "; ".join(elsewhere) or "the request cannot be read, so nothing was done"
    return Refused(422, error, fix="see /openapi.json for what the request should look like", rows=problems)


def _said(kind: str, wanted: str) -> str:
    special = {"missing": "missing", "extra_forbidden": "not a known field", "finite_number": _NOT_FINITE}
    return special.get(kind, wanted)
