"""A serving backend is one file and a line in the registry: every command on the service finds it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from logging_backend import CALLS

from app.serving.backend import ServingBackend
from app.serving.compose import ComposeBackend
from app.serving.container import ContainerBackend
from app.serving.kubernetes import KubernetesBackend
from app.serving.process import ProcessBackend
from app.serving.registry import BACKENDS, load_backend
from app.stacks import stacks
from tests.conftest import Command, Ended
from tests.small_cases import small_case, write_config

OURS: list[type[ServingBackend]] = [ProcessBackend, ContainerBackend, ComposeBackend, KubernetesBackend]


@pytest.fixture
def on_stack(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """A command about a use case on the stack `logged`, whose file names the new backend."""
    components = {
        kind: [{"name": "logged", "type": kind, "flavor": "local", "configuration": {}}]
        for kind in ("orchestrator", "artifact_store")
    }
    content: dict[str, Any] = {"zenml_version": "0.98.0", "stack_name": "logged", "components": components}
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "logged.yaml").write_text(yaml.safe_dump(content | {"noria": {"service": "log"}}))
    monkeypatch.setattr(stacks, "STACK_FILES", tmp_path / "stacks")
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    config = write_config(small_case("logged_case", tmp_path / "few.csv"), tmp_path / "case.yaml")
    CALLS.clear()
    return lambda name, *more: command(name, "--config", config, "--stack", "logged", *more)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "log", "logging_backend:LoggingBackend")


def test_the_registry_names_each_of_our_backends() -> None:
    assert [load_backend(name) for name in BACKENDS] == OURS


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("deploy", "deploy logged_case"),
        ("status", "status of http://127.0.0.1:1"),
        ("status --url http://log", "status of http://log"),
        ("traffic", "show traffic"),
        ("traffic --set challenger=0.1", "change traffic: challenger set to 0.1"),
        ("promote --version 3", "promote 3"),
        ("rollback", "rollback"),
        ("stop --yes", "stop"),
    ],
)
def test_every_command_calls_the_backend_that_the_stack_names(
    on_stack: Callable[..., Ended], line: str, call: str
) -> None:
    ended = on_stack(*line.split())
    assert ended.code == 0, ended.err
    assert [f"logged: {call}"] == CALLS
    assert f"  {call}\n" in ended.out


@pytest.mark.usefixtures("registered")
def test_stop_asks_before_the_backend_stops_anything(on_stack: Callable[..., Ended]) -> None:
    assert ("The log goes on." in on_stack("stop").out, CALLS) == (True, [])
    assert "Stopped." in on_stack("stop", "--yes").out


@pytest.mark.e2e
@pytest.mark.usefixtures("registered", "on_stack")
def test_the_preflight_asks_the_backend(command: Command) -> None:
    assert "noria.service: nothing is logged" in command("stack", "check", "logged").err


@pytest.mark.usefixtures("registered")
def test_the_demo_needs_a_backend_of_this_machine(on_stack: Callable[..., Ended]) -> None:
    refused = on_stack("demo")
    assert (refused.code, "the service of this stack is remote" in refused.err, CALLS) == (2, True, [])


def test_an_unregistered_backend_is_refused_with_those_that_there_are(on_stack: Callable[..., Ended]) -> None:
    refused = on_stack("status")
    assert refused.code == 2
    assert f"no serving backend is named `log`; there are {', '.join(BACKENDS)}" in refused.err
