"""Predict a whole file in chunks."""

from pathlib import Path
from typing import Annotated

from zenml import log_metadata, step

from noria import batch
from noria.batch import BatchSummary
from noria.bundle import Bundle
from noria.config import UseCase
from steps.shared.failures import alert_on_failure


@step(enable_cache=False, on_failure=alert_on_failure)
def predict_file(
    champion: Bundle, use_case: UseCase, source: str, target: str, quarantine: str
) -> Annotated[BatchSummary, "batch_summary"]:
    """One row out for each row in; bad rows also go to the quarantine file, with the reason."""
    like = use_case.data.sources[0]
    summary = batch.predict_file(
        champion,
        source,
        target,
        chunk_rows=use_case.serving.batch_rows,
        quarantine=Path(quarantine),
        separator=like.separator,
        decimal=like.decimal,
        engine=use_case.engine,
    )
    log_metadata({"rows": summary.rows, "quarantined": summary.quarantined})
    return summary
