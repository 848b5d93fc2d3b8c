"""The preflight of a Kubernetes cluster: is it the right one, does it answer, and may we do there what must be done?"""

from collections.abc import Iterator
from typing import Any

from app.images.project_images import variables_for
from app.stacks import kube_contexts
from app.stacks.definition import Component, PreflightFinding, StackFile
from noria.system.errors import NoriaError
from noria.system.shell_commands import shell_command

_SECONDS = 10
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_RIGHTS = [("batch", "jobs", verb) for verb in ("create", "get", "list", "delete")]
_RIGHTS += [("", "pods", verb) for verb in ("get", "list")] + [("", "pods/log", "get")]
_SECRETS = [("", "secrets", verb) for verb in ("create", "patch", "delete")]
_ACCOUNTS = ("service_account_name", "step_pod_service_account_name")
_CHART = "deploy/kubernetes with orchestrator.enabled=true makes"


def cluster_findings(component: Component, config: Any, registered_for: str, stack: str) -> Iterator[PreflightFinding]:
    """What keeps a component from working on the cluster of its context.

    Args:
        component: as the stack's file has it.
        config: its settings, as its flavor reads them.
        registered_for: address of the cluster that it was registered for; empty: nothing is known.
        stack: the stack's name.
    """
    title, context = component.title, str(config.kubernetes_context)
    try:
        here = kube_contexts.contexts()
    except NoriaError as error:
        yield PreflightFinding(f"{title}: {error.what}", error.fix)
        return
    if context not in here.servers:
        known = ", ".join(here.servers) or "none: make one first"
        yield PreflightFinding(f"{title}: {here.files} has no context `{context}`", f"choose one of {known}")
        return
    server = here.servers[context]
    if registered_for and server and server != registered_for:
        what, fix = kube_contexts.another(context, server, registered_for, stack)
        yield PreflightFinding(f"{title}: {what}", fix)
        return  # what holds for another cluster is worth nothing
    for finding in _asked(config, context, server):
        yield PreflightFinding(f"{title}: {finding.what}", finding.fix)


def image_for_nodes(stack: StackFile) -> Iterator[PreflightFinding]:
    """Why the nodes of a cluster could not pull an image of the steps, or would run an old one, as far as it shows."""
    whole = stack.model_copy(update={"noria": stack.noria.filled(variables_for(stack.noria))})
    for key, image in whole.images_of("kubernetes").items():
        yield from _pulled(key, image)


def _pulled(key: str, image: str) -> Iterator[PreflightFinding]:
    if "${" in image:
        return
    fix = "push it under a tag of its own: export NORIA_PIPELINE_IMAGE=REGISTRY/noria-pipeline:1"
    repository, _, name = image.rpartition("/")
    if not repository:
        yield PreflightFinding(f"{key}: `{image}` names no registry, so no node can pull it", fix)
    if "@" not in name and name.partition(":")[2] in {"", "latest"}:
        yield PreflightFinding(f"{key}: a node goes on with what it has once pulled as `{image}`", fix)


def _asked(config: Any, context: str, server: str) -> Iterator[PreflightFinding]:
    try:
        api = kube_contexts.api_client(context)
    except Exception as error:  # whatever a plug-in for logging in may raise
        yield PreflightFinding(f"the context `{context}` cannot be used: {error}", f"try: {_version_of(context)}")
        return
    problem = _answers(api, context, server)
    if problem is not None:
        yield problem
        return
    namespace = str(config.kubernetes_namespace)
    if _status(lambda: _core(api).read_namespace(namespace, _request_timeout=_SECONDS)) == _NOT_FOUND:
        yield PreflightFinding(
            f"the cluster {server} has no namespace `{namespace}`",
            shell_command("kubectl", "--context", context, "create", "namespace", namespace),
        )
        return
    yield from _rights(api, config, namespace)
    yield from _accounts(api, config, namespace)


def _version_of(context: str) -> str:
    return shell_command("kubectl", "--context", context, "version")


def _answers(api: Any, context: str, server: str) -> PreflightFinding | None:
    from kubernetes.client import VersionApi
    from kubernetes.client.exceptions import ApiException

    try:
        VersionApi(api).get_code(_request_timeout=_SECONDS)
    except ApiException as error:
        if error.status in {_UNAUTHORIZED, _FORBIDDEN}:
            return PreflightFinding(
                f"the cluster {server} does not know you ({error.status})", f"log in again for the context `{context}`"
            )
        return PreflightFinding(
            f"{server} answers {error.status}, so it is no cluster", f"check the context `{context}`"
        )
    except Exception as error:  # urllib3 has a dozen kinds
        reason = getattr(error, "reason", None) or error
        return PreflightFinding(
            f"the cluster {server} cannot be reached: {reason}",
            f"start it, or the network to it; try: {_version_of(context)}",
        )
    return None


def _rights(api: Any, config: Any, namespace: str) -> Iterator[PreflightFinding]:
    """What those who submit a run must be allowed to do."""
    wanted = [*_RIGHTS, *(_SECRETS if getattr(config, "pass_zenml_token_as_secret", False) else [])]
    lacking = [
        f"{verb} {resource}" for group, resource, verb in wanted if not _may(api, namespace, group, resource, verb)
    ]
    if lacking:
        yield PreflightFinding(
            f"in the namespace `{namespace}` you may not {', '.join(lacking)}",
            "ask the cluster's administrators for a Role with these rights: `Rights` in docs/kubernetes.md",
        )


def _may(api: Any, namespace: str, group: str, resource: str, verb: str) -> bool:
    from kubernetes import client

    name, _, part = resource.partition("/")
    asked = client.V1ResourceAttributes(
        namespace=namespace, group=group, resource=name, subresource=part or None, verb=verb
    )
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=asked))
    answered = client.AuthorizationV1Api(api).create_self_subject_access_review(review, _request_timeout=_SECONDS)
    return bool(answered.status.allowed)


def _accounts(api: Any, config: Any, namespace: str) -> Iterator[PreflightFinding]:
    for setting in _ACCOUNTS:
        name = getattr(config, setting, None)
        if name and _status(lambda name=name: _account(api, name, namespace)) == _NOT_FOUND:
            yield PreflightFinding(
                f"the namespace `{namespace}` has no service account `{name}` (`{setting}`)", f"{_CHART} both accounts"
            )


def _account(api: Any, name: str, namespace: str) -> Any:
    return _core(api).read_namespaced_service_account(name, namespace, _request_timeout=_SECONDS)


def _status(ask: Any) -> int:
    """The status of an answer; a user who may not look (403) does not learn that something is missing."""
    from kubernetes.client.exceptions import ApiException

    try:
        ask()
    except ApiException as error:
        return int(error.status or 0)
    return 200


def _core(api: Any) -> Any:
    from kubernetes.client import CoreV1Api

    return CoreV1Api(api)
