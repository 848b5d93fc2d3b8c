"""Stacks: the embedded default, and picking another one for a single run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from noria.config import expand_environment
from noria.errors import NoriaError
from noria.locks import in_turn
from noria.workspace import PROJECT, Workspace, home
from pipelines.platform.environment import zenml_client

DEFAULT_STACK = "local"
STACK_FILES = PROJECT / "configs" / "stacks"
_ACTIVE = "ZENML_ACTIVE_STACK_ID"


@contextmanager
def stack_for_one_run(name: str | None) -> Iterator[str]:
    """Use a stack in this process for a while; without a name, the stack that `zenml stack set` chose.

    A stack that is not registered yet is registered from `configs/stacks/NAME.yaml` if there is such a file. What
    `zenml stack set` has chosen stays so, for other processes in the meantime too.

    Raises:
        NoriaError: there is neither a registered stack nor a file of that name.
    """
    client = zenml_client()
    if name is None:
        # ZenML's own `default` has no experiment tracker; ours takes its place until a person sets another
        name = client.active_stack_model.name
        name = DEFAULT_STACK if name == "default" else name
    with in_turn("stacks", Workspace("zenml")):
        _ensure_registered(client, name)
    before = os.environ.get(_ACTIVE)
    os.environ[_ACTIVE] = str(client.get_stack(name, allow_name_prefix_match=False).id)
    try:
        yield name
    finally:
        os.environ.pop(_ACTIVE)
        if before is not None:
            os.environ[_ACTIVE] = before


def _ensure_registered(client: Any, name: str) -> None:
    registered = {stack.name for stack in client.list_stacks(size=1000)}
    if name in registered:
        return
    file = STACK_FILES / f"{name}.yaml"
    if not file.is_file():
        raise NoriaError(
            f"no stack is named `{name}`",
            where=str(STACK_FILES),
            fix=f"choose one of {', '.join(sorted(registered | _file_names()))}, or `zenml stack register {name}`",
        )
    _register(client, name, _read_stack_file(file))


def _file_names() -> set[str]:
    return {file.stem for file in STACK_FILES.glob("*.yaml")}


def _read_stack_file(file: Path) -> list[dict[str, Any]]:
    """Components of a stack file in the form of `zenml stack export`, every `${env:NAME}` filled in."""
    os.environ.setdefault("NORIA_HOME", str(home()))
    content = yaml.safe_load(expand_environment(file.read_text(encoding="utf-8"), where=str(file)))
    return [component for group in content["components"].values() for component in group]


def _register(client: Any, name: str, components: list[dict[str, Any]]) -> None:
    from zenml.enums import StackComponentType

    members = {}
    for component in components:
        kind = StackComponentType(component["type"])
        existing = {known.name for known in client.list_stack_components(type=kind.value, size=1000)}
        if component["name"] not in existing:
            client.create_stack_component(
                name=component["name"],
                flavor=component["flavor"],
                component_type=kind,
                configuration=component.get("configuration", {}),
            )
        members[kind] = component["name"]
    client.create_stack(name, members)
