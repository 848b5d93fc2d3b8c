"""Drift of the table as a whole: can a classifier tell the rows of now from those of training?

A classifier two-sample test (D. Lopez-Paz and M. Oquab, Revisiting classifier two-sample tests, ICLR 2017), with the
area under the ROC curve of scores that are cross-fitted, so that no row is judged by a model that has seen it.
"""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.monitoring.results import TableDrift

_ROWS = 3_000
_FOLDS = 2
_SCORES = 3.0


def table_drift(reference: pd.DataFrame, current: pd.DataFrame, seed: int = 0) -> TableDrift | None:
    """Compare two tables with the same columns; at most 3,000 rows of each are drawn.

    Args:
        reference: (m, p) rows of training: numbers, or text for categories.
        current: (n, p) rows of now.
        seed: for the draw and the folds.

    Returns:
        None if there are no columns, or fewer than 50 rows on a side.
    """
    if not len(reference.columns) or min(len(reference), len(current)) < 50:
        return None
    before, after = (frame.sample(min(_ROWS, len(frame)), random_state=seed) for frame in (reference, current))
    matrix = _encoded(pd.concat([before, after], ignore_index=True))
    is_now = np.repeat([0, 1], [len(before), len(after)])
    scores = _cross_fitted(matrix, is_now, seed)
    first, second = len(before), len(after)
    ranks = pd.Series(scores).rank().to_numpy()
    area = (ranks[is_now == 1].sum() - second * (second + 1) / 2) / (first * second)
    error = math.sqrt((first + second + 1) / (12 * first * second))
    return TableDrift(auc=float(area), chance=min(0.5 + _SCORES * error, 1.0), rows=second)


def _encoded(frame: pd.DataFrame) -> NDArray[np.float64]:
    columns = []
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values):
            columns.append(values.to_numpy(dtype=np.float64))
            continue
        frequent = {text: place for place, text in enumerate(values.astype(str).value_counts().index)}
        columns.append(values.astype(str).map(frequent).to_numpy(dtype=np.float64))
    return np.column_stack(columns)


def _cross_fitted(matrix: NDArray[np.float64], is_now: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    from sklearn.ensemble import RandomForestClassifier

    fold = np.random.default_rng(seed).integers(0, _FOLDS, len(matrix))
    scores = np.empty(len(matrix))
    for held in range(_FOLDS):
        model = RandomForestClassifier(40, max_depth=8, min_samples_leaf=10, random_state=seed)
        model.fit(matrix[fold != held], is_now[fold != held])
        found = model.predict_proba(matrix[fold == held])[:, 1]
        scores[fold == held] = pd.Series(found).rank(pct=True)  # the two models are calibrated differently
    return scores
