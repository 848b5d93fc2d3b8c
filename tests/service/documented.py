"""Requests that schemathesis makes from the OpenAPI document, sent to the app in this process."""

import io
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis
from asked import Asked
from hypothesis import HealthCheck, given, settings
from requests.adapters import HTTPAdapter
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from urllib3 import HTTPResponse

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_URL = "http://127.0.0.1:3000"


def addresses(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Every method at every path."""
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]


class InProcess(HTTPAdapter):
    """Brings the requests of a session to the app, with a token."""

    def __init__(self, service: Asked, token: str | None) -> None:
        super().__init__()
        self._service, self._token = service, token

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        request.headers.pop("Authorization", None)
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        path = urlsplit(str(request.url)).path
        headers = {name: text if isinstance(text, str) else text.decode() for name, text in request.headers.items()}
        reply = self._service.ask(str(request.method), path, body, headers)
        raw = HTTPResponse(io.BytesIO(reply.body), reply.headers, reply.status, preload_content=False)
        return self.build_response(request, raw)


def ask_as_documented(
    adapter: InProcess, document: dict[str, Any], address: tuple[str, str], mode: GenerationMode, cases: int
) -> Counter[int]:
    """Send as many cases, at most, as there are different ones; status → how often it was answered.

    Raises:
        schemathesis.errors.FailureGroup: an answer is an error of the service's own, or not as the document says.
    """
    method, path = address
    operation = schemathesis.openapi.from_dict(document)[path][method]
    seen: Counter[int] = Counter()
    with requests.Session() as session:
        session.mount(_URL, adapter)

        @settings(
            max_examples=cases, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(operation.as_strategy(mode))
        def ask(case: Case) -> None:
            response = case.call(base_url=_URL, session=session)
            seen[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        ask()
    return seen
