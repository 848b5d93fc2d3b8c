"""Which steps are tried again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def retried_unless(is_ended: Callable[[], bool]) -> Iterator[None]:
    """Let no step be tried again once its run is ended from outside.

    ZenML's orchestrators in this process try a step again whatever it raises, Ctrl-C included: what it raised comes at
    once then, until no try is left.

    Args:
        is_ended: asked whenever a step has failed.
    """
    from zenml.orchestrators.step_launcher import StepLauncher

    launch = StepLauncher.launch
    ended_by: list[BaseException] = []

    def launch_once(self: StepLauncher) -> Any:
        if ended_by:
            raise ended_by[0]
        try:
            return launch(self)
        except BaseException as error:
            if is_ended():
                ended_by.append(error)
            raise

    StepLauncher.launch = launch_once
    try:
        yield
    finally:
        StepLauncher.launch = launch
