"""The training rows that travel with a model: a reference sample for monitoring."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle.answers import build_predictions, rule_predictions
from noria.bundle.manifest import Manifest
from noria.models.fitted_model import FittedModel
from noria.tabular.names import set_apart
from noria.tabular.with_columns import with_columns

ROWS = 5_000


def reference_rows(
    train: pd.DataFrame, out_of_fold: NDArray[np.float64], manifest: Manifest, fitted: FittedModel, *, seed: int
) -> pd.DataFrame:
    """At most 5,000 of the rows that have an out-of-fold score, drawn at random, in their old order.

    The predictions are out of fold because a model looks better on rows it was fitted on than it will ever look again.

    Returns:
        The inputs as the schema reads them, the target, and the answers in the columns that `answer_column` names.
    """
    known = np.flatnonzero(~np.isnan(out_of_fold).reshape(len(train), -1).any(axis=1))
    if len(known) > ROWS:
        known = np.sort(np.random.default_rng(seed).choice(known, ROWS, replace=False))
    rows = train.iloc[known]
    checked = manifest.schema_.check(rows)
    table = checked.frame.reset_index(drop=True)
    target = rows[manifest.target].reset_index(drop=True)
    table[manifest.target] = target.astype(np.float64) if manifest.task == "regression" else target.map(str)
    said = rule_predictions(fitted, checked)
    answers = build_predictions(out_of_fold[known], manifest.task, manifest.classes, manifest.policy, said)
    return with_columns(table, {answer_column(name, manifest): values for name, values in answers.items()})


def answer_column(name: str, manifest: Manifest) -> str:
    """The column of the reference rows that holds an answer: `prediction`, `probability` or `decision`.

    A column of the data that bears the name of an answer keeps it.
    """
    return set_apart(name, [*manifest.schema_.names, manifest.target], " of the model")
