"""What a service says of itself over HTTP, and the command that asks it for a prediction."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.command_result import Facts
from noria.bundle import Bundle, MetricsOrigin, learning_facts
from noria.client import Client
from noria.config import UseCase
from noria.deployment.metrics_scrape import ScrapedMetrics, parse_metrics
from noria.deployment.service_secrets import TOKENS
from noria.models.learned_rows import LearnedRows
from noria.serving.api import ModelResponse
from noria.serving.shown_examples import shown_examples
from noria.system.errors import NoriaError
from noria.system.shell_commands import shell_command

_SECONDS = 10.0


@dataclass(frozen=True)
class ServiceAddress:
    """Where a service answers, and the tokens that it asks for, by the names of their variables."""

    url: str
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    def client(self, timeout_s: float = _SECONDS) -> Client:
        """With the tokens that are known here; the environment's come first."""
        predict, feedback, admin = (os.environ.get(name) or self.tokens.get(name) for name in TOKENS)
        return Client(self.url, timeout_s=timeout_s, token=predict, feedback_token=feedback, admin_token=admin)


@dataclass(frozen=True)
class ServiceProbe:
    """What the service said."""

    unready: str
    """Why it is not ready; empty: it is."""
    model: ModelResponse | None
    facts: Facts


def probe_service(address: ServiceAddress, use_case: str) -> ServiceProbe:
    """Ask `/readyz`, `/model` and `/metrics`; what is not answered is a fact, too."""
    with address.client() as client:
        unready = client.unready()
        facts: Facts = [("service", f"{address.url}, {'ready' if not unready else 'not ready: ' + unready}")]
        model = None
        try:
            model = client.model()
            facts += _model(model, use_case)
        except NoriaError as error:
            if not unready:
                facts.append(("model", f"{error.what}; {TOKENS[0]} in the environment is the token that it wants"))
        try:
            facts += _figures(parse_metrics(client.metrics()))
        except NoriaError as error:
            if not unready:
                facts.append(("figures", error.what))
    return ServiceProbe(unready, model, facts)


def curl_commands(url: str, champion: Bundle, use_case: UseCase, token: str = "") -> list[str]:
    """A command that asks a service for a prediction, as `curl_command`; none if no example may be shown."""
    return [curl_command(url, row, token) for row in shown_examples(champion, use_case.serving)[:1]]


def curl_command(url: str, example: Mapping[str, object], token: str = "") -> str:
    """A command that asks a service for the prediction of one row.

    Args:
        url: of the service.
        example: the row.
        token: what a shell reads as the token within double quotes, such as "$NORIA_PREDICT_TOKEN"; empty: none.
    """
    headers = ["Content-Type: application/json", "X-Noria-Test: 1"]  # a copied command is a trial, not production
    asked = ["curl", "-s", f"{url}/predict", *(part for header in headers for part in ("-H", header))]
    access = f' -H "Authorization: Bearer {token}"' if token else ""
    return f"{shell_command(*asked)}{access} {shell_command('-d', json.dumps({'rows': [example]}))}"


def model_learning(model: ModelResponse) -> Facts:
    """Which rows the model has learned from, and which its promised metrics come from."""
    learned, origin = model.learned, model.metrics_from
    return [
        *learning_facts(
            None if learned is None else LearnedRows.model_validate(learned),
            None if origin is None else MetricsOrigin.model_validate(origin),
        )
    ]


def _model(model: ModelResponse, use_case: str) -> Facts:
    facts: Facts = [
        ("version", f"{model.version} ({model.kind}), since {model.active_since[:19].replace('T', ' ')} UTC")
    ]
    facts += model_learning(model)
    if model.name != use_case:
        facts.insert(0, ("use case", f"`{model.name}`, not `{use_case}`"))
    return facts + [(f"variant {each['name']}", _variant(each)) for each in model.variants]


def _variant(variant: dict[str, Any]) -> str:
    part = "shadow" if variant.get("shadow") else f"{variant.get('share', 1.0):.1%} of the cases"
    policy = ", ".join(f"{key} {value}" for key, value in variant.get("policy", {}).items() if value)
    return f"{part}, version {variant.get('version')}, policy {variant.get('policy_version')}: {policy or 'none'}"


def _figures(figures: ScrapedMetrics) -> Facts:
    """Of the pod or container that answered."""
    waits = "" if figures.waiting_s is None else f", {figures.waiting_s:,.0f} s old"
    spool = (
        f"{figures.waiting_bytes:,} bytes wait for the prediction store{waits}" if figures.waiting_bytes else "empty"
    )
    facts: Facts = [("requests", f"{figures.served:,} since start, {figures.refused:,} refused"), ("spool", spool)]
    return [*facts, ("lost", f"{figures.dropped:,} answers could not be kept")] if figures.dropped else facts
