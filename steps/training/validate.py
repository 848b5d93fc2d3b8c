"""Check the table against what the use case expects of it."""

from typing import Annotated

import pandas as pd
from zenml import log_metadata, step

from materializers.table import TableMaterializer
from noria.config import UseCase
from noria.system import progress
from noria.system.workspace import Workspace
from steps.shared.caching import WITH_DOMAIN_CODE
from steps.shared.failures import alert_on_failure


@step(output_materializers=TableMaterializer, cache_policy=WITH_DOMAIN_CODE, on_failure=alert_on_failure)
def validate(
    raw: pd.DataFrame, use_case: UseCase
) -> tuple[Annotated[pd.DataFrame, "valid_rows"], Annotated[pd.DataFrame, "quarantined_rows"]]:
    """The rows that meet the expectations, with their history features, and the others with the reason.

    Rows older than `data.window` are left out last, so that the first rows within it have the history that they had.
    """
    from noria.data.validation import validate as check
    from noria.data.window import within_window
    from noria.history import add_history

    result = check(raw, use_case, quarantine=Workspace(use_case.name).quarantine / "training.csv")
    log_metadata({"rows": len(result.frame), "quarantined": len(result.quarantined)})
    progress.stage("validate", f"{len(result.frame):,} rows pass, {len(result.quarantined):,} quarantined")
    table = add_history(result.frame, use_case)
    if added := table.shape[1] - result.frame.shape[1]:
        progress.stage("history", f"{added} features of earlier cases")
    kept = within_window(table, use_case.window, use_case.data.time)
    if older := len(table) - len(kept):
        progress.stage("window", f"{older:,} rows older than `data.window` left out")
    return kept, result.quarantined
