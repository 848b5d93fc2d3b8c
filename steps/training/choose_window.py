"""Choose which training rows are learned from, where `data.window` is `auto`."""

from typing import Annotated

import pandas as pd
from zenml import log_metadata, step

from materializers.table import TableMaterializer
from noria.config import UseCase
from noria.system import progress
from noria.training.windows import WindowChoice
from steps.shared.caching import WITH_DOMAIN_CODE
from steps.shared.failures import alert_on_failure


@step(
    output_materializers={"window_rows": TableMaterializer}, cache_policy=WITH_DOMAIN_CODE, on_failure=alert_on_failure
)
def choose_window(
    train: pd.DataFrame, use_case: UseCase
) -> tuple[
    Annotated[pd.DataFrame, "window_rows"], Annotated[UseCase, "windowed_use_case"], Annotated[WindowChoice, "window"]
]:
    """The training rows within the chosen window, the use case with it, and the evidence; test rows are not seen."""
    from noria.data.window import within_window
    from noria.training.windows import choose_training_window

    choice = choose_training_window(train, use_case)
    kept = within_window(train, choice.window, use_case.data.time)
    log_metadata({"window": choice.reason, "rows": len(kept)})
    sample = f", on a sample of {choice.share:.0%} of the rows" if choice.share < 1 else ""
    cost = f" ({choice.fits} models of {choice.kind}, {choice.cost:.0%} of what training fits{sample})"
    progress.stage("window", f"{choice.reason}{cost if choice.fits else ''}")
    if older := len(train) - len(kept):
        progress.stage("window", f"{older:,} training rows older than that left out")
    return kept, use_case.with_window(choice.window), choice
