"""A model into service on a Kubernetes cluster: its image is built and pushed, and the chart's release takes it up."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from app.environment import zenml_client
from app.images.project_images import SERVICE, docker, image_of
from app.images.service_image import build_image
from app.stacks import stacks
from app.stacks.definition import StackFile, read_stack
from noria.config import UseCase
from noria.deployment.image_contents import content_digest
from noria.system import progress
from noria.system.errors import NoriaError, last_line
from noria.system.workspace import PROJECT
from noria.traffic.activation import TrafficPlan

RELEASE = "noria"
"""The chart's release, as docs/kubernetes.md installs it."""
CHART = PROJECT / "deploy" / "kubernetes"
_WITHIN = "10m"


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
    def way_back(self) -> str:
        """The command that has the model before answer again."""
        return f"helm rollback {RELEASE} --namespace {self.namespace} --kube-context {self.context}"


def roll_out(
    stack: str, use_case: UseCase, make: Callable[[TrafficPlan], TrafficPlan] = lambda order: order
) -> tuple[TrafficPlan, str, Cluster]:
    """Put the champion, and whoever answers beside it, into service on the cluster of `stack`, pod by pod.

    Args:
        stack: its name.
        use_case: says who answers.
        make: from that order to the one that should hold.

    Returns:
        Who answers, the name of the image, and the cluster.

    Raises:
        NoriaError: there is no champion, the stack's file does not say where, the image cannot be built or pushed, or
            the pods do not become ready in ten minutes: then those that are left go on with the model before.
    """
    cluster = cluster_of(read_stack(stacks.STACK_FILES / f"{stack}.yaml"))
    program = helm()
    order = make(order_on(stack, use_case))
    repository, tag = f"{cluster.registry}/noria-{use_case.name}".lower(), image_tag(order)
    build_image(order, f"{repository}:{tag}")
    progress.stage("image", f"{repository}:{tag}")
    docker("push", f"{repository}:{tag}")
    progress.stage("push", f"to {cluster.registry}")
    _upgrade(program, cluster, repository, tag)
    progress.stage("rollout", f"release `{RELEASE}` in namespace `{cluster.namespace}`")
    return order, f"{repository}:{tag}", cluster


def image_tag(order: TrafficPlan) -> str:
    """Names who answers and the state of the code, for ever: a node keeps what it has pulled."""
    return f"{order.champion.version}-{content_digest(order)}-{image_of(SERVICE).rpartition(':')[2]}"


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
        raise NoriaError("Helm is not installed", where="helm", fix="install it: the service's release is Helm's")
    return found


def order_on(stack: str, use_case: UseCase) -> TrafficPlan:
    """The champion and whoever `serving.variants` puts beside it, from the stores of a stack.

    Raises:
        NoriaError: nothing has been promoted yet, or a variant's model does not exist.
    """
    from steps.shared.champion import require_champion
    from steps.shared.serving_variants import serving_variants

    zenml_client()
    with stacks.stack_for_one_run(stack):
        lineup = serving_variants(use_case, require_champion(use_case.name))
        return TrafficPlan(variants=[role.in_place() for role in lineup])


def _upgrade(program: str, cluster: Cluster, repository: str, tag: str) -> None:
    image = ["--set-string", f"service.image.repository={repository}", "--set-string", f"service.image.tag={tag}"]
    place = ["--kube-context", cluster.context, "--namespace", cluster.namespace]
    command = [
        program,
        "upgrade",
        RELEASE,
        str(CHART),
        *place,
        "--reuse-values",
        *image,
        "--wait",
        "--timeout",
        _WITHIN,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        reason = last_line(done.stderr)
        raise NoriaError(
            f"the service could not be updated: {reason}",
            where=f"release `{RELEASE}` in namespace `{cluster.namespace}`, context `{cluster.context}`",
            fix=f"see {' '.join(cluster.command('get', 'pods'))}; the release must be there (docs/kubernetes.md); "
            f"back to the model before: {cluster.way_back}",
        )
