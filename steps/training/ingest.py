"""Read and join the sources."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.table import TableMaterializer
from noria.config.data import DataConfig
from noria.data.sources import read
from noria.system import progress
from steps.shared.caching import WITH_DOMAIN_CODE
from steps.shared.failures import alert_on_failure


@step(output_materializers=TableMaterializer, cache_policy=WITH_DOMAIN_CODE, on_failure=alert_on_failure)
def ingest(data: DataConfig, fingerprint: str) -> Annotated[pd.DataFrame, "raw_table"]:
    """One table from all sources; `fingerprint` changes with the data and so decides about the cache."""
    table = read(data)
    progress.stage("ingest", f"{len(table):,} rows, {table.shape[1]} columns (data {fingerprint[:12]})")
    return table
