"""What tests of a cloud share."""

import contextlib
import importlib.util
import socket
import time
from collections.abc import Callable

import pytest

from app.stacks.definition import PreflightFinding, read_stack

Checked = Callable[[str, str], list[PreflightFinding]]


def installed(package: str, cloud: str) -> None:
    """Skip, unless this is the environment of the cloud."""
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError:  # not even the package around it
        found = None
    if found is None:
        pytest.skip(f"the packages of {cloud} are not installed here: make clouds CLOUDS={cloud}")


def findings(stack: str, kind: str) -> list[PreflightFinding]:
    """What the preflight says about one component of a stack of the project."""
    from app.environment import zenml_client
    from app.stacks import stacks
    from app.stacks.preflight import preflight

    file = read_stack(stacks.STACK_FILES / f"{stack}.yaml")
    (component,) = (each for each in file.members if each.type == kind)
    return list(preflight._component(zenml_client(), component, file))


def wait_for_port(port: int, within_s: float = 60) -> None:
    """Until somebody listens there."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nobody listens at port {port}")
