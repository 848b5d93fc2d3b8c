"""Trainings of the loop: each is found again by the action that began it, so that none runs twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from app.commands.train import checked_inputs, run_training, training_record_of
from app.environment import zenml_client
from app.runs.training_record import TrainingRecord, last_training, record_training
from noria.config import UseCase
from noria.system import progress
from noria.system.workspace import Workspace

_LOCAL = {"local", "local_docker"}
"""Orchestrators whose runs end with the process that began them."""


@dataclass(frozen=True)
class TrainedVersion:
    """What a training has found."""

    version: str
    kind: str
    promote: str
    """What the gate let through: `challenger`, `rules` or `none`."""
    reason: str
    run: str
    """Name of the run in ZenML; empty: there was nothing new to learn."""
    report: str
    window: str = ""
    """Which rows it learned from, and why; empty: all, which weigh the same."""


class Trainer:
    """Trains a use case on a stack for the loop. What passes the gate is registered and not promoted yet.

    Args:
        use_case: what is trained.
        stack: where the pipeline runs.
        now: gives the time of a training; None: that of the machine.
    """

    def __init__(self, use_case: UseCase, stack: str | None, now: Callable[[], datetime | None]) -> None:
        self._now = now
        self._use_case = use_case
        self._stack = stack
        self._workspace = Workspace(use_case.name)

    def find(self, action: str) -> TrainedVersion | Literal["running"] | None:
        """The training that an action has begun; None: it has begun none, or that one ended before its end."""
        zenml_client()
        run = _run_of(self._use_case, action)
        if run is None:
            return None
        if run.status.value in ("completed", "cached"):
            inputs = checked_inputs(self._use_case, self._stack, self._now())
            record = training_record_of(run, self._use_case, inputs, hold=True)
            record_training(self._workspace, record)
            progress.stage("found", f"the training {run.name} has ended already")
            return _trained(record, run.name)
        is_gone = run.status.is_finished or run.stack is None or _orchestrator(run) in _LOCAL
        return None if is_gone else "running"

    def train(self, action: str) -> TrainedVersion:
        """Train, unless there is nothing new to learn.

        Raises:
            NoriaError: a step failed, or another training is under way.
        """
        inputs, record = checked_inputs(self._use_case, self._stack, self._now()), last_training(self._workspace)
        if record is not None and record.inputs == inputs:
            return _trained(record, "")
        run = run_training(self._use_case, self._stack, inputs, now=self._now(), hold=True, suffix=action)
        record = last_training(self._workspace) or training_record_of(run, self._use_case, inputs, hold=True)
        return _trained(record, run.name)

    def has_new_data(self) -> bool | None:
        """Whether data, configuration or code differ from those of the last training; None: there was none."""
        record = last_training(self._workspace)
        return None if record is None else checked_inputs(self._use_case, self._stack, self._now()) != record.inputs


def _run_of(use_case: UseCase, action: str) -> Any:
    from zenml.client import Client

    found = Client().list_pipeline_runs(name=f"endswith:-{action}", sort_by="desc:created", hydrate=True)
    mine = [run for run in found if run.name.startswith(f"training-{use_case.name}-")]
    ended = (run for run in mine if run.status.value in ("completed", "cached"))
    return next(ended, mine[0] if mine else None)


def _orchestrator(run: Any) -> str:
    return str(run.stack.components["orchestrator"][0].flavor_name)


def _trained(record: TrainingRecord, run: str) -> TrainedVersion:
    if not run and record.version == record.champion:
        reason = f"there is nothing new to learn: version {record.version} is the model of this data"
        return TrainedVersion(record.version, record.kind, "none", reason, "", record.report, record.window)
    return TrainedVersion(record.version, record.kind, record.promote, record.reason, run, record.report, record.window)
