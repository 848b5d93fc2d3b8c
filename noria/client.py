"""A client of the prediction service."""

import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from noria.serving.api import (
    ErrorResponse,
    ExplainResponse,
    FeedbackResponse,
    ModelResponse,
    PredictionResponse,
    PredictResponse,
    TrafficChangeResponse,
)
from noria.system.errors import NoriaError

PURPOSE, VARIANT, TEST = "x-noria-purpose", "x-noria-variant", "x-noria-test"
SMOKE_KEY = "x-noria-smoke-key"
_OK = 200
Body = TypeVar("Body", bound=BaseModel)


class Client:
    """A client of one service, used as a context manager. It keeps its connection open between requests.

    Every method but `ready` raises NoriaError when the service cannot be reached or refuses the request.

    >>> with Client(url) as client:
    ...     [prediction] = client.predict([row])
    ...     labels = client.feedback([{"id": prediction.id, "label": "Yes"}])
    >>> prediction.version, prediction.variant, len(labels.known)
    ('1', 'champion', 1)
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 30.0,
        token: str | None = None,
        feedback_token: str | None = None,
        admin_token: str | None = None,
        test: bool = False,
    ) -> None:
        """Create a client of the service at `url`.

        Args:
            url: such as http://127.0.0.1:3000.
            timeout_s: the timeout of a request, in seconds.
            token: the bearer token for predictions, if the service needs one.
            feedback_token: the token for labels.
            admin_token: the token for shares and policies.
            test: whether requests only try the service out: they are answered, and do not count as production.
        """
        headers = {TEST: "1"} if test else {}
        self._http = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False, headers=headers)
        self._token, self._feedback_token = _bearer(token), _bearer(feedback_token)
        self._admin_token = _bearer(admin_token)

    @classmethod
    def with_tokens(cls, url: str, *, timeout_s: float = 30.0) -> Self:
        """A client with the tokens of the environment: NORIA_PREDICT_TOKEN and NORIA_FEEDBACK_TOKEN."""
        predict, feedback = os.environ.get("NORIA_PREDICT_TOKEN"), os.environ.get("NORIA_FEEDBACK_TOKEN")
        return cls(url, timeout_s=timeout_s, token=predict, feedback_token=feedback)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def predict(
        self, rows: Sequence[Mapping[str, Any]], *, purpose: str = "", variant: str = "", smoke_key: str = ""
    ) -> list[PredictionResponse]:
        """Predict rows: one object per case with every input column.

        `purpose="smoke"` marks a smoke test, which may select a `variant` by its name; it needs the `smoke_key` of the
        deployment under way, or the token for `admin` in its place.
        """
        marks = ((PURPOSE, purpose), (VARIANT, variant), (SMOKE_KEY, smoke_key))
        headers = self._token | {name: value for name, value in marks if value}
        return self._request(
            "POST", "/predict", PredictResponse, json={"rows": list(rows)}, headers=headers
        ).predictions

    def feedback(self, labels: Sequence[Mapping[str, Any]]) -> FeedbackResponse:
        """Send true labels: objects with `label` and either `id` (of a prediction) or `entity` (of a case).

        `at`, ISO 8601, tells when the label became known; by default that is now.
        """
        sent = {"labels": list(labels)}
        return self._request("POST", "/feedback", FeedbackResponse, json=sent, headers=self._feedback_token)

    def explain(self, rows: Sequence[Mapping[str, Any]]) -> ExplainResponse:
        """The contribution of each input to the predictions of at most ten rows; nothing is recorded."""
        return self._request("POST", "/explain", ExplainResponse, json={"rows": list(rows)}, headers=self._token)

    def model(self) -> ModelResponse:
        """The champion and the variants beside it."""
        return self._request("GET", "/model", ModelResponse, headers=self._token)

    def change_shares(self, shares: Mapping[str, float]) -> TrafficChangeResponse:
        """Change the shares of variants that the service has loaded; the champion takes the rest."""
        sent = {"shares": dict(shares)}
        return self._request("PUT", "/traffic", TrafficChangeResponse, json=sent, headers=self._admin_token)

    def change_policy(self, policy: Mapping[str, float], variant: str | None = None) -> TrafficChangeResponse:
        """Change keys of the decision policy of a variant, by default the champion."""
        sent = {"policy": dict(policy)} | ({"variant": variant} if variant else {})
        return self._request("PUT", "/policy", TrafficChangeResponse, json=sent, headers=self._admin_token)

    def metrics(self) -> str:
        """The metrics in Prometheus' text format."""
        return self._send("GET", "/metrics").text

    def ready(self) -> bool:
        """Whether the service is ready."""
        try:
            return self._http.get("/readyz").status_code == _OK
        except httpx.HTTPError:
            return False

    def unready(self) -> str:
        """Why the service is not ready; empty: it is."""
        try:
            self._send("GET", "/readyz")
        except NoriaError as error:
            return error.what
        return ""

    def _request(self, method: str, path: str, kind: type[Body], **sent: Any) -> Body:
        response = self._send(method, path, **sent)
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise NoriaError(
                "the response does not come from a Noria service",
                code="client.not_noria",
                where=str(response.url),
                fix="check host and port",
            ) from error

    def _send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **sent)
        except ValueError as error:  # infinite or not a number
            raise NoriaError(
                f"the rows cannot be sent as JSON: {error}",
                code="client.rows_not_json",
                fix="send None for missing values",
            ) from error
        except httpx.HTTPError as error:
            raise NoriaError(
                f"the service cannot be reached: {error}",
                code="client.unreachable",
                where=f"{self._http.base_url.join(path)}",
                fix="check that it runs (`python run.py status`) and that host and port are right",
            ) from error
        if response.status_code != _OK:
            raise _refusal(response)
        return response


def _bearer(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def _refusal(response: httpx.Response) -> NoriaError:
    try:
        refusal = ErrorResponse.model_validate_json(response.content)
    except ValidationError:
        refusal = ErrorResponse(error=response.reason_phrase)
    rows = "".join(f"\n  row {problem.row}: {problem.problem}" for problem in refusal.rows[:10])
    return NoriaError(
        f"the service refuses ({response.status_code}): {refusal.error}{rows}",
        code=refusal.code or "client.refused",
        where=str(response.url),
        fix=refusal.fix,
    )
