"""Bring labels that arrived in a file to the predictions they belong to."""

from datetime import UTC, datetime
from typing import Annotated

from zenml import log_metadata, step

from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring import join_labels as join
from noria.predictions import PredictionStore
from noria.system import progress
from noria.system.workspace import Workspace
from steps.shared.failures import alert_on_failure


@step(enable_cache=False, on_failure=alert_on_failure)
def join_labels(champion: Bundle, use_case: UseCase, labels: str, now: str = "") -> Annotated[int, "labels_joined"]:
    """The number of labels that found their prediction; `labels` is a file, or empty when there is none.

    `now` is the time of the check (ISO 8601), if it is not now.
    """
    if not labels:
        return 0
    workspace = Workspace(use_case.name)
    quarantine = workspace.quarantine / "labels.csv"
    store = PredictionStore(workspace.predictions_url)
    at = datetime.fromisoformat(now) if now else datetime.now(UTC)
    joined = join(store, labels, use_case, champion.manifest, quarantine=quarantine, at=at)
    log_metadata({"joined": joined.joined, "waiting": joined.waiting, "refused": joined.refused})
    progress.stage(
        "labels",
        f"{joined.joined:,} joined by `{joined.key}`, {joined.waiting:,} wait for their prediction, "
        f"{joined.refused:,} refused" + (f" (see {quarantine})" if joined.refused else ""),
    )
    return joined.joined
