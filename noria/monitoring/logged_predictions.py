"""Logged predictions in the form in which they are compared and judged."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle, Manifest
from noria.monitoring.drift import ComparedColumns
from noria.predictions import inputs_of
from noria.tabular.values import text_of


def comparison_tables(
    bundle: Bundle, recent: pd.DataFrame, hidden: Collection[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame, ComparedColumns]:
    """The reference and the recent predictions as tables with the same columns: the inputs and the answer.

    Dates are left out: later rows have later dates, which is no drift. So are `hidden` columns, of which the store
    holds hashes or pieces only.
    """
    manifest, reference = bundle.manifest, bundle.reference()
    shown = [column for column in manifest.schema_.columns if column.name not in hidden]
    numbers = [column.name for column in shown if column.kind == "number"]
    categories = [column.name for column in shown if column.kind == "category"]
    inputs = inputs_of(recent).reindex(columns=manifest.schema_.names)
    before, after = reference[[*numbers, *categories]], manifest.schema_.check(inputs).frame[[*numbers, *categories]]
    name, source = _answer(manifest)
    if source in manifest.schema_.names:  # the reference holds the input of that name
        return before, after, ComparedColumns(numbers, categories)
    before, after = before.assign(**{name: reference[source]}), after.assign(**{name: recent[source]})
    (categories if manifest.task == "multiclass" else numbers).append(name)
    return before, after, ComparedColumns(numbers, categories, prediction=name)


def label_tables(bundle: Bundle, labelled: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, ComparedColumns]:
    """The true labels of the reference and of the predictions, as tables of one column."""
    target = bundle.manifest.target
    before, after = bundle.reference()[[target]], labelled[["label"]].rename(columns={"label": target})
    columns = ComparedColumns([target], []) if bundle.manifest.task == "regression" else ComparedColumns([], [target])
    return before, after, columns


def known_labels(manifest: Manifest, labelled: pd.DataFrame) -> pd.DataFrame:
    """The labelled predictions whose label the task allows: a number, or one of the model's classes as text."""
    if manifest.task == "regression":
        numbers = pd.to_numeric(labelled["label"], errors="coerce").astype("float64")
        return labelled.assign(label=numbers)[np.isfinite(numbers)]
    texts = labelled["label"].map(text_of, na_action="ignore").astype(object)
    return labelled.assign(label=texts)[texts.isin(manifest.classes)]


def scores_of(bundle: Bundle, rows: pd.DataFrame) -> NDArray[np.float64]:
    """(n,) or (n, k) scores of n logged predictions: as logged, but for multiclass, where the log holds only the best
    class's probability, computed again."""
    if bundle.manifest.task == "multiclass":
        return bundle.answer(inputs_of(rows).reindex(columns=bundle.manifest.schema_.names)).scores
    return rows[_answer(bundle.manifest)[1]].to_numpy(dtype=np.float64)


def answers_and_truth(manifest: Manifest, rows: pd.DataFrame, truth: str) -> pd.DataFrame:
    """The columns target, prediction and probability of logged predictions or of reference rows."""
    table = pd.DataFrame({"target": rows[truth], "prediction": rows["prediction"], "probability": rows["probability"]})
    kind = "float64" if manifest.task == "regression" else object
    return table.astype({"target": kind, "prediction": kind, "probability": "float64"})


def _answer(manifest: Manifest) -> tuple[str, str]:
    """What the model's answer is called for people, and its column."""
    if manifest.task == "binary":
        return f"probability of {manifest.target} = {manifest.positive}", "probability"
    return f"predicted {manifest.target}", "prediction"
