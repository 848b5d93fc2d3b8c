"""Bringing true labels from a file to the predictions they belong to."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from noria.bundle import Manifest
from noria.config import UseCase
from noria.config.column_reading import ColumnReading
from noria.data.table_files import format_of, read_file
from noria.predictions import Feedback, LabelsUnknown, PredictionStore
from noria.predictions.ids import made_at
from noria.predictions.privacy import entity_namer, key_from_environment
from noria.predictions.records import is_from_future
from noria.system.errors import NoriaError
from noria.system.files import atomic_path
from noria.tabular.column_reader import ColumnReader
from noria.tabular.names import other_separator
from noria.tabular.spreadsheet_text import for_people
from noria.tabular.values import is_missing, read_each, text_of

_PREDICTION_ID, _ANSWER_ID, _KNOWN_AT = "prediction_id", "id", "labelled_at"
T = TypeVar("T")


class _Key(NamedTuple):
    """The column that says to what a label belongs."""

    name: str
    of_prediction: bool
    """Whether it names predictions, not cases."""


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
    key: str
    """The column that named predictions or cases."""


def join_labels(
    store: PredictionStore,
    file: str,
    use_case: UseCase,
    manifest: Manifest,
    *,
    quarantine: Path,
    at: datetime,
) -> LabelJoinResult:
    """Give the true labels in a file to their predictions.

    Args:
        store: where the predictions are.
        file: CSV or Parquet, a path or an fsspec URL, with the target column and either the ids of predictions, as
            `id` or `prediction_id`, or the identifier of the case (`data.id`). A column `labelled_at` tells when each
            label became known. CSV is read with the separator and the decimal mark of the use case's first source.
        use_case: names the target and the identifier.
        manifest: of the model, which knows how labels and identifiers are read.
        quarantine: CSV file for rows that cannot be used, with the reason; written only if there are any.
        at: the time now; labels became known then if the file does not say when.

    Raises:
        NoriaError: the file cannot be read, a column is missing, no prediction is known, or the store cannot be
            written.
    """
    like, target = use_case.data.sources[0], use_case.data.target
    frame = read_file(file, separator=like.separator)
    key = _key(frame, use_case, file)
    rules = manifest.readings
    name_of, reading = (manifest.case_of, rules.get(key.name)) if not key.of_prediction else (_prediction, None)
    names, unnamed = _read(frame[key.name], name_of, reading)
    labels, wrong = _read(frame[target], lambda value: manifest.label_of(value, like.decimal), rules.get(target))
    times, untimed = _times(frame, at, {key.name, target})
    unknown = [row for row, label in enumerate(labels) if label is None and row not in wrong]
    reasons = {row: f"{target}: {problem}" for row, problem in wrong.items()}
    reasons |= {row: f"{key.name} is missing" for row, name in enumerate(names) if not name}
    reasons |= {row: f"{key.name}: {problem}" for row, problem in unnamed.items()}
    reasons |= {row: f"{_KNOWN_AT}: {problem}" for row, problem in untimed.items()}
    for row in unknown:
        reasons.pop(row, None)
    _quarantine(frame, reasons, quarantine, [key.name, _PREDICTION_ID, _ANSWER_ID])
    good = [row for row, label in enumerate(labels) if label is not None and row not in reasons]
    feedbacks = _feedbacks([(names[row], labels[row], times[row]) for row in good], key, use_case)
    try:
        known = store.add_labels(feedbacks, refuse_unknown=True, now=at)
    except LabelsUnknown as error:
        shown = ", ".join(repr(names[row]) for row in good[:3])
        raise NoriaError(
            f"{error.what} (column `{key.name}`: {shown}{', …' if len(good) > 3 else ''}); no label was kept",
            code=error.code,
            where=file,
            fix=error.fix,
        ) from error
    return LabelJoinResult(sum(known), len(known) - sum(known), len(unknown), len(reasons), key.name)


def _key(frame: pd.DataFrame, use_case: UseCase, file: str) -> _Key:
    target, own = use_case.data.target, use_case.data.id
    if target not in frame.columns:
        raise NoriaError(
            f"no column `{target}`; {_found(frame, use_case, file)}",
            code="monitoring.label_column_missing",
            where=file,
            fix=_separator_hint(frame, use_case) or f"call the column with the true labels `{target}`",
        )
    if _PREDICTION_ID in frame.columns and own != _PREDICTION_ID:
        return _Key(_PREDICTION_ID, True)
    # a table may have numbered its own rows as `id`, and cases may be called so
    if _ANSWER_ID in frame.columns and (own not in frame.columns or _holds_predictions(frame[_ANSWER_ID])):
        return _Key(_ANSWER_ID, True)
    if own is not None and own in frame.columns:
        return _Key(own, False)
    wanted = [_ANSWER_ID, _PREDICTION_ID, *([own] if own else [])]
    raise NoriaError(
        f"nothing tells which prediction a label belongs to; {_found(frame, use_case, file)}",
        code="monitoring.label_key_missing",
        where=file,
        fix=_separator_hint(frame, use_case) or f"add a column: {', '.join(f'`{name}`' for name in wanted)}",
    )


def _holds_predictions(values: "pd.Series[Any]") -> bool:
    """Whether all values look like the identifiers that the service gives."""
    present = [value for value in values if not is_missing(value)]
    return bool(present) and all(made_at(_prediction(value)) is not None for value in present)


def _found(frame: pd.DataFrame, use_case: UseCase, file: str) -> str:
    columns = ", ".join(f"`{name}`" for name in frame.columns)
    separator = f", read with the separator {use_case.data.sources[0].separator!r}"
    return f"the columns are {columns}{separator if format_of(file) == 'csv' else ''}"


def _separator_hint(frame: pd.DataFrame, use_case: UseCase) -> str:
    seems = other_separator(frame.columns).partition(":")[0]
    return seems and f"{seems}: write it with {use_case.data.sources[0].separator!r}, as the use case says of its table"


def _read(
    values: "pd.Series[Any]", read: Callable[[Any], T], reading: ColumnReading | None
) -> tuple[list[T | None], dict[int, str]]:
    """Each value, None where it is missing or unreadable; and row → what is wrong with it."""
    reader = ColumnReader(reading or ColumnReading())
    return read_each(read, [None if reader.is_missing(value) else value for value in values])


def _times(frame: pd.DataFrame, now: datetime, others: Collection[str]) -> tuple[list[datetime], dict[int, str]]:
    """When each label became known, `now` where the file does not say; and row → what is wrong with it."""
    if _KNOWN_AT not in frame.columns or _KNOWN_AT in others:
        return [now] * len(frame), {}
    moments, faults = ColumnReader(ColumnReading(type="date")).read_moments(list(frame[_KNOWN_AT]))
    times = [now if np.isnat(moment) else moment.item().replace(tzinfo=UTC) for moment in moments]
    return times, faults | {row: "is in the future" for row, at in enumerate(times) if is_from_future(at, now)}


def _prediction(value: Any) -> str:
    return text_of(value).strip()


def _feedbacks(
    named: Sequence[tuple[str | None, str | float | None, datetime]], key: _Key, use_case: UseCase
) -> list[Feedback]:
    """The labels with their predictions or cases under the names that the store has for them."""
    if key.of_prediction:
        return [Feedback(label=label, at=at, id=name) for name, label, at in named if label is not None]
    name_of = entity_namer(use_case.serving.privacy, use_case.data.id, key_from_environment())
    return [Feedback(label=label, at=at, entity=name_of(str(name))) for name, label, at in named if label is not None]


def _quarantine(frame: pd.DataFrame, reasons: dict[int, str], file: Path, keys: Collection[str]) -> None:
    """The rows with their reasons; `keys` name predictions or cases when the corrected file comes back."""
    if not reasons:
        return
    rows = sorted(reasons)
    with atomic_path(file) as part:
        refused = frame.iloc[rows].assign(reason=[reasons[row] for row in rows])
        for_people(refused, keep=keys).to_csv(part, index=False)


def read_label_column(
    file: str, use_case: UseCase, manifest: Manifest, column: str
) -> "tuple[pd.Series[Any], pd.Series[Any], bool] | None":
    """One more column of a file of labels, as `join_labels` reads the file.

    Args:
        file: CSV or Parquet, as for `join_labels`.
        use_case: names the target and the identifier.
        manifest: of the model, which knows how identifiers are read.
        column: the column.

    Returns:
        (n,) the names of predictions or of cases, as the store has them; (n,) the values as they are in the file; and
        whether predictions are named. Rows without a readable name are left out. None: there is no such column.

    Raises:
        NoriaError: the file cannot be read, or nothing in it tells which prediction a row belongs to.
    """
    frame = read_file(file, separator=use_case.data.sources[0].separator)
    if column not in frame.columns:
        return None
    key = _key(frame, use_case, file)
    name_of, reading = (_prediction, None) if key.of_prediction else (manifest.case_of, manifest.readings.get(key.name))
    names = pd.Series(_read(frame[key.name], name_of, reading)[0], index=frame.index, dtype=object)
    if not key.of_prediction:
        stored_as = entity_namer(use_case.serving.privacy, use_case.data.id, key_from_environment())
        names = names.map(lambda name: stored_as(str(name)), na_action="ignore")
    known = names.notna() & (names != "")
    return names[known], frame.loc[known, column], key.of_prediction
