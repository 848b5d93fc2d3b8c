"""The stacks that there are: the embedded default, and files in `configs/stacks`."""

import os
from pathlib import Path
from typing import Any

from app.environment import zenml_client
from app.images.project_images import variables_for
from app.stacks.definition import Component, RegisteredStack, StackMember, StepsConfig, looks_secret, read_stack
from noria.config.load import ENVIRONMENT_VARIABLE
from noria.system.errors import NoriaError
from noria.system.files import write_text
from noria.system.shell_commands import shell_command
from noria.system.workspace import PROJECT, home

DEFAULT_STACK = "local"
STACK_FILES = PROJECT / "configs" / "stacks"
_ALL = 1000
_ACTIVE = "ZENML_ACTIVE_STACK_ID"
_MARK = "The stack in use was set when Noria was first used; from then on it is the one that you choose.\n"


def stack_here(name: str | None) -> str:
    """The stack for what must happen on this machine, such as starting the service.

    It is the one that is named, or else the active one, unless its steps run in an image: then the embedded one.

    Raises:
        NoriaError: the stack's file cannot be read, or a variable is not set.
    """
    chosen, running = _chosen(name)
    return chosen if running.image is None else DEFAULT_STACK


def active_stack(client: Any) -> str:
    """The stack that runs without `--stack` use, as ZenML has it.

    ZenML begins with a stack of its own, `default`. At the first use ours takes its place; from then on, `default` is
    what a person has chosen.
    """
    name = str(client.active_stack_model.name)
    return name if name != "default" or _ACTIVE in os.environ or _first_use(client).is_file() else DEFAULT_STACK


def first_use_mark(configuration: Path) -> Path:
    """The file that is there once Noria has been used with a folder of ZenML's configuration, global or `.zen`."""
    return configuration / "noria_first_use"


def settle_active_stack(client: Any) -> None:
    """At the first use, replace ZenML's `default` with our stack, which must be registered."""
    if _first_use(client).is_file():
        return
    if _ACTIVE not in os.environ and client.active_stack_model.name == "default":
        client.activate_stack(DEFAULT_STACK)
    mark_first_use(client)


def mark_first_use(client: Any) -> None:
    """From now on, the stack that ZenML has as active is one that was chosen."""
    write_text(_first_use(client), _MARK)


def _first_use(client: Any) -> Path:
    return first_use_mark(Path(client.config_directory or os.environ["ZENML_CONFIG_PATH"]))


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
        fix=f"choose one of {', '.join(sorted({*registered, *stack_files()}))}, or "
        f"`{shell_command('zenml', 'stack', 'register', name)}`",
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


def _referred(component: Component, key: str, value: Any) -> Any:
    return f"{{{{{secret_name(component.type, component.name)}.{key}}}}}" if key in secrets_of(component) else value


def _export(variable: str) -> str:
    return f"export {variable}=…"
