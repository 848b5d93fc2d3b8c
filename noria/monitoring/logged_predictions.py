"""Logged predictions in the form in which they are compared and judged."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle, Manifest
from noria.bundle.reference_sample import answer_column
from noria.monitoring.drift import ComparedColumns
from noria.monitoring.window_totals import TotalsBasis
from noria.predictions import inputs_of
from noria.tabular.names import set_apart
from noria.tabular.values import LARGEST, text_of
from noria.tabular.with_columns import with_columns


def comparison_tables(
    bundle: Bundle, recent: pd.DataFrame, hidden: Collection[str] = (), season: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, ComparedColumns]:
    """The reference and the recent predictions as tables with the same columns: the inputs and the answer.

    Dates are left out: later rows have later dates, which is no drift. So are `hidden` columns, of which the store
    holds hashes or pieces only. `season` are the reference rows to compare with, if not all.
    """
    manifest, reference = bundle.manifest, bundle.reference() if season is None else season
    shown = [column for column in manifest.schema_.columns if column.name not in hidden]
    numbers = [column.name for column in shown if column.kind == "number"]
    categories = [column.name for column in shown if column.kind == "category"]
    inputs = inputs_of(recent).reindex(columns=manifest.schema_.names)
    before, after = reference[[*numbers, *categories]], manifest.schema_.check(inputs).frame[[*numbers, *categories]]
    name, source = _answer(manifest), answer_source(manifest)
    answer = answer_column(source, manifest)
    if answer not in reference.columns:  # of an earlier version, which left out an answer with the name of an input
        return before, after, ComparedColumns(numbers, categories)
    name = set_apart(name, manifest.schema_.names, " of the model")
    before, after = with_columns(before, {name: reference[answer]}), with_columns(after, {name: recent[source]})
    (categories if manifest.task == "multiclass" else numbers).append(name)
    return before, after, ComparedColumns(numbers, categories, prediction=name)


def totals_basis(bundle: Bundle, hidden: Collection[str], slices: Sequence[str]) -> TotalsBasis:
    """What all rows of a window are counted by: the shown inputs and the answer, beside all reference rows."""
    manifest, reference = bundle.manifest, bundle.reference()
    answer = answer_column(answer_source(manifest), manifest)
    answers = reference[answer] if answer in reference.columns else reference.iloc[:0, 0]
    return TotalsBasis(
        columns=[column for column in manifest.schema_.columns if column.name not in hidden],
        calendar=manifest.schema_.calendar,
        reference=reference,
        answers=answers,
        answer_is_number=manifest.task != "multiclass",
        slices=slices,
    )


def answer_source(manifest: Manifest) -> Literal["probability", "prediction"]:
    """The column of the store that holds the model's answer."""
    return "probability" if manifest.task == "binary" else "prediction"


def label_tables(bundle: Bundle, labelled: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, ComparedColumns]:
    """The true labels of the reference and of the predictions, as tables of one column."""
    target = bundle.manifest.target
    before, after = bundle.reference()[[target]], labelled[["label"]].rename(columns={"label": target})
    columns = ComparedColumns([target], []) if bundle.manifest.task == "regression" else ComparedColumns([], [target])
    return before, after, columns


def known_labels(manifest: Manifest, labelled: pd.DataFrame) -> pd.DataFrame:
    """The labelled predictions whose label the task allows: one of the model's classes as text, or a number.

    A number that is too large for training is no label either: its squared error could not be computed.
    """
    if manifest.task == "regression":
        numbers = pd.to_numeric(labelled["label"], errors="coerce").astype("float64")
        return labelled.assign(label=numbers)[numbers.abs() <= LARGEST]
    texts = labelled["label"].map(text_of, na_action="ignore").astype(object)
    return labelled.assign(label=texts)[texts.isin(manifest.classes)]


def scores_of(bundle: Bundle, rows: pd.DataFrame) -> NDArray[np.float64]:
    """(n,) or (n, k) scores of n logged predictions: as logged, but for multiclass, where the log holds only the best
    class's probability, computed again."""
    if bundle.manifest.task == "multiclass":
        return bundle.answer(inputs_of(rows).reindex(columns=bundle.manifest.schema_.names)).scores
    return rows[answer_source(bundle.manifest)].to_numpy(dtype=np.float64)


def logged_answers(manifest: Manifest, labelled: pd.DataFrame) -> pd.DataFrame:
    """The columns target, prediction and probability of logged predictions with labels."""
    return _answers(manifest, labelled["label"], labelled["prediction"], labelled["probability"])


def reference_answers(bundle: Bundle) -> pd.DataFrame:
    """The columns target, prediction and probability of the reference rows."""
    manifest, rows = bundle.manifest, bundle.reference()
    prediction, probability = (rows[answer_column(name, manifest)] for name in ("prediction", "probability"))
    return _answers(manifest, rows[manifest.target], prediction, probability)


def _answers(
    manifest: Manifest, truth: "pd.Series[Any]", prediction: "pd.Series[Any]", probability: "pd.Series[Any]"
) -> pd.DataFrame:
    table = pd.DataFrame({"target": truth, "prediction": prediction, "probability": probability})
    kind = "float64" if manifest.task == "regression" else object
    return table.astype({"target": kind, "prediction": kind, "probability": "float64"})


def _answer(manifest: Manifest) -> str:
    """What the model's answer is called for people."""
    if manifest.task == "binary":
        return f"probability of {manifest.target} = {manifest.positive}"
    return f"predicted {manifest.target}"
