"""The cases that people are asked to label on the page: those of `run.py label`, and those that a person decides."""

import logging
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from noria.labelling.asked import ASKED, CASES, Selection, read_asked, read_cases
from noria.predictions import Feedback
from noria.predictions.records import REVIEW, GivenLabel
from noria.serving.api import RowError
from noria.serving.http_errors import HTTPError
from noria.system.errors import NoriaError
from service.prediction.loaded_models import LoadedModels
from service.runtime import Runtime

_MOST = 200
logger = logging.getLogger("noria.service")
_FACTS = ("name", "task", "target", "case", "classes")


def cases_to_label(runtime: Runtime, active: LoadedModels) -> dict[str, Any]:
    """The facts that the page needs, and at most 200 cases without a label: first those that were asked for.

    Raises:
        NoriaError: the prediction store cannot be read.
    """
    asked = read_cases(_folder(runtime) / CASES)
    open_ids = runtime.store.unlabelled({str(each["id"]) for each in asked})
    cases = [each for each in asked if each["id"] in open_ids]
    named = {each["id"] for each in cases}
    reason = "the model leaves it to a person"
    cases += [
        {"id": id, "reason": reason, "inputs": inputs}
        for id, inputs in runtime.store.for_review(active.shown.name, _MOST)
        if id not in named
    ]
    return {"facts": active.shown.model_dump(mode="json", include=set(_FACTS)), "cases": cases[:_MOST]}


def with_selection(runtime: Runtime, feedbacks: list[Feedback]) -> list[Feedback]:
    """Labels of people with how their cases were selected; what came by itself stays as it is.

    While the prediction store is unavailable, contradictions cannot be seen: the flusher looks for them later.

    Raises:
        HTTPError: somebody else has given another label (422); nothing is kept.
    """
    ids = {each.id for each in feedbacks if each.given_by is not None and each.id is not None}
    if not ids:
        return feedbacks
    said = {(each.prediction_id, each.given_by): each.label for each in _given(runtime, ids)}
    problems = [
        RowError(row=row, problem="label: somebody else has given another one")
        for row, each in enumerate(feedbacks)
        if any(id == each.id and who != each.given_by and label != each.label for (id, who), label in said.items())
    ]
    if problems:
        raise HTTPError(
            422,
            "people disagree on this case; nothing was kept",
            code="request.labels_contradict",
            fix="settle it with those who have labelled it, then: python run.py label --import FILE --resolve newest",
            rows=problems,
        )
    asked = read_asked(_folder(runtime) / ASKED)
    return [_selected(each, asked.get(each.id or "")) if each.id in ids else each for each in feedbacks]


def _given(runtime: Runtime, ids: Collection[str]) -> list[GivenLabel]:
    """What people have said of these predictions; nothing while the store is unavailable."""
    if runtime.store_rests:
        return []
    try:
        return runtime.store.given_labels(ids)
    except NoriaError as error:
        logger.error(
            "the store cannot be asked whether labels contradict each other, so they go to the spool: %s", error
        )
        runtime.rest_store()
        return []


def _selected(feedback: Feedback, selection: Selection | None) -> Feedback:
    found = selection or Selection(REVIEW, None)
    return replace(feedback, selected_by=found.selected_by, selection_probability=found.probability)


def _folder(runtime: Runtime) -> Path:
    """The folder `labels` of the workspace, beside that of the service; elsewhere it is empty."""
    service = runtime.settings.service_dir
    return Path("labels") if service is None else service.parent / "labels"
