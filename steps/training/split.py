"""Set the test rows aside."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.table import TableMaterializer
from noria.config import UseCase
from noria.data import split as domain
from noria.data.window import require_rows
from noria.system import progress
from steps.shared.caching import WITH_DOMAIN_CODE
from steps.shared.failures import alert_on_failure


@step(output_materializers=TableMaterializer, cache_policy=WITH_DOMAIN_CODE, on_failure=alert_on_failure)
def split(
    table: pd.DataFrame, use_case: UseCase
) -> tuple[Annotated[pd.DataFrame, "train_rows"], Annotated[pd.DataFrame, "test_rows"]]:
    """Training and test rows; the test rows are next touched in `evaluate`."""
    train, test = domain.split(table, use_case)
    progress.stage("split", f"{len(train):,} training rows, {len(test):,} test rows ({use_case.split.method})")
    count = require_rows(train, use_case.window, use_case.data.time)
    if use_case.window is not None and use_case.window.half_life_days is not None:
        progress.stage("window", f"{use_case.window}: the training rows count as {count:,.0f} of equal weight")
    return train, test
