"""What `status` tells of a service."""

from datetime import UTC, datetime

from noria.client import Client
from noria.config.base import Section
from noria.deployment.state import Deployment, state
from noria.errors import NoriaError
from noria.predictions import PredictionStore
from noria.workspace import Workspace


class ServiceFacts(Section):
    """A service and what it has done. Counts of the store reach over all servers there ever were."""

    deployment: Deployment | None
    """The running server, if there is one."""
    ready: bool
    """Does it answer?"""
    uptime_s: float | None
    """Seconds since the server was started."""
    requests: int
    predictions: int
    predictions_of_version: int | None
    """Predictions by the version that answers now."""
    labelled: int
    waiting_labels: int
    """Labels whose prediction is not known (yet)."""
    last_prediction_at: datetime | None
    served: int | None
    """Requests since the server was started, refused ones too; None if it does not tell."""
    refused: int | None
    """Of those, the ones that were not answered with 200."""


def service_facts(workspace: Workspace) -> ServiceFacts:
    """What runs for this use case and what was predicted.

    Raises:
        NoriaError: the prediction store cannot be read.
    """
    deployment = state(workspace)
    store = PredictionStore(workspace.predictions_url)
    try:
        counts = store.counts()
        of_version = None if deployment is None else store.counts(deployment.version).predictions
    finally:
        store.close()
    served, refused = (None, None) if deployment is None else _served(deployment)
    return ServiceFacts(
        deployment=deployment,
        ready=served is not None,
        uptime_s=None if deployment is None else (datetime.now(UTC) - deployment.started_at).total_seconds(),
        requests=counts.requests,
        predictions=counts.predictions,
        predictions_of_version=of_version,
        labelled=counts.labelled,
        waiting_labels=counts.unmatched_labels,
        last_prediction_at=counts.last_at,
        served=served,
        refused=refused,
    )


def _served(deployment: Deployment) -> tuple[int, int] | tuple[None, None]:
    from prometheus_client.parser import text_string_to_metric_families

    try:
        with Client(deployment.url, timeout_s=5.0) as client:
            text = client.metrics()
    except NoriaError:
        return None, None
    samples = [
        sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "noria_requests_total"
    ]
    refused = sum(sample.value for sample in samples if sample.labels["status"] != "200")
    return int(sum(sample.value for sample in samples)), int(refused)
