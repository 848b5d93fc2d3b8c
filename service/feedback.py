"""True labels: stored at once, or spooled while the prediction store is unavailable."""

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from noria.bundle.manifest import Manifest
from noria.predictions import Feedback, LabelsUnknown
from noria.predictions.ids import new_id
from noria.predictions.json_values import json_value
from noria.predictions.privacy import Redactor
from noria.predictions.records import is_from_future
from noria.predictions.spool.events import LabelEvent
from noria.predictions.spool.heartbeat import read_heartbeat
from noria.predictions.spool.offsets import waiting_bytes
from noria.serving.api import LONGEST_ENTITY, LONGEST_NAME, NAME, RowError
from noria.serving.http_errors import HTTPError, not_json, wrong_shape
from noria.system.errors import NoriaError
from noria.system.times import utc_unless_given
from service.label_cases import with_selection
from service.prediction.loaded_models import LoadedModels
from service.prediction.predict import record
from service.runtime import Runtime

_LONGEST_ID = 64
_UNTIL_FLUSHED_S = 2.0
_POLL_S, _LONGEST_POLL_S = 0.005, 0.05
_FIELDS = {"id", "entity", "label", "at", "by"}
logger = logging.getLogger("noria.service")


def read_labels(body: bytes, manifest: Manifest, most: int) -> list[Feedback]:
    """The labels of `{"labels": [{"id" or "entity": …, "label": …, "at": …}, …]}`.

    Raises:
        HTTPError: they are not valid; none is stored.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(error, body) from error
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


def take_feedback(runtime: Runtime, active: LoadedModels, body: bytes, *, is_test: bool = False) -> list[bool | None]:
    """Read the labels of a request and store all or none; see `read_labels` and `store_feedback`."""
    labels = read_labels(body, active.champion.manifest, runtime.settings.serving.max_rows)
    return store_feedback(runtime, active, with_selection(runtime, labels), is_test=is_test)


def store_feedback(
    runtime: Runtime, active: LoadedModels, feedbacks: Sequence[Feedback], *, is_test: bool = False
) -> list[bool | None]:
    """Store all labels or none. For each: is its prediction known? None: the store is unavailable.

    Labels of a test request are looked up only, and not stored.
    A recent prediction may still be in the spool: the label waits for it, for two seconds at most.

    Raises:
        HTTPError: they can be neither stored nor spooled (503), or no prediction is known at all (422).
    """
    redactor = active.redactors[0]
    redacted = [_redact(feedback, redactor) for feedback in feedbacks] if redactor.active else list(feedbacks)
    try:
        known = None if runtime.store_rests else _in_store(runtime, redacted, is_test)
    except LabelsUnknown as error:
        rows = [
            RowError(row=row, problem=f"{'id' if each.entity is None else 'entity'}: not known")
            for row, each in enumerate(feedbacks)
        ]
        raise HTTPError(422, f"{error.what}; nothing was kept", code=error.code, fix=error.fix, rows=rows) from error
    except NoriaError as error:
        logger.error("the store takes no labels, so they go to the spool: %s", error)
        runtime.rest_store()
        known = None
    if known is None and not is_test:
        _spool(runtime, redacted)
    if not is_test:
        _remember(active, redacted)
    return [None] * len(redacted) if known is None else known


def _remember(active: LoadedModels, feedbacks: Sequence[Feedback]) -> None:
    """Let the labels count for the history features of later cases."""
    for history in active.histories:
        for feedback in feedbacks:
            history.label(feedback.label, id=feedback.id, entity=feedback.entity)


def _in_store(runtime: Runtime, redacted: Sequence[Feedback], is_test: bool) -> list[bool | None]:
    flushed = _wait_for_flush(runtime, redacted)
    take = runtime.store.check_labels if is_test else runtime.store.add_labels
    known = take(redacted, refuse_unknown=flushed)
    return [True if each else (False if flushed else None) for each in known]


def _spool(runtime: Runtime, redacted: Sequence[Feedback]) -> None:
    position = None
    for feedback in redacted:
        label = json_value(feedback.label)
        event = LabelEvent(
            *(new_id(), feedback.at.timestamp(), feedback.id, feedback.entity, label),
            *(feedback.given_by, feedback.selected_by, feedback.selection_probability),
        )
        position = record(runtime.spool, event) or position
    if position is not None:  # the last one is on the disk after the others
        runtime.spool.wait_durable(position, _UNTIL_FLUSHED_S)


def _wait_for_flush(runtime: Runtime, feedbacks: Sequence[Feedback]) -> bool:
    """Whether the store now has all predictions that were made before these labels arrived."""
    folder, arrived, until = runtime.settings.spool_dir, time.time(), time.monotonic() + _UNTIL_FLUSHED_S
    by_case = any(feedback.id is None for feedback in feedbacks)
    ids = [feedback.id for feedback in feedbacks if feedback.id is not None]
    pause = _POLL_S
    while time.monotonic() < until and waiting_bytes(folder):
        ids = runtime.store.unknown_ids(ids)
        heartbeat = read_heartbeat(folder)
        # a round that was already running may have missed recent predictions, so the next one counts
        flushed = heartbeat is not None and (heartbeat.flushed_at or 0) - runtime.flush_interval_s > arrived
        if flushed or not (ids or by_case):
            return True
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_POLL_S)
    return not waiting_bytes(folder)


def _problem(sent: Any, manifest: Manifest) -> str:
    if not isinstance(sent, dict):
        return "must be an object"
    unknown = sorted(set(sent) - _FIELDS)
    if unknown:
        return f"{unknown[0][:100]}: not a known field"
    return _target_problem(sent) or _label_problem(sent, manifest) or _time_problem(sent) or _name_problem(sent)


def _name_problem(sent: dict[str, Any]) -> str:
    who = sent.get("by")
    if "by" not in sent or (isinstance(who, str) and len(who) <= LONGEST_NAME and re.search(NAME, who)):
        return ""
    return f"by: must be a name of 1 to {LONGEST_NAME} characters"


def _target_problem(sent: dict[str, Any]) -> str:
    id, entity = sent.get("id"), sent.get("entity")
    if (id is None) == (entity is None):
        return "give either `id` or `entity`"
    if id is not None and not (isinstance(id, str) and 0 < len(id) <= _LONGEST_ID):
        return "id: must be the identifier that /predict gave"
    is_case = entity is None or (isinstance(entity, str | int) and not isinstance(entity, bool))
    if not is_case or (entity is not None and not 0 < len(str(entity).strip()) <= LONGEST_ENTITY):
        return f"entity: must be the case's identifier: a whole number, or a text of 1 to {LONGEST_ENTITY} characters"
    return ""


def _label_problem(sent: dict[str, Any], manifest: Manifest) -> str:
    if "label" not in sent:
        return "label: missing"
    if not isinstance(sent["label"], str | int | float | bool):
        return "label: must be a number, a text, true or false"
    try:
        manifest.label_of(sent["label"])
    except ValueError as error:
        return f"label: {error}"
    return ""


def _time_problem(sent: dict[str, Any]) -> str:
    if sent.get("at") is None:
        return ""
    try:
        at = _moment(sent["at"])
    except (ValueError, TypeError, OverflowError):
        return "at: must be a time, ISO 8601"
    return "at: is in the future" if is_from_future(at, datetime.now(UTC)) else ""


def _moment(text: str) -> datetime:
    return utc_unless_given(text).astimezone(UTC)


def _feedback(sent: dict[str, Any], manifest: Manifest) -> Feedback:
    entity = None if sent.get("entity") is None else manifest.case_of(sent["entity"])
    at = datetime.now(UTC) if sent.get("at") is None else _moment(sent["at"])
    label = manifest.label_of(sent["label"])
    return Feedback(id=sent.get("id"), entity=entity, label=label, at=at, given_by=sent.get("by"))


def _redact(feedback: Feedback, redactor: Redactor) -> Feedback:
    try:
        entity = None if feedback.entity is None else redactor.label_entity(feedback.entity)
    except NoriaError as error:
        raise HTTPError(422, error.what, code=error.code, fix=error.fix) from error
    return replace(feedback, entity=entity)
