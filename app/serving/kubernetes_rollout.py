"""Putting a model into service on a Kubernetes cluster: build and push its image, then update the chart's release."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from app.images.project_images import docker
from app.images.service_image import build_image
from app.serving.model_image import champion_plan, image_tag
from app.stacks import stacks
from app.stacks.definition import StackFile, read_stack
from noria.config import UseCase
from noria.system import progress
from noria.system.errors import NoriaError, last_line
from noria.system.shell_commands import shell_command
from noria.system.workspace import PROJECT
from noria.traffic.activation import TrafficPlan

RELEASE = "noria"
"""The chart's release, as docs/kubernetes.md installs it."""
CHART = PROJECT / "deploy" / "kubernetes"
_TIMEOUT = "10m"


@dataclass(frozen=True)
class Cluster:
    """Where the release is, and the registry that its nodes pull from."""

    context: str
    namespace: str
    registry: str

    def command(self, *arguments: str) -> list[str]:
        """A command of kubectl there."""
        return ["kubectl", "--context", self.context, "--namespace", self.namespace, *arguments]

    @property
    def rollback_command(self) -> str:
        """The command that puts the model before back into service."""
        where = ("--namespace", self.namespace, "--kube-context", self.context)
        return shell_command("helm", "rollback", RELEASE, *where)


def roll_out(
    stack: str, use_case: UseCase, change: Callable[[TrafficPlan], TrafficPlan] = lambda plan: plan
) -> tuple[TrafficPlan, str, Cluster]:
    """Put the champion, and the variants beside it, into service on the cluster of `stack`, pod by pod.

    Args:
        stack: its name.
        use_case: says who answers.
        change: from that plan to the one that is rolled out.

    Returns:
        The plan, the name of the image, and the cluster.

    Raises:
        NoriaError: there is no champion, the stack's file does not say where, the image cannot be built or pushed, or
            the pods do not become ready in ten minutes: then those that are left continue with the model before.
    """
    cluster = cluster_of(read_stack(stacks.STACK_FILES / f"{stack}.yaml"))
    program = helm()
    plan = change(champion_plan(stack, use_case))
    repository, tag = f"{cluster.registry}/noria-{use_case.name}".lower(), image_tag(plan)
    build_image(plan, f"{repository}:{tag}")
    progress.stage("image", f"{repository}:{tag}")
    docker("push", f"{repository}:{tag}")
    progress.stage("push", f"to {cluster.registry}")
    _upgrade(program, cluster, repository, tag)
    progress.stage("rollout", f"release `{RELEASE}` in namespace `{cluster.namespace}`")
    return plan, f"{repository}:{tag}", cluster


def cluster_of(stack: StackFile, *, pushes: bool = True) -> Cluster:
    """The cluster that a stack's file names.

    Raises:
        NoriaError: it names none, or no container registry although one `pushes`, or a variable is not set.
    """
    orchestrator = stack.orchestrator.filled(os.environ)
    registries = [component.filled(os.environ) for component in stack.components.get("container_registry", [])]
    context, namespace = (str(orchestrator.get(f"kubernetes_{name}") or "") for name in ("context", "namespace"))
    registry = str(registries[0].get("uri") or "") if registries else ""
    needed = {"kubernetes_context": context, "kubernetes_namespace": namespace} | ({"uri": registry} if pushes else {})
    for what, value in needed.items():
        if not value or "${" in value:
            raise NoriaError(
                f"the service goes to a cluster, and `{what}` is {'not set: ' + value if value else 'missing'}",
                code="cluster.setting_missing",
                where=f"stack `{stack.stack_name}`",
                fix="name the cluster with the orchestrator and its registry with the container registry",
            )
    return Cluster(context, namespace, registry.rstrip("/"))


def helm() -> str:
    """The program.

    Raises:
        NoriaError: it is not installed.
    """
    found = shutil.which("helm")
    if found is None:
        raise NoriaError(
            "Helm is not installed",
            code="cluster.tool_missing",
            where="helm",
            fix="install it: the service's release is Helm's",
        )
    return found


def _upgrade(program: str, cluster: Cluster, repository: str, tag: str) -> None:
    image = ["--set-string", f"service.image.repository={repository}", "--set-string", f"service.image.tag={tag}"]
    where = ["--kube-context", cluster.context, "--namespace", cluster.namespace]
    command = [
        program,
        "upgrade",
        RELEASE,
        str(CHART),
        *where,
        "--reuse-values",
        *image,
        "--wait",
        "--timeout",
        _TIMEOUT,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        reason = last_line(done.stderr)
        raise NoriaError(
            f"the service could not be updated: {reason}",
            code="cluster.release_failed",
            where=f"release `{RELEASE}` in namespace `{cluster.namespace}`, context `{cluster.context}`",
            fix=f"see {shell_command(*cluster.command('get', 'pods'))}; the release must be there "
            f"(docs/kubernetes.md); back to the model before: {cluster.rollback_command}",
        )
