"""Who may ask, how much, and what of it is kept: tokens, limits, a full spool, privacy."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import UNREACHABLE, Asked, Reply, asked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noria.bundle import Bundle
from noria.traffic.smoke_key import smoke_key
from service.prediction.explain import explain
from tests.errors_raised import raises

pytestmark = pytest.mark.slow

ROW = {"age": 40, "amount": 80.5, "visits": 3, "region": "north", "code": 3, "member": True, "joined": "2024-02-03"}
TOKENS = {"predict": "predict-" + "p" * 20, "feedback": "feedback-" + "f" * 20, "admin": "admin-" + "a" * 20}
_PREDICT = {"authorization": f"Bearer {TOKENS['predict']}"}
LABEL = {"labels": [{"id": "0" * 32, "label": "Yes"}]}
SENT: dict[str, tuple[str, str, object]] = {
    "/predict": ("predict", "POST", {"rows": [ROW]}),
    "/explain": ("predict", "POST", {"rows": [ROW]}),
    "/model": ("predict", "GET", None),
    "/feedback": ("feedback", "POST", LABEL),
    "/label/cases": ("feedback", "GET", None),
    "/traffic": ("admin", "GET", None),
}


@pytest.fixture(scope="module")
def guarded(mixed_linear: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    named = {f"NORIA_{scope.upper()}_TOKEN": token for scope, token in TOKENS.items()}
    with asked(mixed_linear, tmp_path_factory.mktemp("guarded"), **named) as service:
        yield service
        service.settle()


def with_token(service: Asked, path: str, authorization: str | None) -> Reply:
    _, method, sent = SENT[path]
    headers = {} if authorization is None else {"authorization": authorization}
    return service.ask(method, path, b"" if sent is None else json.dumps(sent).encode(), headers)


@pytest.mark.parametrize("path", SENT)
def test_each_token_opens_what_it_is_for_and_nothing_else(guarded: Asked, path: str) -> None:
    scope = SENT[path][0]
    guarded.settle()  # a label's id is unknown for sure once the store has everything
    for name, token in TOKENS.items():
        reply = with_token(guarded, path, f"Bearer {token}")
        allowed = 422 if path == "/feedback" else 200  # no prediction has that id
        assert reply.status == (allowed if name == scope else 403), reply.text
    assert with_token(guarded, path, f"bearer {TOKENS[scope]}").status == allowed, "the scheme's case does not count"


@pytest.mark.parametrize("path", SENT)
@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic {}", "Bearer {}x", "{}", "Bearer {} x", "Bearer é"]
)
def test_without_a_known_token_nothing_is_done(guarded: Asked, path: str, given: str | None) -> None:
    token = TOKENS[SENT[path][0]]
    guarded.client = f"{path} {given}"  # one that has not guessed before
    reply = with_token(guarded, path, None if given is None else given.format(token))
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert not any(token in reply.text for token in TOKENS.values())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.dictionaries(st.sampled_from(["champion", "threshold", "policy", "shares", "x"]), inner)
        | st.lists(inner, max_size=2)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([("/traffic", "shares"), ("/policy", "policy")]), _JSON, st.booleans())
def test_any_wish_of_an_administrator_is_done_or_refused(
    guarded: Asked, address: tuple[str, str], wish: object, whole: bool
) -> None:
    path, key = address
    body = json.dumps(wish if whole else {key: wish}).encode()
    reply = guarded.ask("PUT", path, body, {"authorization": f"Bearer {TOKENS['admin']}"})
    assert reply.status in {200, 400, 409, 422}, reply.text
    assert ".py" not in reply.text
    assert str(guarded.folder) not in reply.text
    rows = guarded.ask("POST", "/predict", json.dumps({"rows": [ROW]}).encode(), _PREDICT)
    assert rows.status == 200


def test_real_rows_are_in_the_document_for_those_alone_who_may_ask(guarded: Asked) -> None:
    document = guarded.ask("GET", "/openapi.json")
    assert document.status == 200
    assert "example" not in document.json()["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    opened = guarded.ask("GET", "/openapi.json", headers={"authorization": f"Bearer {TOKENS['predict']}"})
    assert "example" in opened.json()["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert "bearer" in json.dumps(document.json()["components"]["securitySchemes"])


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"NORIA_PREDICT_TOKEN": TOKENS["predict"]}, ("service.tokens_incomplete",)),
        ({f"NORIA_{scope.upper()}_TOKEN": "short" for scope in TOKENS}, ("service.token_weak", "16")),
        ({f"NORIA_{scope.upper()}_TOKEN": TOKENS["predict"] for scope in TOKENS}, ("service.tokens_equal",)),
    ],
)
def test_tokens_that_guard_nothing_are_refused_at_the_start(
    mixed_linear: Bundle, tmp_path: Path, environment: dict[str, str], told: tuple[str, ...]
) -> None:
    with raises(*told), asked(mixed_linear, tmp_path, **environment):
        pass


def serving(**sections: object) -> dict[str, str]:
    return {"NORIA_SERVING": json.dumps(sections)}


def test_a_request_beyond_the_limits_gets_its_status(mixed_linear: Bundle, tmp_path: Path) -> None:
    limits = serving(max_rows=5, limits={"max_body_mb": 0.02, "max_text": 300})
    with asked(mixed_linear, tmp_path, **limits) as service:
        assert service.post("/predict", {"rows": [ROW] * 5}).status == 200
        assert service.post("/predict", {"rows": [ROW] * 6}).status == 413
        assert service.post("/feedback", {"labels": LABEL["labels"] * 6}).status == 413
        assert service.post("/predict", b" " * 20_001).status == 413
        assert service.post("/predict", b"", {"content-length": "99999999"}).status == 413
        assert service.post("/predict", {"rows": [ROW | {"region": "x" * 300}]}).status == 200
        long = service.post("/predict", {"rows": [ROW | {"region": "x" * 301}]})
        assert (long.status, long.json()["rows"]) == (
            422,
            [{"row": 0, "problem": "region: longer than 300 characters"}],
        )
        service.settle()


def test_a_client_that_asks_too_fast_is_told_when_to_come_back(mixed_linear: Bundle, tmp_path: Path) -> None:
    with asked(mixed_linear, tmp_path, **serving(limits={"requests_per_second": 2})) as service:
        replies = [service.post("/predict", {"rows": [ROW]}) for _ in range(12)]
        assert {reply.status for reply in replies} == {200, 429}
        late = [reply for reply in replies if reply.status == 429]
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in late)
        assert service.ask("GET", "/readyz").status == 200, "a probe is never too fast"
        service.settle()


def test_more_requests_at_once_than_allowed_are_turned_away(
    mixed_linear: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, entered, body = threading.Event(), threading.Semaphore(0), json.dumps({"rows": [ROW]}).encode()

    def slow(active: Any, rows: Any) -> Any:
        entered.release()
        assert released.wait(30)
        return explain(active, rows)

    monkeypatch.setattr("service.app.explain_rows", slow)
    with asked(mixed_linear, tmp_path, **serving(limits={"max_concurrent": 1})) as service:

        async def crowd() -> tuple[Reply, list[Reply]]:
            held = asyncio.create_task(service.coming("POST", "/explain", body))
            await asyncio.to_thread(entered.acquire)
            others = [await service.coming("POST", "/explain", body), await service.coming("POST", "/predict", body)]
            await asyncio.to_thread(service.settle)  # a label's id is unknown for sure once the store has everything
            others += [
                await service.coming("POST", "/feedback", json.dumps(LABEL).encode()),
                await service.coming("GET", "/model"),
            ]
            released.set()
            return await held, others

        held, (away, *others) = service.run(crowd())
        assert held.status == 200
        assert (away.status, int(away.headers["retry-after"]) >= 1) == (503, True)
        assert [other.status for other in others] == [200, 422, 200], "one kind takes no places of another"
        assert service.post("/explain", body).status == 200, "afterwards there is room again"
        service.settle()


def test_a_request_takes_a_place_when_its_body_is_there(mixed_linear: Bundle, tmp_path: Path) -> None:
    with asked(mixed_linear, tmp_path, **serving(limits={"max_concurrent": 2})) as service:
        body = json.dumps({"rows": [ROW]}).encode()

        async def crowd() -> tuple[Reply, list[Reply]]:
            arrived = asyncio.Event()
            waiting = [asyncio.create_task(service.coming("POST", "/predict", body, after=arrived)) for _ in range(50)]
            await asyncio.sleep(0)
            reply = await service.coming("POST", "/predict", body)
            arrived.set()
            return reply, [await one for one in waiting]

        reply, waited = service.run(crowd())
        assert reply.status == 200
        assert {one.status for one in waited} <= {200, 503}
        service.settle()


@pytest.mark.parametrize("path", SENT)
def test_a_guesser_is_slowed_down_and_nobody_else(mixed_linear: Bundle, tmp_path: Path, path: str) -> None:
    named = {f"NORIA_{scope.upper()}_TOKEN": token for scope, token in TOKENS.items()}
    with asked(mixed_linear, tmp_path, **named) as service:
        replies = [with_token(service, path, f"Bearer guess-{number}") for number in range(40)]
        assert [reply.status for reply in replies[:5]] == [401] * 5
        assert [reply.status for reply in replies[20:]] == [429] * 20
        assert int(replies[-1].headers["retry-after"]) >= 1
        assert replies[-1].json()["code"] == "request.token_guesses"
        known = with_token(service, path, f"Bearer {TOKENS[SENT[path][0]]}")
        assert known.status in {200, 422}, "a token that is known is answered at any time"
        service.settle()


def test_nobody_else_can_mark_a_request_as_a_smoke_test(guarded: Asked) -> None:
    smoke = _PREDICT | {"x-noria-purpose": "smoke"}
    for key in (None, "", "guess", TOKENS["predict"]):
        reply = guarded.post("/predict", {"rows": [ROW]}, smoke | ({} if key is None else {"x-noria-smoke-key": key}))
        assert (reply.status, reply.json()["code"]) == (403, "request.smoke_refused")
    allowed = guarded.post("/predict", {"rows": [ROW]}, smoke | {"x-noria-smoke-key": TOKENS["admin"]})
    assert [one["variant"] for one in allowed.json()["predictions"]] == ["smoke"]
    with smoke_key(guarded.folder) as key:
        deploying = guarded.post("/predict", {"rows": [ROW]}, smoke | {"x-noria-smoke-key": key})
    assert deploying.status == 200
    late = guarded.post("/predict", {"rows": [ROW]}, smoke | {"x-noria-smoke-key": key})
    assert late.status == 403, "the key ends with the deployment"


@pytest.mark.parametrize("policy", ["refuse", "drop"])
def test_a_full_spool_says_so_and_does_as_it_was_told(mixed_linear: Bundle, tmp_path: Path, policy: str) -> None:
    spool = serving(spool={"max_mb": 1, "when_full": policy})
    with asked(mixed_linear, tmp_path, UNREACHABLE, **spool) as service:
        long = {"rows": [ROW | {"region": "x" * 9_000}] * 4}
        replies = [service.post("/predict", long) for _ in range(40)]
        statuses = [reply.status for reply in replies]
        assert statuses[0] == 200
        if policy == "drop":
            assert set(statuses) == {200}
            assert service.app.runtime.spool.dropped > 0
            assert service.ask("GET", "/readyz").status == 200
        else:
            assert statuses[-1] == 503
            assert int(replies[-1].headers["retry-after"]) >= 1
            assert "cannot record predictions" in replies[-1].json()["error"]
            assert service.ask("GET", "/readyz").status == 503
        kept = sum(path.stat().st_size for path in (tmp_path / "spool").iterdir() if path.is_file())
        assert kept < 3_000_000


@pytest.mark.parametrize("url", ["", UNREACHABLE], ids=["store", "spool"])
def test_what_is_private_reaches_neither_spool_nor_store(mixed_linear: Bundle, tmp_path: Path, url: str) -> None:
    privacy = {"hash": ["customer"], "drop": ["region"], "truncate": {"joined": 4}}
    environment = serving(privacy=privacy) | {"NORIA_PRIVACY_KEY": "k" * 32}
    secret: dict[str, Any] = {"customer": "Zanzibar-Person", "region": "Xanadu-Street", "joined": "2024-02-29"}
    with asked(mixed_linear, tmp_path, url, **environment) as service:
        reply = service.post("/predict", {"rows": [ROW | secret]})
        assert reply.status == 200
        assert "Xanadu" in reply.text, "who asked is told of the unseen category"
        if not url:
            service.settle()
        said = service.post("/feedback", {"labels": [{"entity": "Zanzibar-Person", "label": "Yes"}]})
        assert said.status == 200
        id = reply.json()["predictions"][0]["id"]
        if url:
            place = b"".join(path.read_bytes() for path in (tmp_path / "spool").rglob("*") if path.is_file())
        else:
            assert said.json() == {"known": [True]}
            place = b"".join(path.read_bytes() for path in tmp_path.glob("predictions.db*"))
        assert id.encode() in place, "it was looked for where it is kept"
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for text in (b"Zanzibar", b"Xanadu", b"2024-02-29", b"02-29"):
        assert text not in everything
