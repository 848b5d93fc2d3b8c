"""The training rows that travel with a model: a reference sample for monitoring and a few examples."""

import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle.answers import build_predictions, rule_predictions
from noria.bundle.manifest import Manifest
from noria.models.fitted_model import FittedModel
from noria.schema import InputSchema

ROWS = 5_000
_EXAMPLES = 5


def reference_rows(
    train: pd.DataFrame, out_of_fold: NDArray[np.float64], manifest: Manifest, fitted: FittedModel, *, seed: int
) -> pd.DataFrame:
    """At most 5,000 of the training rows that have an out-of-fold score, drawn at random, in their old order.

    The predictions are out of fold because a model looks better on rows it was fitted on than it will ever look again.

    Returns:
        The inputs as the schema reads them, the target, `prediction`, `probability` and `decision`.
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
    # a column of the data that bears the name of an answer keeps its meaning
    return table.assign(**{name: values for name, values in answers.items() if name not in table})


def example_rows(train: pd.DataFrame, schema: InputSchema) -> list[dict[str, Any]]:
    """The inputs of the first five rows as JSON carries them; missing is null, dates are ISO 8601."""
    rows = train[schema.names].head(_EXAMPLES)
    found: list[dict[str, Any]] = json.loads(rows.to_json(orient="records", date_format="iso", double_precision=15))
    return found
