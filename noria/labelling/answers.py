"""The answers of people, read from the table or from Label Studio's export."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from noria.bundle import Manifest
from noria.config import UseCase
from noria.config.column_reading import ColumnReading
from noria.data.table_files import read_file
from noria.labelling.wanted_file import GIVEN_AT, GIVEN_BY, PREDICTION_ID
from noria.system.errors import NoriaError
from noria.tabular.column_reader import ColumnReader
from noria.tabular.values import is_missing

UNNAMED = "unnamed"
"""Who gave a label that says no name."""
Label = str | float


@dataclass(frozen=True)
class Answer:
    """What one person says of one prediction."""

    prediction_id: str
    label: Label
    given_by: str
    at: datetime


@dataclass(frozen=True)
class Refusal:
    """An answer that cannot be used."""

    prediction_id: str
    label: str
    problem: str


@dataclass
class Answers:
    """What a file says."""

    given: list[Answer] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    empty: int = 0
    """Cases without an answer: skipped, or not reached yet."""


def read_answers(file: str, use_case: UseCase, manifest: Manifest, now: datetime, *, by: str = UNNAMED) -> Answers:
    """Read the answers of people.

    Args:
        file: the table that `run.py label` wrote, filled in (CSV or Parquet), or an export of Label Studio (JSON or
            JSON-MIN). An apostrophe that was set against formulas is taken off.
        use_case: gives the separator and the decimal mark.
        manifest: of the model, which knows its classes.
        by: who gave the answers that say no name.
        now: when answers without a time were given; answers from after it are refused.

    Raises:
        NoriaError: the file cannot be read, or it has no column of predictions or of the target.
    """
    like = use_case.data.sources[0]
    is_json = Path(file.partition("?")[0]).suffix.lower() == ".json"
    rows = _label_studio(file) if is_json else _table(file, manifest.target, like.separator)
    answers = Answers()
    blank = ColumnReader(manifest.readings.get(manifest.target, ColumnReading()))
    for prediction, value, who, when in rows:
        if value is None or is_missing(value) or blank.is_missing(value):
            answers.empty += 1
            continue
        try:
            label = manifest.label_of(_without_apostrophe(value, manifest.classes), "." if is_json else like.decimal)
            at = _moment(when, now)
        except ValueError as problem:
            answers.refused.append(Refusal(prediction, str(value), str(problem)))
            continue
        if at > now:
            answers.refused.append(Refusal(prediction, str(value), f"labelled in the future: {at.isoformat()}"))
        elif not prediction:
            answers.refused.append(Refusal("", str(value), f"{PREDICTION_ID} is missing"))
        else:
            answers.given.append(Answer(prediction, label, who or by, at))
    return answers


Row = tuple[str, Any, str, Any]
"""Prediction, label, who and when."""


def _table(file: str, target: str, separator: str) -> Iterator[Row]:
    frame = read_file(file, separator=separator)
    if PREDICTION_ID not in frame.columns and separator != ",":  # the table was written with commas
        frame = read_file(file, separator=",")
    for name in (PREDICTION_ID, target):
        if name not in frame.columns:
            raise NoriaError(
                f"no column `{name}`; the columns are {', '.join(f'`{each}`' for each in frame.columns)}",
                code="labelling.column_missing",
                where=file,
                fix=f"fill in the column `{target}` of the table that `python run.py label` has written",
            )
    who = frame[GIVEN_BY] if GIVEN_BY in frame.columns else [None] * len(frame)
    when = frame[GIVEN_AT] if GIVEN_AT in frame.columns else [None] * len(frame)
    for prediction, value, name, moment in zip(frame[PREDICTION_ID], frame[target], who, when, strict=True):
        yield _text(prediction), value, _text(name), moment


def _label_studio(file: str) -> Iterator[Row]:
    import fsspec

    try:
        with fsspec.open(file, "rt", encoding="utf-8") as opened:
            tasks = json.load(opened)
        if not isinstance(tasks, list):
            raise ValueError("it holds no list of tasks")
        yield from [row for task in tasks for row in _task(task)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoriaError(
            f"the export cannot be read: {error}",
            code="labelling.export_unreadable",
            where=file,
            fix="export the project from Label Studio as JSON or JSON-MIN",
        ) from error


def _task(task: dict[str, Any]) -> list[Row]:
    if "annotations" not in task:  # JSON-MIN
        who = task.get("annotator")
        return [(_text(task[PREDICTION_ID]), task.get("label"), _person(who), task.get("updated_at"))]
    prediction = _text(task["data"][PREDICTION_ID])
    rows: list[Row] = []
    for each in task["annotations"]:
        value = None if each.get("was_cancelled") else _result(each.get("result", []))
        rows.append(
            (prediction, value, _person(each.get("completed_by")), each.get("updated_at") or each.get("created_at"))
        )
    return rows or [(prediction, None, "", None)]


def _result(results: Sequence[dict[str, Any]]) -> Any:
    for each in results:
        if each.get("from_name") == "label":
            value = each["value"]
            return value["choices"][0] if "choices" in value else value["number"]
    return None


def _person(who: Any) -> str:
    """Their address or number."""
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return _text(who)


def _text(value: Any) -> str:
    return "" if value is None or is_missing(value) else str(value).strip()


def _without_apostrophe(value: Any, classes: Sequence[str]) -> Any:
    if isinstance(value, str) and value.startswith("'") and value not in classes:
        return value[1:]
    return value


def _moment(value: Any, now: datetime) -> datetime:
    """An aware time; without a zone it is UTC.

    Raises:
        ValueError: it is no time.
    """
    if value is None or is_missing(value):
        return now
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
