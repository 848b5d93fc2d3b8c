"""The preflight of a stack: all that is missing or wrong, before anything is submitted."""

import os
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.environment import zenml_client
from app.serving.backend import ServiceTarget, create_backend
from app.stacks import kube_contexts, stacks
from app.stacks.definition import Component, PreflightFinding, StackFile, differences, read_stack
from app.stacks.preflight.alerter import alerter_findings
from app.stacks.preflight.cloud import cloud_findings, is_cloud, packages
from app.stacks.preflight.cluster import cluster_findings, image_for_nodes
from app.stacks.preflight.step_image import engine_findings, image_findings
from app.stacks.preflight.step_settings_check import steps_findings
from noria.system.errors import NoriaError
from noria.system.shell_commands import run_py, shell_command
from noria.system.workspace import home

_SECRET = re.compile(r"\{\{\s*([\w-]+)\.([\w-]+)\s*\}\}")
_SECONDS = 10.0
_REGISTRY_ANSWERS = {200, 401, 403}


def check(name: str) -> list[PreflightFinding]:
    """Everything that keeps the stack from running; empty: nothing does.

    Raises:
        NoriaError: there is no file of that name, or it breaks the form.
    """
    os.environ.setdefault("NORIA_HOME", str(home()))
    stack, client = read_stack(stacks.STACK_FILES / f"{name}.yaml"), zenml_client()
    found = [*_versions(stack, client)]
    for component in stack.members:
        found += _component(client, component, stack)
    found += [*steps_findings(stack, client), *image_findings(stack, client), *image_for_nodes(stack)]
    found += create_backend(ServiceTarget(stack.stack_name, stack.noria)).preflight()
    return [*found, *_server(stack, client), *_registered(name, client)]


def _versions(stack: StackFile, client: Any) -> Iterator[PreflightFinding]:
    here = version("zenml")
    if stack.zenml_version != here:
        yield PreflightFinding(
            f"the file was written for ZenML {stack.zenml_version}, and {here} is installed",
            f"read ZenML's changes and write zenml_version: {here}",
        )
    server = str(client.zen_store.get_store_info().version)
    if server != here:
        yield PreflightFinding(
            f"the ZenML server runs version {server}, and {here} is installed here",
            f"install zenml=={server}, or bring the server to {here}",
        )


def _component(client: Any, component: Component, stack: StackFile) -> Iterator[PreflightFinding]:
    title = component.title
    unset = [variable for variable in component.variables if variable not in os.environ]
    for variable in unset:
        yield PreflightFinding(f"{title}: environment variable {variable} is not set", f"export {variable}=…")
    yield from _secrets(client, component)
    try:
        model = client.get_flavor_by_name_and_type(component.flavor, component.type)
    except KeyError:
        flavors = sorted(each.name for each in client.list_flavors(type=component.type, size=1000))
        yield PreflightFinding(
            f"{title}: no flavor is named `{component.flavor}`", f"choose one of {', '.join(flavors)}"
        )
        return
    missing = _not_installed(model)
    if missing:
        what, listed = missing
        fix = f"install {packages(model.integration) or listed}"
        yield PreflightFinding(f"{title}: the integration `{model.integration}` is not installed: {what}", fix)
        return
    config, wrong = _config(model, component)
    if wrong:
        yield PreflightFinding(f"{title}: {wrong}", f"correct it in {stacks.STACK_FILES}")
        return
    if is_cloud(component) and not unset:
        yield from cloud_findings(component, model, config, stack)
    elif not is_cloud(component):
        yield from _reached(component, config, stack)
    if not unset:
        yield from alerter_findings(component, config)
    if getattr(config, "kubernetes_context", None):
        registered_for = kube_contexts.remembered(client, component.type, component.name)
        yield from cluster_findings(component, config, registered_for, stack.stack_name)


def _zenml_secret(verb: str, name: str, key: str) -> str:
    return f"{shell_command('zenml', 'secret', verb, name, f'--{key}=')}…"


def _secrets(client: Any, component: Component) -> Iterator[PreflightFinding]:
    for name, key in _SECRET.findall(str(component.configuration)):
        try:
            known = client.get_secret(name, allow_partial_name_match=False).values
        except (KeyError, NotImplementedError):
            yield PreflightFinding(
                f"{component.title}: there is no secret `{name}`",
                _zenml_secret("create", name, key),
            )
            continue
        if key not in known:
            yield PreflightFinding(
                f"{component.title}: the secret `{name}` has no `{key}`",
                _zenml_secret("update", name, key),
            )


def _not_installed(model: Any) -> tuple[str, str] | None:
    """Why the flavor cannot be loaded, and the packages of its integration; None: it can.

    ZenML itself asks for every package of the integration's list, needed or not.
    """
    from zenml.integrations.registry import integration_registry
    from zenml.stack import Flavor

    try:
        _ = Flavor.from_model(model).implementation_class
    except ImportError as error:
        integration = model.integration
        known = integration in integration_registry.integrations
        packages = integration_registry.select_integration_requirements(integration) if known else []
        return str(error), " ".join(packages) or f"what `{model.name}` needs"
    return None


def _config(model: Any, component: Component) -> tuple[Any, str]:
    """The settings as the flavor reads them, and what is wrong with them."""
    from pydantic import ValidationError
    from zenml.stack import Flavor

    kind = Flavor.from_model(model).config_class
    settings = component.filled(os.environ)
    unknown = sorted(set(settings) - set(kind.model_fields))
    if unknown:
        return None, f"`{component.flavor}` has no setting `{unknown[0]}`"
    try:
        return kind(**settings), ""
    except ValidationError as error:
        first = error.errors()[0]
        return None, f"`{'.'.join(map(str, first['loc'])) or 'configuration'}`: {first['msg']}"


def _reached(component: Component, config: Any, stack: StackFile) -> Iterator[PreflightFinding]:
    if component.type == "artifact_store" and not config.is_remote:
        yield from _writable(component, Path(str(config.path)))
    if component.type == "container_registry":
        yield from _registry(component, str(config.uri))
    builds = (component.type, component.flavor) == ("image_builder", "local") and not stack.noria.images
    if builds or component.flavor == "local_docker":
        yield from engine_findings(component.title)


def _writable(component: Component, path: Path) -> Iterator[PreflightFinding]:
    parent = next(each for each in (path, *path.parents) if each.exists())
    if not os.access(parent, os.W_OK):
        yield PreflightFinding(
            f"{component.title}: {parent} cannot be written", "give yourself write access, or name another"
        )


def _registry(component: Component, uri: str) -> Iterator[PreflightFinding]:
    """Any answer of the registry's API will do; whether a push is allowed shows at the push."""
    import httpx

    host = urlsplit(uri if "//" in uri else f"//{uri}").netloc
    local = host.split(":")[0] in {"localhost", "127.0.0.1"}
    url = f"{'http' if local else 'https'}://{host}/v2/"
    try:
        status = httpx.get(url, timeout=_SECONDS).status_code
    except httpx.HTTPError as error:
        yield PreflightFinding(f"{component.title}: {url} cannot be reached: {error}", "check `uri` and the network")
        return
    if status not in _REGISTRY_ANSWERS:
        yield PreflightFinding(f"{component.title}: {url} answers {status}, so it is no registry", "check `uri`")


def _server(stack: StackFile, client: Any) -> Iterator[PreflightFinding]:
    """Pods and jobs elsewhere must reach the server, so ZenML refuses an embedded one."""
    if not client.zen_store.is_local_store():
        return
    for component in (stack.orchestrator, *stack.components.get("step_operator", [])):
        if _is_elsewhere(component, client):
            yield PreflightFinding(
                f"{component.title} runs elsewhere and cannot reach the ZenML embedded here",
                "export ZENML_STORE_URL=https://… and ZENML_STORE_API_KEY=… of a ZenML server",
            )


def _is_elsewhere(component: Component, client: Any) -> bool:
    from zenml.stack import Flavor

    try:
        model = client.get_flavor_by_name_and_type(component.flavor, component.type)
        config = Flavor.from_model(model).config_class(**component.filled(os.environ))
    except Exception:  # reported with the component
        return False
    return bool(config.is_remote)


def _registered(name: str, client: Any) -> Iterator[PreflightFinding]:
    try:
        wanted = stacks.wanted_members(name)
    except NoriaError:  # an unset variable, reported with the component
        return
    found = differences(wanted, stacks.standing(client, name, wanted))
    if found:
        yield PreflightFinding("; ".join(found), run_py("stack up", name))
