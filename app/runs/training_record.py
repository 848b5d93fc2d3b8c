"""What the last finished training of a use case learned from, so that the same is not learned twice."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from app.stacks.active_stack import service_stack, store_in_use
from noria.config import UseCase
from noria.config.section import Section
from noria.labelled_cases.results import CasesSummary
from noria.system.files import write_text
from noria.system.workspace import Workspace

_FILE = "last_training.json"


class TrainingInputs(Section):
    """All that decides what a training finds; each a digest or a name."""

    data: str
    """Content of the sources."""
    config: str
    """The use case without `serving`, `monitoring` and `loop`."""
    code: str
    """The code of the project, and the versions of the libraries that models are made with."""
    stack: str
    """Name of the stack."""
    store: str
    """ZenML's store, which holds the model versions."""


class TrainingRecord(Section):
    """The last finished training."""

    inputs: TrainingInputs
    version: str
    """Version of the model that it made."""
    kind: str
    """Kind of that model."""
    promote: Literal["challenger", "rules", "none"]
    """What the gate promoted."""
    reason: str
    """Why."""
    champion: str
    """Version of the champion since then, as far as this workspace knows; empty: none."""
    promoted_at: datetime | None
    """When a training or a person last changed the champion (UTC); None: not since the last training."""
    at: datetime
    """When the training ended (UTC)."""
    report: str
    """File of the report."""
    cases: CasesSummary | None = None
    """The labelled cases of the prediction store that it learned from; None: the use case reads none."""
    window: str = ""
    """Which rows it learned from, and why; empty: all, which weigh the same."""


def training_inputs(use_case: UseCase, stack: str | None, now: datetime | None = None) -> TrainingInputs:
    """What a training would learn from now, or at the time `now`; ZenML is not needed.

    Raises:
        NoriaError: a source cannot be read, or there is no such stack.
    """
    from noria.bundle.code_digest import code_digest
    from noria.labelled_cases import training_fingerprint

    return TrainingInputs(
        data=training_fingerprint(use_case, now=now),
        config=hashlib.sha256(use_case.for_training().model_dump_json().encode()).hexdigest(),
        code=code_digest("steps", "pipelines", "materializers"),
        stack=service_stack(stack),
        store=store_in_use(),
    )


def last_training(workspace: Workspace) -> TrainingRecord | None:
    """The record of the last finished training, if there is a readable one."""
    try:
        return TrainingRecord.model_validate_json(_file(workspace).read_bytes())
    except (OSError, ValidationError):  # a lost record only costs a training
        return None


def record_training(workspace: Workspace, record: TrainingRecord) -> None:
    """Keep the record of a training that has finished.

    Raises:
        NoriaError: the workspace cannot be written to.
    """
    write_text(_file(workspace), record.model_dump_json(indent=2))


def record_champion(workspace: Workspace, version: str) -> None:
    """Note in the record, if there is one, that another version has become the champion."""
    record = last_training(workspace)
    if record is not None:
        record_training(workspace, record.model_copy(update={"champion": version, "promoted_at": datetime.now(UTC)}))


def _file(workspace: Workspace) -> Path:
    return workspace.folder / _FILE
