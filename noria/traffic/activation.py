"""How a running server is told which bundles to answer with, and how its workers say that they do.

The service folder holds `active.json`, replaced atomically by whoever deploys, and `workers/PID.json`, replaced by
each worker. Files rather than requests: behind one socket nobody can choose which worker answers, and a worker that
cannot start answers nobody.
"""

import contextlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError, model_validator

from noria.config.problem import Problem
from noria.config.section import Section
from noria.config.serving import CanaryConfig
from noria.models.decision_policy import DecisionPolicy
from noria.system.errors import NoriaError
from noria.system.files import write_text

CHAMPION = "champion"
"""Name of the variant that answers alone, unless the use case names others."""
ORDER = "order.json"
"""Beside the bundles of an image that holds several: who of them answers what, their folders as names."""
_ACTIVE = "active.json"
_WORKERS = "workers"
_TOLERANCE = 1e-6
_PATIENCE_S = 30.0


class PlannedVariant(Section):
    """One of the models that answer side by side."""

    name: str = Field(min_length=1, max_length=64)
    """What predictions call it."""
    bundle: Path
    version: str
    share: float = Field(default=1.0, ge=0, le=1)
    """Share of the cases that it answers."""
    shadow: bool = False
    """It predicts every case and is recorded, but answers nobody."""
    policy: DecisionPolicy | None = None
    """What is done with its predictions, if not what its bundle says."""
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
    """An order to answer with these variants; the first one is the champion."""

    variants: list[PlannedVariant] = Field(min_length=1)
    serial: str = Field(default_factory=lambda: uuid.uuid4().hex)
    """Tells two orders apart, even for the same bundles."""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    canary: CanaryState | None = None

    @classmethod
    def of(cls, bundle: Path, version: str) -> Self:
        """One bundle answers everything."""
        return cls(variants=[PlannedVariant(name=CHAMPION, bundle=bundle, version=version)])

    @property
    def champion(self) -> PlannedVariant:
        """The variant that the others are compared with."""
        return self.variants[0]

    def find(self, name: str) -> PlannedVariant | None:
        """The variant of that name, if there is one."""
        return next((variant for variant in self.variants if variant.name == name), None)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("two variants have the same name")
        if self.champion.shadow or any(variant.shadow and variant.share for variant in self.variants):
            raise ValueError("a shadow answers nobody: it takes no share and is not the champion")
        if abs(sum(variant.share for variant in self.variants) - 1) > _TOLERANCE:
            raise ValueError("the shares do not add up to 1")
        if self.canary is not None and self.canary.variant not in names[1:]:
            raise ValueError("the canary is no challenger")
        return self


class WorkerReport(Section):
    """What one worker process does."""

    pid: int
    process_started: float
    """When the process began, in seconds since 1970: with the pid it names a process for good."""
    namespace: str = ""
    """Where that process is seen."""
    serial: str
    """The order that it has followed; empty: it answers with the bundle it was built with."""
    version: str
    """The champion's version; empty: it could not start."""
    error: str = ""
    """Why it could not follow the order."""


def write_plan(folder: Path, activation: TrafficPlan) -> None:
    """Order the workers of `folder` to answer with other variants."""
    write_text(folder / _ACTIVE, activation.model_dump_json(indent=1))


@contextlib.contextmanager
def plan_lock(folder: Path) -> Iterator[None]:
    """Alone with the order of `folder` while it is read and replaced; takes milliseconds.

    Raises:
        NoriaError: the lock cannot be had.
    """
    path = folder / f"{_ACTIVE}.lock"
    lock = FileLock(path, timeout=_PATIENCE_S)
    try:
        lock.acquire()
    except (OSError, Timeout) as error:
        raise NoriaError(
            f"the server's order cannot be changed: {error}", where=str(path), fix="free or unlock that path"
        ) from error
    try:
        yield
    finally:
        lock.release()


def remove_plan(folder: Path) -> None:
    """Take the order back: a new server answers with the bundle it was built with."""
    (folder / _ACTIVE).unlink(missing_ok=True)


def read_plan(folder: Path) -> TrafficPlan | None:
    """The order that stands, if there is one.

    Raises:
        NoriaError: `active.json` is not what Noria writes.
    """
    return _order(folder / _ACTIVE, "the order to the server's workers", "stop and deploy again")


def built_in_plan(folder: Path) -> TrafficPlan | None:
    """The order that an image was built with; None: it holds one bundle, which answers alone.

    Raises:
        NoriaError: it is not what Noria writes.
    """
    order = _order(folder / ORDER, "the order in the image", "build the image again")
    if order is None:
        return None
    variants = [each.model_copy(update={"bundle": folder / each.bundle}) for each in order.variants]
    return order.model_copy(update={"variants": variants})


def _order(path: Path, what: str, fix: str) -> TrafficPlan | None:
    """What a file orders; None: there is none."""
    try:
        return TrafficPlan.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise NoriaError(f"{what} cannot be read: {error}", where=str(path), fix=fix) from error


def plan_version(folder: Path) -> tuple[int, int] | None:
    """Changes whenever `active.json` does; one system call."""
    try:
        status = (folder / _ACTIVE).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def write_worker_report(folder: Path, worker: WorkerReport) -> None:
    """Say what this worker does."""
    write_text(folder / _WORKERS / f"{worker.pid}.json", worker.model_dump_json())


def worker_reports(folder: Path) -> list[WorkerReport]:
    """What the workers said last, those that have ended included."""
    return list(_read(folder / _WORKERS))


def clear_plan(folder: Path) -> None:
    """Forget the order and all reports."""
    remove_plan(folder)
    clear_reports(folder)


def clear_reports(folder: Path) -> None:
    """Forget what workers said that are gone by now; the order stands."""
    for path in (folder / _WORKERS).glob("*.json"):
        path.unlink(missing_ok=True)


def _read(folder: Path) -> Iterator[WorkerReport]:
    for path in sorted(folder.glob("*.json")):
        with contextlib.suppress(OSError, ValidationError):  # removed meanwhile
            yield WorkerReport.model_validate_json(path.read_bytes())
