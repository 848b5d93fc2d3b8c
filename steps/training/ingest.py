"""Read and join the sources."""

from typing import Annotated

import pandas as pd
from zenml import log_metadata, step

from materializers.table import TableMaterializer
from noria.config.data import DataConfig
from noria.labelled_cases import CaseSettings, CasesSummary, read_training_table
from noria.system import progress
from steps.shared.caching import WITH_DOMAIN_CODE
from steps.shared.failures import alert_on_failure


@step(output_materializers={"raw_table": TableMaterializer}, cache_policy=WITH_DOMAIN_CODE, on_failure=alert_on_failure)
def ingest(
    data: DataConfig, fingerprint: str, cases: CaseSettings | None = None
) -> tuple[Annotated[pd.DataFrame, "raw_table"], Annotated[CasesSummary, "labelled_cases"]]:
    """One table from all sources; `fingerprint` changes with the data and so decides about the cache."""
    table = read_training_table(data, cases)
    summary = table.cases or CasesSummary()
    if table.cases is not None:
        log_metadata({"labelled_cases": {"found": summary.found, "taken": summary.taken, **summary.left_out}})
    of_which = f", {summary.taken:,} of them labelled cases" if table.cases is not None else ""
    rows, columns = table.frame.shape
    progress.stage("ingest", f"{rows:,} rows{of_which}, {columns} columns (data {fingerprint[:12]})")
    return table.frame, summary
