"""The traffic plan that a running server follows, and the reports of its workers.

The service folder holds `active.json`, the plan, replaced atomically by each deployment, and `workers/PID.json`,
replaced by each worker. Files are used rather than requests: behind one socket, a client cannot choose the worker
that answers, and a worker that fails to start cannot answer at all.
"""

import contextlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from filelock import FileLock, Timeout
from pydantic import ConfigDict, Field, ValidationError, model_validator

from noria.config.problem import Problem
from noria.config.section import PathName, Section
from noria.config.serving import CanaryConfig
from noria.models.decision_policy import DecisionPolicy
from noria.system.errors import NoriaError
from noria.system.files import write_text

CHAMPION = "champion"
"""Name of the variant that answers alone, unless the use case names others."""
PLAN_FILE = "order.json"
"""The plan in an image with several bundles, which it names by their folders. The name is older than `TrafficPlan`."""
_ACTIVE = "active.json"
_WORKERS = "workers"
_TOLERANCE = 1e-6
_LOCK_TIMEOUT_S = 30.0


class PlannedVariant(Section):
    """One of the variants that a plan names."""

    name: str = Field(min_length=1, max_length=64)
    """What predictions call it."""
    bundle: Path
    version: Literal[""] | PathName
    share: float = Field(default=1.0, ge=0, le=1)
    """Share of the cases that it answers."""
    shadow: bool = False
    """It predicts every case and is recorded, but its answers are not sent."""
    policy: DecisionPolicy | None = None
    """Its decision policy, if it differs from the one in its bundle."""
    policy_version: str = "1"
    """Names that policy among all that this model version has had; "1" is the bundle's own."""


class CanaryState(Section):
    """A challenger whose share grows step by step."""

    variant: str
    plan: CanaryConfig
    """The steps and bounds that held when it began."""
    problem: Problem
    """What is predicted, and what it is worth."""
    metric: str
    """The metric that the true labels are judged by."""
    step: int = Field(default=0, ge=0)
    """Position in the plan's steps."""
    began: datetime = Field(default_factory=lambda: datetime.now(UTC))
    """When the first step began; labels count from there."""
    since: datetime = Field(default_factory=lambda: datetime.now(UTC))
    """When this step began; errors and latency count from there."""
    ready: bool = False
    """The last step has gone well: it can be promoted."""


class TrafficPlan(Section):
    """Which variants answer, with which shares; the first one is the champion."""

    model_config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )  # `serial` on disk, as ever

    variants: list[PlannedVariant] = Field(min_length=1)
    plan_id: str = Field(default_factory=lambda: uuid.uuid4().hex, alias="serial")
    """Identifies a plan: two plans differ in it even when they name the same bundles."""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    canary: CanaryState | None = None

    @classmethod
    def of(cls, bundle: Path, version: str) -> Self:
        """A plan in which one bundle answers every case."""
        return cls(variants=[PlannedVariant(name=CHAMPION, bundle=bundle, version=version)])

    @property
    def champion(self) -> PlannedVariant:
        """The variant that the others are compared with."""
        return self.variants[0]

    def find(self, name: str) -> PlannedVariant | None:
        """The variant of that name, if there is one."""
        return next((variant for variant in self.variants if variant.name == name), None)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("two variants have the same name")
        if self.champion.shadow or any(variant.shadow and variant.share for variant in self.variants):
            raise ValueError("a shadow has no share and is not the champion")
        if abs(sum(variant.share for variant in self.variants) - 1) > _TOLERANCE:
            raise ValueError("the shares do not add up to 1")
        if self.canary is not None and self.canary.variant not in names[1:]:
            raise ValueError("the canary is not a challenger")
        return self


class WorkerReport(Section):
    """What one worker process has loaded."""

    model_config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )  # `serial` on disk, as ever

    pid: int
    process_started: float
    """When the process began, in seconds since 1970: pid and start identify a process uniquely."""
    namespace: str = ""
    """The PID namespace of that process."""
    plan_id: str = Field(alias="serial")
    """The plan that it follows; empty: it answers with the bundle it was built with."""
    version: str
    """The champion's version; empty: it could not start."""
    error: str = ""
    """Why it could not follow the plan."""


def write_plan(folder: Path, plan: TrafficPlan) -> None:
    """Write the plan that the workers of `folder` are to follow."""
    write_text(folder / _ACTIVE, plan.model_dump_json(indent=1))


@contextlib.contextmanager
def plan_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the plan in `folder` while it is read and replaced, which takes milliseconds.

    Raises:
        NoriaError: the lock cannot be acquired.
    """
    path = folder / f"{_ACTIVE}.lock"
    lock = FileLock(path, timeout=_LOCK_TIMEOUT_S)
    try:
        lock.acquire()
    except (OSError, Timeout) as error:
        raise NoriaError(
            f"the server's traffic plan cannot be changed: {error}",
            code="traffic.plan_locked",
            where=str(path),
            fix="free or unlock that path",
        ) from error
    try:
        yield
    finally:
        lock.release()


def remove_plan(folder: Path) -> None:
    """Remove the plan: a new server answers with the bundle it was built with."""
    (folder / _ACTIVE).unlink(missing_ok=True)


def read_plan(folder: Path) -> TrafficPlan | None:
    """The current plan, if there is one.

    Raises:
        NoriaError: `active.json` is not a valid plan.
    """
    return _order(folder / _ACTIVE, "the traffic plan of the server", "stop and deploy again")


def built_in_plan(folder: Path) -> TrafficPlan | None:
    """The plan that an image was built with; None: it holds a single bundle.

    Raises:
        NoriaError: it is not a valid plan.
    """
    plan = _order(folder / PLAN_FILE, "the traffic plan in the image", "build the image again")
    if plan is None:
        return None
    if any(each.bundle.is_absolute() or ".." in each.bundle.parts for each in plan.variants):
        raise NoriaError(
            "the traffic plan in the image names a bundle outside of the image",
            code="traffic.plan_unreadable",
            where=str(folder / PLAN_FILE),
            fix="build the image again",
        )
    variants = [each.model_copy(update={"bundle": folder / each.bundle}) for each in plan.variants]
    return plan.model_copy(update={"variants": variants})


def _order(path: Path, what: str, fix: str) -> TrafficPlan | None:
    try:
        return TrafficPlan.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise NoriaError(
            f"{what} cannot be read: {error}", code="traffic.plan_unreadable", where=str(path), fix=fix
        ) from error


def plan_version(folder: Path) -> tuple[int, int] | None:
    """Changes whenever `active.json` does; one system call."""
    try:
        status = (folder / _ACTIVE).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def write_worker_report(folder: Path, worker: WorkerReport) -> None:
    """Write what this worker has loaded."""
    write_text(folder / _WORKERS / f"{worker.pid}.json", worker.model_dump_json())


def worker_reports(folder: Path) -> list[WorkerReport]:
    """The latest reports of all workers, including those that have ended."""
    found = []
    for path in sorted((folder / _WORKERS).glob("*.json")):
        with contextlib.suppress(OSError, ValidationError):  # removed meanwhile
            found.append(WorkerReport.model_validate_json(path.read_bytes()))
    return found


def clear_plan(folder: Path) -> None:
    """Remove the plan and all reports."""
    remove_plan(folder)
    clear_reports(folder)


def clear_reports(folder: Path) -> None:
    """Remove the reports of all workers; the plan stays."""
    for path in (folder / _WORKERS).glob("*.json"):
        path.unlink(missing_ok=True)
