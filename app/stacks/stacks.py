"""Stacks: the embedded default, files in `configs/stacks`, and picking one for a single run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.environment import zenml_client
from app.images.project_images import variables_for
from app.stacks.definition import Component, RegisteredStack, StackMember, StepsConfig, looks_secret, read_stack
from noria.config.load import ENVIRONMENT_VARIABLE
from noria.system.errors import NoriaError
from noria.system.locks import wait_lock
from noria.system.workspace import PROJECT, Workspace, home

DEFAULT_STACK = "local"
STACK_FILES = PROJECT / "configs" / "stacks"
_ACTIVE = "ZENML_ACTIVE_STACK_ID"
_ALL = 1000


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
        name = active_stack(client)
    with wait_lock("stacks", Workspace("zenml")):
        _ensure_registered(client, name)
    before = os.environ.get(_ACTIVE)
    os.environ[_ACTIVE] = str(client.get_stack(name, allow_name_prefix_match=False).id)
    try:
        yield name
    finally:
        os.environ.pop(_ACTIVE)
        if before is not None:
            os.environ[_ACTIVE] = before


def stack_here(name: str | None) -> str:
    """The stack for what must happen on this machine, such as starting the service.

    It is the one that is named, or else the active one, unless its steps run in an image: then the embedded one.

    Raises:
        NoriaError: the stack's file cannot be read, or a variable is not set.
    """
    chosen, running = _chosen(name)
    return chosen if running.image is None else DEFAULT_STACK


def active_stack(client: Any) -> str:
    """The stack that runs without `--stack` use."""
    name = str(client.active_stack_model.name)
    # ZenML's own `default` has no experiment tracker; ours takes its place until a person sets another
    return DEFAULT_STACK if name == "default" else name


def registered_stacks(client: Any) -> list[str]:
    """The names of the stacks that ZenML has."""
    return sorted(stack.name for stack in client.list_stacks(size=_ALL))


def stack_files() -> list[str]:
    """The names of the stacks that have a file."""
    return sorted(file.stem for file in STACK_FILES.glob("*.yaml"))


def unknown_stack(name: str, registered: list[str]) -> NoriaError:
    """The error that there is neither a registered stack nor a file of that name."""
    return NoriaError(
        f"no stack is named `{name}`",
        code="stack.unknown",
        where=str(STACK_FILES),
        fix=f"choose one of {', '.join(sorted({*registered, *stack_files()}))}, or `zenml stack register {name}`",
    )


def running_on(name: str) -> StepsConfig:
    """How steps run on a stack: what its file says, or, where it has none, nothing.

    Raises:
        NoriaError: the file cannot be read, or a variable is not set.
    """
    if name not in stack_files():
        return StepsConfig()
    file = STACK_FILES / f"{name}.yaml"
    running = read_stack(file).noria
    known = variables_for(running)
    for variable in running.variables:
        if variable not in known:
            raise NoriaError(
                f"environment variable {variable} is not set",
                code="config.variable_unset",
                where=f"{file}, section `noria`",
                fix=_export(variable),
            )
    return running.filled(known)


def wanted_members(name: str) -> dict[tuple[str, str], StackMember]:
    """What the file of a stack says, with its environment variables filled in and its secrets as references.

    Raises:
        NoriaError: the file cannot be read, or a variable is not set.
    """
    os.environ.setdefault("NORIA_HOME", str(home()))
    file = STACK_FILES / f"{name}.yaml"
    found: dict[tuple[str, str], StackMember] = {}
    for component in read_stack(file).members:
        unset = [variable for variable in component.variables if variable not in os.environ]
        if unset:
            raise NoriaError(
                f"environment variable {unset[0]} is not set",
                code="config.variable_unset",
                where=f"{file}, {component.title}",
                fix=_export(unset[0]),
            )
        settings = {key: _referred(component, key, value) for key, value in component.configuration.items()}
        filled = component.model_copy(update={"configuration": settings}).filled(os.environ)
        found[(component.type, component.name)] = StackMember(component.flavor, filled)
    return found


def secrets_of(component: Component) -> dict[str, str]:
    """The secrets that a component takes from the environment: key → variable."""
    found = {}
    for key, value in component.configuration.items():
        match = ENVIRONMENT_VARIABLE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is not None and looks_secret(key):
            found[key] = match[1]
    return found


def secret_name(kind: str, name: str) -> str:
    """What ZenML's store of secrets calls those of a component of some type and name."""
    return f"noria-{kind}-{name}".replace("_", "-")


def standing(client: Any, name: str, wanted: dict[tuple[str, str], StackMember]) -> RegisteredStack:
    """What ZenML has of a stack and of the components that its file names."""
    from zenml.enums import StackComponentType

    components = {}
    for kind, each in wanted:
        for known in client.list_stack_components(type=StackComponentType(kind).value, name=each, size=_ALL):
            components[(kind, each)] = StackMember(known.flavor_name, known.configuration)
    members = None
    if name in registered_stacks(client):
        groups = client.get_stack(name, allow_name_prefix_match=False).components.items()
        members = [(str(kind), known.name) for kind, group in groups for known in group]
    return RegisteredStack(components, members)


def _chosen(name: str | None) -> tuple[str, StepsConfig]:
    """The stack that is named, or else the active one, and how steps run on it."""
    chosen = name or active_stack(zenml_client())
    return chosen, running_on(chosen)


def _ensure_registered(client: Any, name: str) -> None:
    registered = registered_stacks(client)
    if name in registered:
        return
    if name not in stack_files():
        raise unknown_stack(name, registered)
    from app.stacks.registration import register

    register(client, name)


def _referred(component: Component, key: str, value: Any) -> Any:
    return f"{{{{{secret_name(component.type, component.name)}.{key}}}}}" if key in secrets_of(component) else value


def _export(variable: str) -> str:
    return f"export {variable}=…"
