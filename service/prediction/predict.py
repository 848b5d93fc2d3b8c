"""Prediction of a request: assign variants, predict, record. Nothing here waits for anything but the disk."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from noria.predictions import SMOKE
from noria.predictions.ids import new_id, new_ids
from noria.predictions.spool.events import AuditEvent, Event, PredictionEvent
from noria.predictions.spool.spool_errors import SpoolFailed, SpoolFull
from noria.predictions.spool.writer import SpoolWriter
from noria.serving.http_errors import HTTPError
from noria.serving.predictor import PredictedRows, Predictor
from noria.serving.row_reader import RequestRows
from service.http.metrics import VARIANT_ERRORS, count_predictions, traffic_label
from service.prediction.loaded_models import LoadedModels

_RETRY_S = 5
logger = logging.getLogger("noria.service")


class Prediction(msgspec.Struct):
    """The prediction of one row, as `noria.serving.api.PredictionResponse`."""

    id: str
    prediction: str | float
    probability: float | None
    decision: str
    warnings: list[str]
    version: str
    variant: str


class Predictions(msgspec.Struct):
    """The predictions of a request."""

    predictions: list[Prediction]
    ignored: list[str]


class PredictedRequest:
    """The n predicted rows of a request: the response, and what the shadows need."""

    __slots__ = ("at", "ids", "is_test", "position", "predictions", "request_id", "rows")

    def __init__(self, rows: RequestRows, is_test: bool) -> None:
        n = len(rows.values)
        self.rows, self.is_test = rows, is_test
        self.request_id, *self.ids = new_ids(n + 1)
        self.at = time.time()
        self.predictions: list[Any] = [None] * n
        self.position: int | None = None


class _Part:
    """The rows of a request that one variant answers."""

    __slots__ = ("ids", "latency_ms", "predicted", "predictor", "rows", "variant")

    def __init__(self, predictor: Predictor, rows: RequestRows, predicted: PredictedRows) -> None:
        self.predictor, self.rows, self.predicted = predictor, rows, predicted
        self.variant = predictor.name
        self.ids: list[str] = []
        self.latency_ms = 0.0


def predict(
    active: LoadedModels,
    rows: RequestRows,
    spool: SpoolWriter,
    began: float,
    *,
    tested: int | None = None,
    is_test: bool = False,
) -> PredictedRequest:
    """Predict all rows or none; when this returns, every prediction is recorded.

    Args:
        active: the models that answer.
        rows: as the champion's reader has read them.
        spool: where predictions are recorded.
        began: when the request arrived, by `time.perf_counter`, in seconds.
        tested: the variant under test; None: the request is not a smoke test.
        is_test: somebody tries the service out; variants are assigned as for any request.

    Raises:
        HTTPError: predictions cannot be recorded now (503); none was made.
    """
    done = PredictedRequest(rows, is_test)
    before_s = time.perf_counter() - began
    for place, assigned in _assign_rows(active, done, tested).items():
        started = time.perf_counter()  # a variant's latency excludes the others' work
        part_rows = rows if len(assigned) == len(done.ids) else rows.take(assigned)
        if tested is None:
            part = _predict_with_fallback(active, place, part_rows, spool, is_test)
        else:  # a smoke test must fail where its variant does
            part = _predict_part(active, place, part_rows)
        part.ids = [done.ids[i] for i in assigned]
        if tested is not None:
            part.variant = SMOKE
        part.latency_ms = (before_s + time.perf_counter() - started) * 1000
        done.position = record(spool, _event(active, part, done))
        _fill_predictions(done, assigned, part)
        decisions = part.predicted.decisions
        count_predictions(part.predictor.version, part.variant, decisions, is_test or tested is not None)
    if active.histories and tested is None and not is_test:
        _remember(active, done)
    return done


def record(spool: SpoolWriter, event: Event) -> int | None:
    """Append an event to the spool; None: it was dropped, and counted.

    Raises:
        HTTPError: it cannot be recorded, and the settings say to refuse (503).
    """
    try:
        return spool.offer(event)
    except (SpoolFull, SpoolFailed) as error:
        raise HTTPError(
            503,
            "the service cannot record predictions at the moment, so it makes none",
            code="spool.answers_not_kept",
            fix="try later",
            retry_s=_RETRY_S,
        ) from error


def score_shadows(active: LoadedModels, done: PredictedRequest, spool: SpoolWriter) -> None:
    """Let the shadows predict the same rows, after the response."""
    for place in active.assigner.shadows:
        predictor, began = active.predictors[place], time.perf_counter()
        try:
            rows = adapt_rows(place, active, done.rows)
            part = _Part(predictor, rows, predictor.predict(rows))
            part.ids = new_ids(len(done.ids))
            part.latency_ms = (time.perf_counter() - began) * 1000
            spool.offer(_event(active, part, done, shadow_of=done.ids))
        except Exception as error:
            _record_failure(spool, predictor, error, len(done.ids), done.is_test)


def _remember(active: LoadedModels, done: PredictedRequest) -> None:
    """Let the cases count for the history features of later ones."""
    names, redactor = active.champion.reader.names, active.redactors[0]
    entities = [redactor.entity(entity) for entity in done.rows.entities]
    for history in active.histories:
        history.add_rows(names, done.rows.values, done.ids, entities)


def _assign_rows(active: LoadedModels, done: PredictedRequest, tested: int | None) -> dict[int, list[int]]:
    n = len(done.ids)
    if tested is not None or len(active.predictors) == 1:
        return {tested or 0: list(range(n))}
    assigned: dict[int, list[int]] = {}
    for row, (entity, id) in enumerate(zip(done.rows.entities, done.ids, strict=True)):
        assigned.setdefault(active.assigner.pick(entity or id), []).append(row)
    return assigned


def _predict_with_fallback(
    active: LoadedModels, place: int, rows: RequestRows, spool: SpoolWriter, is_test: bool
) -> "_Part":
    """The variant's predictions; if it fails, the champion's, and the failure is recorded."""
    if place == 0:
        return _predict_part(active, place, rows)
    try:
        return _predict_part(active, place, rows)
    except Exception as error:
        _record_failure(spool, active.predictors[place], error, len(rows.values), is_test)
        return _predict_part(active, 0, rows)


def _predict_part(active: LoadedModels, place: int, rows: RequestRows) -> "_Part":
    predictor = active.predictors[place]
    adapted = adapt_rows(place, active, rows)
    return _Part(predictor, adapted, predictor.predict(adapted))


def adapt_rows(place: int, active: LoadedModels, rows: RequestRows) -> RequestRows:
    """The rows in this variant's schema, which may differ from the champion's."""
    if active.has_champion_schema[place]:
        return rows
    reader = active.predictors[place].reader
    if rows.body is not None:
        read = reader.read(rows.body)
        return read if rows.places is None else read.take(rows.places)
    objects = [dict(zip(active.champion.reader.names, row, strict=True)) for row in rows.values]
    return replace(reader.read_objects(objects), entities=rows.entities, times=rows.times)


def _event(
    active: LoadedModels, part: "_Part", done: PredictedRequest, shadow_of: list[str] | None = None
) -> PredictionEvent:
    rows, predicted, predictor = part.rows, part.predicted, part.predictor
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
        predictions=predicted.predictions,
        probabilities=predicted.probabilities,
        decisions=predicted.decisions,
        warnings=warnings,
        shadow_of=shadow_of,
        is_test=done.is_test,
        event_times=rows.times if redactor.keeps_time else None,
    )


def _fill_predictions(done: PredictedRequest, assigned: list[int], part: "_Part") -> None:
    answers, version, variant = part.predicted, part.predictor.version, part.variant
    columns = zip(
        assigned,
        part.ids,
        answers.predictions,
        answers.probabilities,
        answers.decisions,
        part.rows.warnings,
        strict=True,
    )
    for place, id, prediction, probability, decision, warning in columns:
        listed = warning.split("; ") if warning else []
        done.predictions[place] = Prediction(id, prediction, probability, decision, listed, version, variant)


def _record_failure(spool: SpoolWriter, predictor: Predictor, error: Exception, rows: int, is_test: bool) -> None:
    VARIANT_ERRORS.labels(predictor.version, predictor.name, traffic_label(is_test)).inc()
    what = type(error).__name__
    if is_test:  # a canary is judged by the events of production
        logger.warning("%s failed to answer %d rows of a test request: %s", predictor.name, rows, what)
        return
    spool.offer(AuditEvent(new_id(), time.time(), "error", predictor.name, predictor.version, what, rows))
