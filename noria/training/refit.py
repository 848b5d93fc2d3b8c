"""The recipe that was judged, fitted again on all rows: what goes into service has seen the newest ones, too."""

from pathlib import Path

import numpy as np
import pandas as pd

from noria.bundle import Bundle, write_bundle
from noria.config import UseCase
from noria.data.window import inside_window
from noria.models.fitted_model import fit
from noria.schema import InputSchema
from noria.system import progress
from noria.training.leaderboard import out_of_fold_scores


def refit_bundle(
    judged: Bundle,
    train: pd.DataFrame,
    test: pd.DataFrame,
    use_case: UseCase,
    *,
    out_of_fold: pd.DataFrame,
    folder: Path,
) -> Bundle:
    """Fit the recipe of a judged bundle on training and test rows together, and write the bundle that is served.

    The recipe is the kind, the parameters (the number of trees is one of them), the input columns and the window, which
    ends with the newest of all rows. What was judged stays as it was judged: the decision policy, which was chosen on
    out-of-fold scores of the training rows, and the metrics, which were measured on the test rows; the manifest says
    that they are those of the judged fit. What describes the learned rows comes from all of them: ranges and categories
    of the schema, and the reference sample. Its scores are out of sample for every row: those of cross-validation for a
    training row, those of the judged fit, which had not seen it, for a test row.

    Args:
        judged: the bundle that was fitted on the training rows and judged on the test rows.
        train: n training rows.
        test: m test rows.
        use_case: the use case.
        out_of_fold: the out-of-fold scores of the training rows, as `tune_candidates` gives them.
        folder: where the bundle goes.

    Raises:
        NoriaError: as `fit` and `write_bundle`.
    """
    manifest = judged.manifest
    use_case = use_case.with_window(manifest.window)
    rows = recipe_rows(pd.concat([train, test], ignore_index=True), manifest.schema_, use_case)
    scores = np.concatenate([out_of_fold_scores(manifest.kind, out_of_fold), judged.answer(test).scores])
    inside = inside_window(rows, use_case.window, use_case.data.time)
    rows, scores = rows[inside].reset_index(drop=True), scores[inside]
    fitted = fit(manifest.kind, dict(manifest.parameters), rows, use_case, warn=False)
    _tell_of_other_inputs(manifest.schema_, fitted.schema)
    scored = np.flatnonzero(~np.isnan(scores.reshape(len(scores), -1)).any(axis=1))
    return write_bundle(
        folder,
        fitted,
        use_case=use_case,
        train=rows.iloc[scored].reset_index(drop=True),
        out_of_fold=scores[scored],
        policy=manifest.policy,
        fingerprint=manifest.data_fingerprint,
        version=manifest.version,
        judged=manifest,
    )


def recipe_rows(rows: pd.DataFrame, inputs: InputSchema, use_case: UseCase) -> pd.DataFrame:
    """n rows with the inputs of a recipe and the columns that have a role; other columns would be inputs that no one
    has judged."""
    data = use_case.data
    kept = {*inputs.names, data.target, data.id, data.time, use_case.split.group}
    return rows[[name for name in rows.columns if name in kept]]


def _tell_of_other_inputs(judged: InputSchema, served: InputSchema) -> None:
    before = {column.name: column.kind for column in judged.columns}
    now = {column.name: column.kind for column in served.columns}
    for name in [name for name in before if before[name] != now.get(name)]:
        found = f"a {now[name]}" if name in now else "no input"
        progress.warn(
            f"column `{name}` was judged as a {before[name]}; with the test rows it is {found}. Declare its type in "
            "data.expectations.columns, or say `models.refit: training`"
        )
