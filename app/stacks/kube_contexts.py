"""Which Kubernetes cluster a context names here, and which one a stack was registered for.

A context is only a name in a file of this machine: the same name may mean another cluster elsewhere, or tomorrow.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noria.system.errors import NoriaError
from noria.system.shell_commands import run_py

LABEL = "noria_cluster"
"""Label of a component in ZenML: the address of the cluster that it was registered for."""


@dataclass(frozen=True)
class KubeContexts:
    """What the configuration of this machine says, put together from all its files."""

    files: str
    """Their names, for people."""
    servers: dict[str, str]
    """Context → address of its cluster; empty: it is not known."""


def contexts() -> KubeContexts:
    """Read the files that KUBECONFIG names, or ~/.kube/config; of two of one name the first counts.

    Raises:
        NoriaError: none is there, or one cannot be read.
    """
    files = [Path(each).expanduser() for each in _named().split(os.pathsep) if each]
    documents = [_read(file) for file in files if file.exists() or len(files) == 1]
    clusters: dict[str, str] = {}
    servers: dict[str, str] = {}
    for document in documents:
        for each in document.get("clusters") or []:
            clusters.setdefault(str(each.get("name")), str((each.get("cluster") or {}).get("server") or ""))
    for document in documents:
        for each in document.get("contexts") or []:
            of = str((each.get("context") or {}).get("cluster"))
            servers.setdefault(str(each.get("name")), clusters.get(of, "").rstrip("/"))
    return KubeContexts(os.pathsep.join(map(str, files)), servers)


def address(context: str) -> str:
    """The address of a context's cluster; empty: there is no such context here, or it does not say."""
    try:
        return contexts().servers.get(context, "")
    except NoriaError:
        return ""


def remember(client: Any, kind: str, name: str, configuration: Any) -> None:
    """Keep with a component for which cluster it is registered, as far as that is known here."""
    from zenml.enums import StackComponentType

    found = address(str(configuration.get("kubernetes_context") or ""))
    if found and remembered(client, kind, name) != found:
        client.update_stack_component(name, StackComponentType(kind), labels={LABEL: found})


def remembered(client: Any, kind: str, name: str) -> str:
    """For which cluster a component was registered; empty: nothing is known."""
    for known in client.list_stack_components(type=kind, name=name, size=1, hydrate=True):
        return str((known.labels or {}).get(LABEL) or "")
    return ""


def refuse_another(client: Any, stack: str) -> None:
    """No run on a cluster that only bears the same name.

    Raises:
        NoriaError: the context of the stack's orchestrator means another cluster here than where it was registered.
    """
    for group in client.get_stack(stack, allow_name_prefix_match=False).components.values():
        for component in group:
            context = str(component.configuration.get("kubernetes_context") or "")
            here, there = address(context) if context else "", str((component.labels or {}).get(LABEL) or "")
            if here and there and here != there:
                what, fix = another(context, here, there, stack)
                raise NoriaError(
                    what,
                    code="cluster.context_differs",
                    where=f"stack `{stack}`, {component.type} `{component.name}`",
                    fix=fix,
                )


def another(context: str, here: str, there: str, stack: str) -> tuple[str, str]:
    """What is wrong when a context means another cluster, and how to fix it."""
    return (
        f"the context `{context}` means the cluster {here} here, and the stack was registered for {there}",
        f"set KUBECONFIG to the file of {there}; if the cluster has moved: {run_py('stack up', stack)}",
    )


def api_client(context: str) -> Any:
    """The official client for a context; needs the extra `kubernetes`.

    Raises:
        Exception: whatever a plug-in for logging in may raise.
    """
    from kubernetes import config
    from kubernetes.client import ApiClient, Configuration

    settings = Configuration()
    # the client itself reads KUBECONFIG only once, when it is imported
    config.load_kube_config(contexts().files, context=context, client_configuration=settings)
    settings.retries = False  # urllib3 would try four times to reach what is not there
    return ApiClient(settings)


def _named() -> str:
    return os.environ.get("KUBECONFIG") or "~/.kube/config"


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        if not isinstance(found, dict):
            raise yaml.YAMLError("it is no configuration of Kubernetes")
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise NoriaError(
            f"{file} cannot be read: {error}",
            code="cluster.kubeconfig_unreadable",
            fix="set KUBECONFIG to the cluster's file",
        ) from error
    return found
