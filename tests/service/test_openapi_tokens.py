"""With tokens, too: whatever is made from the OpenAPI document, at every address and with every token, is answered as
the document says. `benchmarks/any_request.py` sends ten thousand."""

from collections.abc import Iterator
from typing import Any

import mixed
import pytest
from asked import Asked, asked
from documented import InProcess, addresses, ask_as_documented
from schemathesis import GenerationMode

pytestmark = pytest.mark.slow

TOKENS = {name: name * 4 for name in ("predict", "feedback", "admin")}
_OPENS = {"/feedback": "feedback", "/label/cases": "feedback", "/traffic": "admin", "/policy": "admin"}
_OPEN = {"/healthz", "/readyz", "/metrics"}
CASES = 25


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    bundle = mixed.write("xgboost", "binary", tmp_path_factory.mktemp("mixed") / "bundle")
    given = {f"NORIA_{name.upper()}_TOKEN": token for name, token in TOKENS.items()}
    with asked(bundle, tmp_path_factory.mktemp("asked"), **given) as running:
        yield running


@pytest.fixture(scope="module")
def document(service: Asked) -> dict[str, Any]:
    found: dict[str, Any] = service.ask("GET", "/openapi.json").json()
    return found


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("token", [*TOKENS, "unknown", None])
def test_every_address_answers_every_token_as_the_document_says(
    service: Asked, document: dict[str, Any], token: str | None, mode: GenerationMode
) -> None:
    assert {"/traffic", "/policy"} <= document["paths"].keys()
    adapter = InProcess(service, None if token is None else TOKENS.get(token, "nobody's token, long enough"))
    for method, path in addresses(document):
        if mode is GenerationMode.NEGATIVE and method == "GET":
            continue  # nothing in it can be wrong
        seen = ask_as_documented(adapter, document, (method, path), mode, CASES)
        assert sum(seen.values()) > 0
        if path not in _OPEN and token != _OPENS.get(path, "predict"):
            # who guesses much is slowed down
            assert set(seen) <= ({401, 403} if token is None or token in TOKENS else {401, 429}), (method, path, seen)
        else:
            assert not {401, 403} & set(seen), (method, path, seen)
