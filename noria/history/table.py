"""History features of a whole table, for training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.config.history import HistorySpec
from noria.history.cases import Cases, read_cases
from noria.history.windows import finish, sums_before
from noria.schema import Column
from noria.system.errors import NoriaError
from noria.tabular.names import require_columns

if TYPE_CHECKING:  # the service uses this room, and needs no pandas
    import pandas as pd

    from noria.config import UseCase


def add_history(frame: pd.DataFrame, use_case: UseCase) -> pd.DataFrame:
    """The table with its history features as further columns; without `features.history` the table itself.

    Each row sees only what was known when its question was asked: rows after it, and labels that came later, change
    nothing. So the features may be computed before the test rows are set aside.

    Args:
        frame: n validated rows, in any order.
        use_case: its `features.history` and the roles of columns.

    Raises:
        NoriaError: a column that is needed is absent, `data.time` holds no dates, or a column has the name of a
            feature.
    """
    spec = use_case.history_spec()
    if spec is None:
        return frame
    import pandas as pd

    _require(frame, spec)
    cases = table_cases(frame, use_case, spec)
    made = {
        feature.name: finish(feature, sums_before(spec, feature, cases, cases), cases.times)
        for feature in spec.features
    }
    return pd.concat([frame, pd.DataFrame(made, index=frame.index)], axis=1)


def table_cases(frame: pd.DataFrame, use_case: UseCase, spec: HistorySpec) -> Cases:
    """The rows of a table with labels as cases."""
    from noria.schema.column_types import kind_of, reading_of

    columns = {}
    for name in spec.inputs:
        reading = reading_of(name, frame[name], use_case)
        kind = "datetime" if name == spec.time else kind_of(name, reading, use_case)
        columns[name] = Column(name=name, kind=kind, reading=reading)
    cases = read_cases(spec, columns, {name: frame[name] for name in spec.inputs})
    return cases.with_target(spec.target, label_numbers(frame[spec.target], spec)) if spec.uses_target else cases


def label_numbers(labels: pd.Series[Any], spec: HistorySpec) -> NDArray[np.float64]:
    """(n,) labels as numbers: 1 for the positive class and 0 for the other, or the target itself; NaN if missing."""
    missing = labels.isna().to_numpy()
    if spec.positive is not None:
        found = (labels.astype(str) == spec.positive).to_numpy(dtype=np.float64)
        return np.where(missing, np.nan, found)
    return labels.to_numpy(dtype=np.float64, na_value=np.nan)


def _require(frame: pd.DataFrame, spec: HistorySpec) -> None:
    where = "features.history"
    require_columns(frame, [("data.time", spec.time), *((where, name) for name in [*spec.keys, *spec.numbers])])
    for name in spec.names:
        if name in frame.columns:
            raise NoriaError(
                f"the table has a column `{name}`, which `features.history` would compute",
                code="history.name_taken",
                where=where,
                fix="give the feature another name, or leave the column out of the source",
            )
    if frame[spec.time].dtype.kind != "M":
        raise NoriaError(
            f"column `{spec.time}` holds no dates, and history features count by time",
            code="history.time_not_date",
            where="data.time",
            fix=f"declare `{spec.time}: {{type: datetime}}` in data.expectations.columns, or name a column of dates",
        )
