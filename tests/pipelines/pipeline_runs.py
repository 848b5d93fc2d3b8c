"""Looking at what ZenML has recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from noria.config import UseCase


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """The shared workspace, for fixtures that outlive a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(home))
        yield


def runs_of(use_case: UseCase, pipeline: str = "training") -> list[Any]:
    """The runs of a use case, the latest first."""
    from zenml.client import Client

    return list(Client().list_pipeline_runs(name=f"startswith:{pipeline}-{use_case.name}-", sort_by="desc:created"))


def output(run: Any, step: str, name: str) -> Any:
    """ZenML's record of one output of one step."""
    return run.steps[step].outputs[name][0]


def statuses(run: Any) -> dict[str, str]:
    return {name: step.status.value for name, step in run.steps.items()}
