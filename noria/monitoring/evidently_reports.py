"""Evidently's reports, as HTML files and in the folder that `evidently ui --workspace FOLDER` shows.

Importing this module imports Evidently, which takes seconds.
"""

import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from evidently import (
    BinaryClassification,
    DataDefinition,
    Dataset,
    MulticlassClassification,
    Regression,
    Report,
)
from evidently.core.report import Snapshot
from evidently.legacy.core import new_id
from evidently.metrics import ValueDrift
from evidently.presets import ClassificationPreset, DataDriftPreset, RegressionPreset
from evidently.sdk.models import DashboardModel, DashboardTabModel, PanelMetric
from evidently.sdk.panels import line_plot_panel
from evidently.ui.storage.local.base import LocalState
from evidently.ui.workspace import Project, Workspace
from filelock import FileLock

from noria.config import UseCase
from noria.system.errors import NoriaError
from noria.system.files import atomic_path

__all__ = ["Snapshot", "drift_snapshot", "keep", "performance_snapshot", "write_html"]

# Evidently's metrics that are drawn over time, and which of their values
_QUALITY: dict[str, dict[str, dict[str, str]]] = {
    "binary": {"RocAuc": {}, "LogLoss": {}, "Precision": {}, "Recall": {}},
    "multiclass": {"Accuracy": {}, "F1Score": {}},
    "regression": {"MAE": {"value_type": "mean"}, "RMSE": {}},
}
_NUMBER_METHOD, _CATEGORY_METHOD = "wasserstein", "jensenshannon"


def drift_snapshot(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    numbers: Sequence[str],
    categories: Sequence[str],
    inputs: Sequence[str],
    at: datetime,
    drift_share: float,
) -> Snapshot:
    """Evidently's drift of every column; those that are not `inputs` stay out of the share of drifted columns.

    Methods and limits are the same for every sample: `evidently ui` draws one line through checks of one configuration
    only. So its pages use the usual limit of 0.1, and the verdict's limits may be higher.
    """
    definition = DataDefinition(numerical_columns=list(numbers), categorical_columns=list(categories))
    methods = dict.fromkeys(numbers, _NUMBER_METHOD) | dict.fromkeys(categories, _CATEGORY_METHOD)
    parts: list[Any] = [
        ValueDrift(column=name, method=method) for name, method in methods.items() if name not in inputs
    ]
    if inputs:
        parts.insert(
            0,
            DataDriftPreset(
                columns=list(inputs),
                num_method=_NUMBER_METHOD,
                cat_method=_CATEGORY_METHOD,
                drift_share=drift_share,
            ),
        )
    return _run(parts, current, reference, definition, list(methods), name="drift", at=at)


def performance_snapshot(
    reference: pd.DataFrame, current: pd.DataFrame, *, task: str, positive: str | None, at: datetime
) -> Snapshot:
    """Evidently's performance page of tables with the columns target, prediction and, for binary, probability."""
    columns = ["target", "prediction"]
    if task == "regression":
        definition = DataDefinition(
            numerical_columns=columns, regression=[Regression(target="target", prediction="prediction")]
        )
        preset: Any = RegressionPreset()
    elif task == "binary":
        columns.append("probability")
        kind = BinaryClassification(
            target="target", prediction_labels="prediction", prediction_probas="probability", pos_label=positive
        )
        definition = DataDefinition(
            categorical_columns=columns[:2], numerical_columns=columns[2:], classification=[kind]
        )
        preset = ClassificationPreset()
    else:
        several = MulticlassClassification(target="target", prediction_labels="prediction")
        definition = DataDefinition(categorical_columns=columns, classification=[several])
        preset = ClassificationPreset()
    return _run([preset], current, reference, definition, columns, name="performance", at=at)


def write_html(snapshot: Snapshot, target: Path) -> None:
    """Write the page (4 to 5 MB, self-contained) atomically."""
    with atomic_path(target) as part:
        snapshot.save_html(str(part))


def keep(snapshot: Snapshot, folder: Path, use_case: UseCase) -> None:
    """Add the snapshot to the use case's time series in an Evidently workspace, made if it is not there.

    Raises:
        NoriaError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{folder.name}.lock"):
            # opening the workspace would read the snapshots of all earlier checks
            state = LocalState(str(folder))
            found = [each for each in state.list_projects() if state.read_project(each).name == use_case.name]
            home = found[0] if found else _new_project(Workspace.create(str(folder)), use_case).id
            state.write_snapshot(home, new_id(), snapshot.to_snapshot_model())
    except OSError as error:
        fix = "free some space or unlock that folder"
        raise NoriaError(
            f"cannot write: {error.strerror or error}", code="monitoring.report_unwritable", where=str(folder), fix=fix
        ) from error


def _new_project(workspace: Workspace, use_case: UseCase) -> Project:
    project = workspace.create_project(use_case.name, description=use_case.problem.question)
    share = PanelMetric(metric="DriftedColumnsCount", metric_labels={"value_type": "share"}, legend="share")
    panels = [line_plot_panel("Share of input columns that moved", [share])]
    for metric, labels in _QUALITY[use_case.problem.task].items():
        drawn = PanelMetric(metric=metric, metric_labels=labels, legend=metric)
        panels.append(line_plot_panel(f"{metric} on labelled rows", [drawn], size="half"))
    # saved as a whole: `dashboard.add_panel` puts the second panel of a tab there twice
    tab = DashboardTabModel(title="Over time", panels=[panel.id for panel in panels])
    workspace.save_dashboard(project.id, DashboardModel(tabs=[tab], panels=panels))
    return project


def _run(
    parts: list[Any],
    current: pd.DataFrame,
    reference: pd.DataFrame,
    definition: DataDefinition,
    columns: Sequence[str],
    *,
    name: str,
    at: datetime,
) -> Snapshot:
    now, then = (
        Dataset.from_pandas(frame[list(columns)].reset_index(drop=True), data_definition=definition)
        for frame in (current, reference)
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a constant column has no correlation: nothing that anyone could correct
        return Report(parts).run(now, then, timestamp=at, tags=[name], name=name)
