"""Answering rows: predict, keep, encode. Nothing here waits for anything but the disk, and that only if asked to."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from noria.predictions import SMOKE
from noria.predictions.ids import new_id, new_ids
from noria.predictions.spool.events import AuditEvent, Entry, PredictionEvent
from noria.predictions.spool.spool_errors import SpoolFailed, SpoolFull
from noria.predictions.spool.writer import SpoolWriter
from noria.serving.http_errors import HTTPError
from noria.serving.predictor import PredictedRows, Predictor
from noria.serving.row_reader import RequestRows
from service.http.metrics import FAILED, count_predictions
from service.prediction.loaded_models import LoadedModels

_RETRY_S = 5


class Prediction(msgspec.Struct):
    """The answer to one row, as `noria.serving.api.PredictionResponse`."""

    id: str
    prediction: str | float
    probability: float | None
    decision: str
    warnings: list[str]
    version: str
    variant: str


class Predictions(msgspec.Struct):
    """The answer to a request."""

    predictions: list[Prediction]
    ignored: list[str]


class PredictedRequest:
    """n answered rows on their way: what is sent, and what the shadows still have to do."""

    __slots__ = ("at", "ids", "position", "predictions", "request_id", "rows")

    def __init__(self, rows: RequestRows) -> None:
        n = len(rows.values)
        self.rows = rows
        self.request_id, *self.ids = new_ids(n + 1)
        self.at = time.time()
        self.predictions: list[Any] = [None] * n
        self.position: int | None = None


class _Part:
    """What one variant answers of a request."""

    __slots__ = ("ids", "latency_ms", "predictor", "rows", "said", "variant")

    def __init__(self, predictor: Predictor, rows: RequestRows, said: PredictedRows) -> None:
        self.predictor, self.rows, self.said = predictor, rows, said
        self.variant = predictor.name
        self.ids: list[str] = []
        self.latency_ms = 0.0


def predict(
    active: LoadedModels, rows: RequestRows, spool: SpoolWriter, began: float, *, tested: int | None = None
) -> PredictedRequest:
    """Answer all rows or none; when this returns, every answer is kept.

    Args:
        active: the models that answer.
        rows: as the champion's reader has read them.
        spool: where answers are kept.
        began: when the request arrived, by `time.perf_counter`, in seconds.
        tested: the variant that a deployment's own test asks; None: it is no test.

    Raises:
        Wrong: answers cannot be kept now (503); none was given.
    """
    done = PredictedRequest(rows)
    before_s = time.perf_counter() - began
    for place, picked in _shared_out(active, done, tested).items():
        turn = time.perf_counter()  # no variant is charged with what the others take
        mine = rows if len(picked) == len(done.ids) else rows.take(picked)
        # a test must fail where its variant does
        part = _answered(active, place, mine, spool) if tested is None else _said(active, place, mine)
        part.ids = [done.ids[i] for i in picked]
        if tested is not None:
            part.variant = SMOKE
        part.latency_ms = (before_s + time.perf_counter() - turn) * 1000
        done.position = keep(spool, _entry(active, part, done))
        _place(done, picked, part)
        count_predictions(part.predictor.version, part.variant, part.said.decisions)
    return done


def keep(spool: SpoolWriter, entry: Entry) -> int | None:
    """Keep an entry as the settings say; None: it was dropped, and counted.

    Raises:
        Wrong: it cannot be kept, and the settings are to refuse then (503).
    """
    try:
        return spool.offer(entry)
    except (SpoolFull, SpoolFailed) as error:
        raise HTTPError(
            503,
            "the service cannot keep its answers at the moment, so it gives none",
            fix="try later",
            retry_s=_RETRY_S,
        ) from error


def score_shadows(active: LoadedModels, done: PredictedRequest, spool: SpoolWriter) -> None:
    """Let the shadows predict what was answered; nobody waits for them."""
    for place in active.assigner.shadows:
        predictor, began = active.predictors[place], time.perf_counter()
        try:
            rows = adapt_rows(place, active, done.rows)
            part = _Part(predictor, rows, predictor.answer(rows))
            part.ids = new_ids(len(done.ids))
            part.latency_ms = (time.perf_counter() - began) * 1000
            spool.offer(_entry(active, part, done, shadow_of=done.ids))
        except Exception as error:
            _tell_failed(spool, predictor, error, len(done.ids))


def _shared_out(active: LoadedModels, done: PredictedRequest, tested: int | None) -> dict[int, list[int]]:
    n = len(done.ids)
    if tested is not None or len(active.predictors) == 1:
        return {tested or 0: list(range(n))}
    picked: dict[int, list[int]] = {}
    for row, (entity, id) in enumerate(zip(done.rows.entities, done.ids, strict=True)):
        picked.setdefault(active.assigner.pick(entity or id), []).append(row)
    return picked


def _answered(active: LoadedModels, place: int, rows: RequestRows, spool: SpoolWriter) -> "_Part":
    """What the variant answers; if it fails, the champion answers in its place and the failure is kept."""
    if place == 0:
        return _said(active, place, rows)
    try:
        return _said(active, place, rows)
    except Exception as error:
        _tell_failed(spool, active.predictors[place], error, len(rows.values))
        return _said(active, 0, rows)


def _said(active: LoadedModels, place: int, rows: RequestRows) -> "_Part":
    predictor = active.predictors[place]
    fitting = adapt_rows(place, active, rows)
    return _Part(predictor, fitting, predictor.answer(fitting))


def adapt_rows(place: int, active: LoadedModels, rows: RequestRows) -> RequestRows:
    """The rows as this variant reads them, which need not be as the champion does."""
    if active.reads_alike[place]:
        return rows
    reader = active.predictors[place].reader
    if rows.body is not None:
        read = reader.read(rows.body)
        return read if rows.places is None else read.take(rows.places)
    objects = [dict(zip(active.champion.reader.names, row, strict=True)) for row in rows.values]
    return replace(reader.read_objects(objects), entities=rows.entities)


def _entry(
    active: LoadedModels, part: "_Part", done: PredictedRequest, shadow_of: list[str] | None = None
) -> PredictionEvent:
    rows, said, predictor = part.rows, part.said, part.predictor
    features: Sequence[Any] = rows.values
    entities, warnings = rows.entities, rows.warnings
    redactor = active.redactors[active.predictors.index(predictor)]
    if redactor.active:
        features = [redactor.row(list(row)) for row in features]
        entities = [redactor.entity(entity) for entity in entities]
        warnings = [redactor.warning(warning) for warning in warnings]
    return PredictionEvent(
        at=done.at,
        request_id=done.request_id,
        model=predictor.manifest.name,
        version=predictor.version,
        variant=part.variant,
        policy=predictor.policy_version,
        latency_ms=part.latency_ms,
        names=predictor.reader.names,
        features=features,  # type: ignore[arg-type]  # tuples are packed as lists
        ids=part.ids,
        entities=entities,
        predictions=said.predictions,
        probabilities=said.probabilities,
        decisions=said.decisions,
        warnings=warnings,
        shadow_of=shadow_of,
    )


def _place(done: PredictedRequest, picked: list[int], part: "_Part") -> None:
    said, version, variant = part.said, part.predictor.version, part.variant
    columns = zip(
        picked, part.ids, said.predictions, said.probabilities, said.decisions, part.rows.warnings, strict=True
    )
    for place, id, prediction, probability, decision, warning in columns:
        listed = warning.split("; ") if warning else []
        done.predictions[place] = Prediction(id, prediction, probability, decision, listed, version, variant)


def _tell_failed(spool: SpoolWriter, predictor: Predictor, error: Exception, rows: int) -> None:
    FAILED.labels(predictor.version, predictor.name).inc()
    what = type(error).__name__
    spool.offer(AuditEvent(new_id(), time.time(), "error", predictor.name, predictor.version, what, rows))
