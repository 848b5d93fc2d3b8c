"""True labels: stored at once, or spooled while the prediction store is unavailable."""

import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from noria.bundle.manifest import Manifest
from noria.predictions import Feedback
from noria.predictions.ids import new_id
from noria.predictions.json_values import json_value
from noria.predictions.privacy import Redactor
from noria.predictions.spool.events import LabelEvent
from noria.predictions.spool.heartbeat import read_heartbeat
from noria.predictions.spool.offsets import waiting_bytes
from noria.serving.api import LONGEST_ENTITY, RowError
from noria.serving.http_errors import HTTPError, not_json, wrong_shape
from noria.system.errors import NoriaError
from noria.tabular.values import shown
from service.prediction.loaded_models import LoadedModels
from service.prediction.predict import record
from service.runtime import Runtime

_LONGEST_ID = 64
_UNTIL_FLUSHED_S = 2.0
_POLL_S = 0.05
_FIELDS = {"id", "entity", "label"}
logger = logging.getLogger("noria.service")


def read_labels(body: bytes, manifest: Manifest, most: int) -> list[Feedback]:
    """The labels of `{"labels": [{"id" or "entity": …, "label": …}, …]}`.

    Raises:
        HTTPError: they are not valid; none is stored.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(error) from error
    shape = wrong_shape(found, "labels")
    if shape is not None:
        raise shape
    sent: list[Any] = found["labels"]
    if not sent:
        raise HTTPError(422, "labels: there are none", code="request.labels_missing", fix="send at least one label")
    if len(sent) > most:
        raise HTTPError(
            413,
            f"{len(sent)} labels in one request; at most {most}",
            code="request.too_large",
            fix="send them in several requests",
        )
    problems = [
        RowError(row=row, problem=problem) for row, one in enumerate(sent) if (problem := _problem(one, manifest))
    ]
    if problems:
        what = f"{len(problems)} of {len(sent)} labels are wrong; none was kept"
        raise HTTPError(
            422, what, code="request.labels_invalid", fix="correct them and send the request again", rows=problems
        )
    return [_feedback(one, manifest) for one in sent]


def store_feedback(runtime: Runtime, active: LoadedModels, feedbacks: Sequence[Feedback]) -> list[bool | None]:
    """Store all labels or none. For each: is its prediction known? None: the store is unavailable.

    A recent prediction may still be in the spool: the label waits for it, for two seconds at most.

    Raises:
        HTTPError: they can be neither stored nor spooled (503).
    """
    redactor = active.redactors[0]
    redacted = [_redact(feedback, redactor) for feedback in feedbacks] if redactor.active else list(feedbacks)
    try:
        flushed = _wait_for_flush(runtime, redacted)
        return [True if known else (False if flushed else None) for known in runtime.store.add_labels(redacted)]
    except NoriaError as error:
        logger.error("labels go to the spool: %s", error)
        for feedback in redacted:
            label = json_value(feedback.label)
            event = LabelEvent(new_id(), feedback.at.timestamp(), feedback.id, feedback.entity, label)
            position = record(runtime.spool, event)
            if position is not None:
                runtime.spool.wait_durable(position, _UNTIL_FLUSHED_S)
        return [None] * len(redacted)


def _wait_for_flush(runtime: Runtime, feedbacks: Sequence[Feedback]) -> bool:
    """Whether the store now has all predictions that were made before these labels arrived."""
    folder, arrived, until = runtime.settings.spool_dir, time.time(), time.monotonic() + _UNTIL_FLUSHED_S
    by_case = any(feedback.id is None for feedback in feedbacks)
    ids = [feedback.id for feedback in feedbacks if feedback.id is not None]
    while time.monotonic() < until and waiting_bytes(folder):
        ids = runtime.store.unknown_ids(ids)
        heartbeat = read_heartbeat(folder)
        # a round that was already running may have missed recent predictions, so the next one counts
        flushed = heartbeat is not None and (heartbeat.flushed_at or 0) - runtime.flush_interval_s > arrived
        if flushed or not (ids or by_case):
            return True
        time.sleep(_POLL_S)
    return not waiting_bytes(folder)


def _problem(sent: Any, manifest: Manifest) -> str:
    if not isinstance(sent, dict):
        return "must be an object"
    unknown = sorted(set(sent) - _FIELDS)
    if unknown:
        return f"{unknown[0][:100]}: not a known field"
    return _target_problem(sent) or _label_problem(sent, manifest)


def _target_problem(sent: dict[str, Any]) -> str:
    id, entity = sent.get("id"), sent.get("entity")
    if (id is None) == (entity is None):
        return "give either `id` or `entity`"
    if id is not None and not (isinstance(id, str) and 0 < len(id) <= _LONGEST_ID):
        return "id: must be the identifier that /predict gave"
    is_case = entity is None or (isinstance(entity, str | int) and not isinstance(entity, bool))
    if not is_case or (entity is not None and not 0 < len(str(entity)) <= LONGEST_ENTITY):
        return f"entity: must be the case's identifier: a whole number, or a text of 1 to {LONGEST_ENTITY} characters"
    return ""


def _label_problem(sent: dict[str, Any], manifest: Manifest) -> str:
    if "label" not in sent:
        return "label: missing"
    label = sent["label"]
    if not isinstance(label, str | int | float | bool):
        return "label: must be a number, a text, true or false"
    if manifest.task == "regression":
        is_number = isinstance(label, int | float) and not isinstance(label, bool)
        return "" if is_number else f"label: {shown(label)} is not a number"
    known = str(label) in manifest.classes
    return "" if known else f"label: {shown(str(label))} is none of {', '.join(manifest.classes)}"


def _feedback(sent: dict[str, Any], manifest: Manifest) -> Feedback:
    entity = None if sent.get("entity") is None else str(sent["entity"])
    label = sent["label"] if manifest.task == "regression" else str(sent["label"])
    return Feedback(id=sent.get("id"), entity=entity, label=label)


def _redact(feedback: Feedback, redactor: Redactor) -> Feedback:
    try:
        entity = None if feedback.entity is None else redactor.label_entity(feedback.entity)
    except NoriaError as error:
        raise HTTPError(422, error.what, code=error.code, fix=error.fix) from error
    return Feedback(id=feedback.id, entity=entity, label=feedback.label, at=feedback.at)
