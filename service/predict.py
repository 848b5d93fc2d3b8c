"""Answering rows: check, predict, record, and only then answer."""

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from noria.api import (
    LONGEST_ENTITY,
    Answer,
    FeedbackRequest,
    FeedbackResponse,
    PredictResponse,
    Problem,
    Row,
    TrueLabel,
)
from noria.bundle import Manifest
from noria.predictions import Feedback, PredictionRecord, PredictionStore
from noria.predictions.records import new_id
from noria.schema.values import shown
from service.refused import Refused
from service.runtime import Active


def predict(active: Active, rows: Sequence[Row], store: PredictionStore, began: float) -> PredictResponse:
    """Answer all rows or none; when this returns, every answer is recorded.

    Args:
        active: the bundle that answers.
        rows: what was sent.
        store: where the answers are recorded.
        began: when the request arrived, by `time.perf_counter`, in seconds.

    Raises:
        Refused: a row lacks an input or holds a wrong value; nothing is recorded.
        NoriaError: the store does not work; nothing is answered.
    """
    manifest = active.bundle.manifest
    names = manifest.schema_.names
    _refuse_incomplete(rows, names)
    entities = [_entity(row, manifest) for row in rows]
    _refuse_long(entities, str(manifest.id))
    table = active.bundle.predict(pd.DataFrame({name: [row[name] for row in rows] for name in names}))
    _refuse([Problem(row=row, problem=error) for row, error in enumerate(table["error"]) if error], len(rows))
    columns = zip(
        rows, entities, table["prediction"], table["probability"], table["decision"], table["warning"], strict=True
    )
    request, now, elapsed = new_id(), datetime.now(UTC), (time.perf_counter() - began) * 1000
    records = [
        PredictionRecord(
            at=now,
            request_id=request,
            model=manifest.name,
            version=manifest.version,
            variant=active.variant,
            entity=entity,
            features={name: row[name] for name in names},
            prediction=prediction,
            probability=None if math.isnan(probability) else probability,
            decision=decision,
            warning=warning,
            latency_ms=elapsed,
        )
        for row, entity, prediction, probability, decision, warning in columns
    ]
    store.append(records)
    return PredictResponse(predictions=[_answer(record) for record in records], ignored=_ignored(rows, manifest))


def feedback(active: Active, request: FeedbackRequest, store: PredictionStore) -> FeedbackResponse:
    """Keep all labels or none; when this returns they are kept.

    Raises:
        Refused: a label names nothing, or is not a value of the target.
        NoriaError: the store does not work.
    """
    manifest, kept, problems = active.bundle.manifest, [], []
    for position, sent in enumerate(request.labels):
        problem = _wrong_label(sent, manifest)
        if problem:
            problems.append(Problem(row=position, problem=problem))
        else:
            entity = None if sent.entity is None else str(sent.entity)
            label = sent.label if manifest.task == "regression" else str(sent.label)
            kept.append(Feedback(id=sent.id, entity=entity, label=label))
    if problems:
        raise Refused(422, f"{len(problems)} of {len(request.labels)} labels are wrong; none was kept", rows=problems)
    return FeedbackResponse(known=store.label(kept))


def _refuse_incomplete(rows: Sequence[Row], names: Sequence[str]) -> None:
    wanted = set(names)
    problems = []
    for position, row in enumerate(rows):
        if not wanted <= row.keys():
            absent = ", ".join(name for name in names if name not in row)
            problems.append(Problem(row=position, problem=f"{absent}: missing"))
    _refuse(problems, len(rows), fix="send every input of the model; null says that a value is not known")


def _refuse_long(entities: Sequence[str | None], name: str) -> None:
    long = [row for row, entity in enumerate(entities) if entity is not None and len(entity) > LONGEST_ENTITY]
    said = f"{name}: longer than {LONGEST_ENTITY} characters"
    _refuse([Problem(row=row, problem=said) for row in long], len(entities))


def _refuse(problems: list[Problem], rows: int, fix: str = "correct these rows and send the request again") -> None:
    if problems:
        noun = "row" if rows == 1 else "rows"
        wrong = f"{len(problems)} of {rows} {noun} cannot be predicted, so none was"
        raise Refused(422, wrong, fix=fix, rows=problems)


def _entity(row: Row, manifest: Manifest) -> str | None:
    value = row.get(manifest.id) if manifest.id is not None else None
    return None if value is None else str(value)


def _answer(record: PredictionRecord) -> Answer:
    return Answer(
        id=record.id,
        prediction=record.prediction,
        probability=record.probability,
        decision=record.decision,
        warnings=record.warning.split("; ") if record.warning else [],
        version=record.version,
        variant=record.variant,
    )


def _ignored(rows: Sequence[Row], manifest: Manifest) -> list[str]:
    known = {*manifest.schema_.names, manifest.id}
    return sorted({name for row in rows for name in row} - known)


def _wrong_label(sent: TrueLabel, manifest: Manifest) -> str:
    if (sent.id is None) == (sent.entity is None):
        return "give either `id` or `entity`"
    if manifest.task == "regression":
        number = isinstance(sent.label, int | float) and not isinstance(sent.label, bool)
        return "" if number else f"label: {shown(sent.label)} is not a number"
    known = str(sent.label) in manifest.classes
    return "" if known else f"label: {shown(str(sent.label))} is none of {', '.join(manifest.classes)}"
