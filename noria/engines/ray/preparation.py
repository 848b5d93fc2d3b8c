"""Reading the training rows in batches: columns are learned and blocks of rows are encoded side by side."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from noria.config import UseCase
from noria.engines.ray.cluster import connect, spread
from noria.schema.column import Column
from noria.schema.row_check import CheckedRows

if TYPE_CHECKING:
    import pandas as pd

    from noria.schema import InputSchema

ROWS_AT_ONCE = 100_000


def learned(columns: "Mapping[str, pd.Series[Any]]", kept: set[str], use_case: UseCase) -> list[Column | str]:
    """What `noria.schema.learning.learn_column` finds in each column.

    Raises:
        NoriaError: as there, or the cluster cannot be used.
    """
    from noria.schema.learning import learn_column

    ray = connect(use_case.engine)
    case = ray.put(use_case)
    return spread(ray, learn_column, [(name, series, case, name in kept) for name, series in columns.items()])


def checked(schema: "InputSchema", table: "pd.DataFrame", use_case: UseCase) -> CheckedRows:
    """What `schema.check` gives for the whole table, to the bit.

    Raises:
        NoriaError: as there, or the cluster cannot be used.
    """
    ray = connect(use_case.engine)
    known = ray.put(schema)
    starts = range(0, max(len(table), 1), ROWS_AT_ONCE)
    blocks = spread(ray, _check, [(known, table.iloc[start : start + ROWS_AT_ONCE]) for start in starts])
    return CheckedRows(
        {name: np.concatenate([block.values[name] for block in blocks]) for name in blocks[0].values},
        np.concatenate([block.matrix for block in blocks]),
        [each for block in blocks for each in block.errors],
        [each for block in blocks for each in block.warnings],
        blocks[0].ignored,
        table.index,
    )


def _check(schema: "InputSchema", block: "pd.DataFrame") -> CheckedRows:
    return schema.check(block)
