"""The space in which cases are compared: as a linear model would take them, for a model of any kind."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.models.preparation import build_preparation
from noria.schema import InputSchema

Matrix = NDArray[np.float64]
_REACH = 5.0
"""Values further from the mean than so many standard deviations count as that far: one odd value is no region."""


def model_space(
    schema: InputSchema, learned: pd.DataFrame, asked: pd.DataFrame, hidden: Collection[str] = ()
) -> tuple[Matrix, Matrix]:
    """m learned and n asked rows as (m, q) and (n, q): numbers, and a column per category, all standardised.

    Columns in `hidden`, of which the store holds hashes or pieces only, are left out.
    """
    shown = InputSchema(
        columns=[column for column in schema.columns if column.name not in hidden], calendar=schema.calendar
    )
    if not shown.columns:
        return np.empty((len(learned), 0)), np.empty((len(asked), 0))
    preparation = build_preparation("linear", shown, 0.0)
    before = preparation.fit_transform(shown.encode(learned))
    return standardised(before, before), standardised(before, preparation.transform(shown.encode(asked)))


def standardised(reference: Matrix, rows: Matrix) -> Matrix:
    """(n, q) rows with the mean 0 and the standard deviation 1 of the (m, q) reference; at most 5 from the mean.

    So a rare category lies far from the others, and its first labels tell more.
    """
    spread = reference.std(axis=0)
    scaled = (rows - reference.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.asarray(np.clip(scaled, -_REACH, _REACH), dtype=np.float64)
