"""Thousands of requests made from the OpenAPI document: none breaks the running service, and every answer is as the
document says."""

from collections import Counter
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving import Served

pytestmark = pytest.mark.e2e
_CASES = {"/predict": 900, "/explain": 300, "/feedback": 1200}
"""Address → cases of each of two kinds: requests that fit the document, and ones that do not."""
_GETS = {"/label/cases": 20, "/model": 100, "/healthz": 20, "/readyz": 100, "/metrics": 20}
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_calmly = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
]


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(served.deployment.url + "/openapi.json", timeout=30).json()
    return found


def asked(served: Served, document: dict[str, Any], path: str, mode: GenerationMode, cases: int) -> Counter[int]:
    """Send that many cases; status → how often it was answered."""
    schema = schemathesis.openapi.from_dict(document)
    method = next(iter(document["paths"][path])).upper()
    seen: Counter[int] = Counter()
    with requests.Session() as session:

        @settings(max_examples=cases, deadline=None, derandomize=True, database=None, suppress_health_check=_calmly)
        @given(schema[path][method].as_strategy(mode))
        def ask(case: Case) -> None:
            response = case.call(base_url=served.deployment.url, session=session, timeout=30)
            seen[response.status_code] += 1
            case.validate_response(response, checks=_CHECKS)

        ask()
    return seen


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", _CASES)
def test_every_answer_is_as_the_document_says(
    served: Served, document: dict[str, Any], path: str, mode: GenerationMode
) -> None:
    seen = asked(served, document, path, mode, _CASES[path])
    assert sum(seen.values()) >= _CASES[path]
    assert not [status for status in seen if status >= 500]
    if mode is GenerationMode.POSITIVE and path == "/feedback":
        assert seen[422] > 0, "nobody knows these predictions"
    elif mode is GenerationMode.POSITIVE:
        assert seen[200] > 0, "the document tells of no request that is answered"
    else:
        assert seen[422] + seen[400] > 0


def test_what_takes_no_body_is_as_the_document_says(served: Served, document: dict[str, Any]) -> None:
    assert set(_CASES) | set(_GETS) == set(document["paths"])
    for path, cases in _GETS.items():
        with requests.Session() as session:
            for _ in range(cases):
                case = schemathesis.openapi.from_dict(document)[path]["GET"].Case()
                response = case.call(base_url=served.deployment.url, session=session, timeout=30)
                assert response.status_code == 200
                case.validate_response(response, checks=_CHECKS)


def test_the_cases_are_enough() -> None:
    assert 2 * sum(_CASES.values()) + sum(_GETS.values()) >= 5000
