"""Bringing ZenML's stacks to what their files say, choosing one, and taking one away."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from app.environment import zenml_client
from app.stacks import kube_contexts, stacks
from app.stacks.definition import StackMember, differences, read_stack
from noria.system.errors import NoriaError, first_line
from noria.system.locks import wait_lock
from noria.system.shell_commands import run_py
from noria.system.workspace import Workspace

T = TypeVar("T")
_ACTIVE = "ZENML_ACTIVE_STACK_ID"


@dataclass(frozen=True)
class StackListing:
    """A stack, as `stack list` shows it."""

    name: str
    orchestrator: str
    state: str
    """Whether file and ZenML agree."""
    is_active: bool


def list_stacks() -> list[StackListing]:
    """All stacks that have a file or are registered."""
    client = zenml_client()
    active, registered, files = stacks.active_stack(client), stacks.registered_stacks(client), stacks.stack_files()
    found = []
    for name in sorted({*registered, *files}):
        if name in files:
            flavor, state = _of_file(client, name)
        else:
            model = client.get_stack(name, allow_name_prefix_match=False)
            flavor = _orchestrator(model)
            state = "of ZenML itself" if name == "default" else "registered by hand, no file"
        found.append(StackListing(name, flavor, state, name == active))
    return found


def register_stack(name: str) -> list[str]:
    """Register what is missing of a stack and change what differs; returns what was done, in words.

    Raises:
        NoriaError: the file is wrong, a variable is not set, or ZenML refuses a setting.
    """
    client = zenml_client()
    with wait_lock("stacks", Workspace("zenml")):
        return register(client, name)


def register(client: Any, name: str) -> list[str]:
    """Make ZenML's stack what the file says; returns what differed. The caller holds the lock."""
    wanted = stacks.wanted_members(name)
    _keep_secrets(client, name)
    known = stacks.standing(client, name, wanted)
    for key, member in wanted.items():
        _refused_as_error(name, partial(_put, client, key, member, known.components.get(key)))
        if member.configuration.get("kubernetes_context"):
            kube_contexts.remember(client, *key, member.configuration)
    members = _by_kind(wanted)
    if known.members is None:
        _refused_as_error(name, lambda: client.create_stack(name, members))
    elif sorted(known.members) != sorted(wanted):
        _refused_as_error(name, lambda: client.update_stack(name, component_updates=members))
    return differences(wanted, known)


@contextmanager
def stack_for_one_run(name: str | None) -> Iterator[str]:
    """Use a stack in this process for a while; without a name, the active one.

    A stack that is not registered yet is registered from `configs/stacks/NAME.yaml` if there is such a file. What
    `zenml stack set` has chosen stays so, for other processes in the meantime too.

    Raises:
        NoriaError: there is neither a registered stack nor a file of that name.
    """
    client = zenml_client()
    with wait_lock("stacks", Workspace("zenml")):
        chosen = stacks.active_stack(client) if name is None else name
        _ensure_registered(client, chosen)
        if name is None:
            stacks.settle_active_stack(client)
    before = os.environ.get(_ACTIVE)
    os.environ[_ACTIVE] = str(client.get_stack(chosen, allow_name_prefix_match=False).id)
    try:
        yield chosen
    finally:
        os.environ.pop(_ACTIVE)
        if before is not None:
            os.environ[_ACTIVE] = before


def use_stack(name: str) -> None:
    """Let runs without `--stack` use this one; it is registered first if it is not.

    Raises:
        NoriaError: there is no such stack, or it cannot be registered.
    """
    client = zenml_client()
    with wait_lock("stacks", Workspace("zenml")):
        _ensure_registered(client, name)
        client.activate_stack(name)
        stacks.mark_first_use(client)


def remove_stack(name: str) -> list[str]:
    """Take a stack away, and those of its components that no other stack has; what they hold stays.

    Raises:
        NoriaError: there is no such stack, or it is in use.
    """
    client = zenml_client()
    if name not in stacks.registered_stacks(client):
        known = ", ".join(stacks.registered_stacks(client))
        raise NoriaError(
            f"no stack named `{name}` is registered", code="stack.not_registered", fix=f"registered are: {known}"
        )
    if client.active_stack_model.name == name:
        other = "default" if name == stacks.DEFAULT_STACK else stacks.DEFAULT_STACK
        raise NoriaError(
            f"`{name}` is the stack in use",
            code="stack.in_use",
            fix=f"choose another one first: {run_py('stack use', other)}",
        )
    with wait_lock("stacks", Workspace("zenml")):
        model = client.get_stack(name, allow_name_prefix_match=False)
        gone = [
            (str(kind), str(known.name))
            for kind, group in model.components.items()
            for known in group
            if len(list(client.list_stacks(component_id=known.id, size=2))) < 2
        ]
        _refused_as_error(name, lambda: client.delete_stack(name, recursive=True))
        kept_for_them = {stacks.secret_name(*each) for each in gone}  # the stack's file may be gone by now
        for secret in client.list_secrets(size=1000):
            if secret.name in kept_for_them:
                client.delete_secret(secret.name)
    return [*(f"{kind} `{each}`" for kind, each in gone), f"stack `{name}`"]


def _ensure_registered(client: Any, name: str) -> None:
    registered = stacks.registered_stacks(client)
    if name in registered:
        return
    if name not in stacks.stack_files():
        raise stacks.unknown_stack(name, registered)
    register(client, name)


def _of_file(client: Any, name: str) -> tuple[str, str]:
    try:
        flavor = read_stack(stacks.STACK_FILES / f"{name}.yaml").orchestrator.flavor
        wanted = stacks.wanted_members(name)
    except NoriaError as error:
        return "?", error.what
    known = stacks.standing(client, name, wanted)
    if known.members is None:
        return flavor, "not registered"
    found = differences(wanted, known)
    return flavor, f"differs from its file in {len(found)}" if found else "registered"


def _orchestrator(model: Any) -> str:
    return next((str(group[0].flavor_name) for kind, group in model.components.items() if kind == "orchestrator"), "?")


def _keep_secrets(client: Any, name: str) -> None:
    """Secrets go from the environment into ZenML's store of secrets; a component's settings only refer to them."""
    existing = {secret.name for secret in client.list_secrets(size=1000)}
    for component in read_stack(stacks.STACK_FILES / f"{name}.yaml").members:
        values = {key: os.environ[variable] for key, variable in stacks.secrets_of(component).items()}
        title = stacks.secret_name(component.type, component.name)
        if values and title in existing:
            client.update_secret(title, add_or_update_values=values)
        elif values:
            client.create_secret(title, values)


def _put(client: Any, key: tuple[str, str], member: StackMember, known: StackMember | None) -> None:
    from zenml.enums import StackComponentType

    kind, name = StackComponentType(key[0]), key[1]
    if known is not None and known.flavor != member.flavor:
        raise NoriaError(
            f"{key[0]} `{name}` is registered with flavor `{known.flavor}`, and the file says `{member.flavor}`",
            code="stack.flavor_differs",
            fix=f"give it another name in the file, or take the old one away: zenml {key[0].replace('_', '-')} "
            f"delete {name}",
        )
    if known is None:
        client.create_stack_component(
            name=name, flavor=member.flavor, component_type=kind, configuration=dict(member.configuration)
        )
    elif any(known.configuration.get(setting) != value for setting, value in member.configuration.items()):
        client.update_stack_component(name, kind, configuration=dict(member.configuration))


def _by_kind(wanted: dict[tuple[str, str], StackMember]) -> dict[Any, list[str]]:
    from zenml.enums import StackComponentType

    found: dict[Any, list[str]] = {}
    for kind, name in wanted:
        found.setdefault(StackComponentType(kind), []).append(name)
    return found


def _refused_as_error(name: str, change: Callable[[], T]) -> T:
    """What ZenML refuses, as an error that a user can correct."""
    try:
        return change()
    except (ValueError, KeyError, RuntimeError, NotImplementedError, OSError) as error:
        raise NoriaError(
            f"ZenML refuses it: {first_line(error)}",
            code="stack.refused",
            where=str(stacks.STACK_FILES / f"{name}.yaml"),
            fix="correct that setting; python run.py stack check tells what else is wrong",
        ) from error
