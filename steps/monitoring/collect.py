"""Read the predictions that the check looks at."""

from datetime import UTC, datetime
from typing import Annotated

import pandas as pd
from zenml import step

from materializers.table import TableMaterializer
from noria import progress
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment import settle
from noria.monitoring import read_window
from noria.predictions import PredictionStore
from noria.workspace import Workspace
from steps.shared.failures import alert_on_failure

Collected = tuple[
    Annotated[pd.DataFrame, "recent_predictions"],
    Annotated[pd.DataFrame, "labelled_predictions"],
    Annotated[str, "checked_at"],
]
_TABLES = {"recent_predictions": TableMaterializer, "labelled_predictions": TableMaterializer}


@step(output_materializers=_TABLES, enable_cache=False, on_failure=alert_on_failure)
def collect(champion: Bundle, use_case: UseCase, labels_joined: int) -> Collected:
    """Recent predictions of the deployed version, the labelled ones, and the time of the check.

    `labels_joined` is only there to run after the join.
    """
    workspace = Workspace(use_case.name)
    settle(workspace)
    now = datetime.now(UTC)
    store = PredictionStore(workspace.predictions_url)
    window = read_window(store, use_case, champion.manifest.version, now)
    progress.stage(f"collect    {len(window.recent):,} predictions, {len(window.labelled):,} with their label")
    return window.recent, window.labelled, now.isoformat()
