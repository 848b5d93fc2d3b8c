"""Bringing true labels from a file to the predictions they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from noria.config import UseCase
from noria.data.table_files import read_file
from noria.predictions import Feedback, PredictionStore
from noria.predictions.privacy import entity_namer, key_from_environment
from noria.system.errors import NoriaError
from noria.system.files import atomic_path
from noria.tabular.names import did_you_mean
from noria.tabular.values import text_of

PREDICTION_ID = "prediction_id"


@dataclass(frozen=True)
class LabelJoinResult:
    """What became of the n rows of a label file."""

    joined: int
    """Labels whose prediction is known."""
    waiting: int
    """Labels of cases not predicted yet; they are kept, and joined when the prediction comes."""
    unknown: int
    """Rows whose label is empty: not known yet."""
    refused: int
    """Rows that cannot be used; they stand in the quarantine file with the reason."""


def join_labels(
    store: PredictionStore,
    file: str,
    use_case: UseCase,
    *,
    quarantine: Path,
    at: datetime,
    classes: Sequence[str] | None = None,
) -> LabelJoinResult:
    """Give the true labels in a file to their predictions.

    Args:
        store: where the predictions are.
        file: CSV or Parquet, a path or an fsspec URL, with the target column and either `prediction_id` or the
            identifier of the case (`data.id`).
        use_case: names the target and the identifier.
        quarantine: CSV file for rows that cannot be used, with the reason; written only if there are any.
        at: when the labels became known.
        classes: the classes that the model knows; None allows any.

    Raises:
        NoriaError: the file cannot be read, a column is missing, or the store cannot be written.
    """
    frame = read_file(file)
    key, target = _key(frame, use_case, file), use_case.data.target
    unknown = frame[target].isna()
    reasons = _reasons(frame, key, use_case, classes).where(~unknown, "")
    _quarantine(frame, reasons, quarantine)
    good = frame[(reasons == "") & ~unknown]
    named = zip(_names(good[key], use_case), _plain_labels(good[target], use_case), strict=True)
    field = "id" if key == PREDICTION_ID else "entity"
    feedbacks = [Feedback(label=label, at=at, **{field: name}) for name, label in named]
    known = store.add_labels(feedbacks)
    return LabelJoinResult(sum(known), len(known) - sum(known), int(unknown.sum()), int((reasons != "").sum()))


def _key(frame: pd.DataFrame, use_case: UseCase, file: str) -> str:
    target, own = use_case.data.target, use_case.data.id
    if target not in frame.columns:
        raise NoriaError(
            f"no column `{target}`",
            code="monitoring.label_column_missing",
            where=file,
            fix=did_you_mean(target, list(frame.columns)),
        )
    for key in filter(None, (PREDICTION_ID, own)):
        if key in frame.columns:
            return key
    wanted = f"`{PREDICTION_ID}` or `{own}`" if own else f"`{PREDICTION_ID}`"
    raise NoriaError(
        "nothing tells which prediction a label belongs to",
        code="monitoring.label_key_missing",
        where=file,
        fix=f"add the column {wanted} to that file",
    )


def _reasons(frame: pd.DataFrame, key: str, use_case: UseCase, classes: Sequence[str] | None) -> "pd.Series[str]":
    """Per row why it cannot be used; empty where it can."""
    reasons = pd.Series("", index=frame.index, dtype=object)
    target = frame[use_case.data.target]
    if use_case.problem.task == "regression":
        numbers = pd.to_numeric(target, errors="coerce")
        reasons[~np.isfinite(numbers.astype("float64"))] = f"{use_case.data.target} is not a number"
    elif classes is not None:
        stray = ~_texts(target).isin(list(classes))
        reasons[stray] = f"{use_case.data.target} is none of {', '.join(classes)}"
    reasons[frame[key].isna()] = f"{key} is missing"
    return reasons


def _texts(values: "pd.Series[Any]") -> "pd.Series[Any]":
    return values.map(text_of, na_action="ignore").astype(object)


def _names(cases: "pd.Series[Any]", use_case: UseCase) -> list[str]:
    """Predictions or cases under the names that the store has for them."""
    privacy, own = use_case.serving.privacy, use_case.data.id
    name_of = str if cases.name == PREDICTION_ID else entity_namer(privacy, own, key_from_environment())
    return [name_of(str(case)) for case in _texts(cases)]


def _plain_labels(values: "pd.Series[Any]", use_case: UseCase) -> list[str | float]:
    if use_case.problem.task == "regression":
        return [float(value) for value in pd.to_numeric(values)]
    return [str(value) for value in _texts(values)]


def _quarantine(frame: pd.DataFrame, reasons: "pd.Series[str]", file: Path) -> None:
    bad = reasons != ""
    if not bad.any():
        return
    with atomic_path(file) as part:
        frame[bad].assign(reason=reasons[bad]).to_csv(part, index=False)
