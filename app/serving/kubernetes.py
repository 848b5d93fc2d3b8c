"""The service on a Kubernetes cluster: a release of Helm, and its pods."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from app.command_result import CommandResult, Facts, run_py
from app.environment import one_at_a_time
from app.serving.kubernetes_rollout import RELEASE, Cluster, cluster_of, helm, roll_out
from app.serving.remote import RemoteBackend
from app.serving.service_probe import ServiceAddress
from app.serving.traffic_request import TrafficRequest, missing_variants, requested_plan
from app.serving.traffic_summary import canary_facts, variant_facts
from app.stacks import kube_contexts, stacks
from app.stacks.definition import PreflightFinding, read_stack
from app.stacks.preflight.step_image import engine_findings
from noria.bundle import Bundle
from noria.config import UseCase
from noria.system.errors import NoriaError, last_line
from noria.system.locks import exclusive
from noria.system.shell_commands import shell_command
from noria.system.workspace import Workspace
from noria.traffic import plan_transforms
from noria.traffic.activation import TrafficPlan

_INSTANCE = f"app.kubernetes.io/instance={RELEASE}"
_COMPONENT = "app.kubernetes.io/component"
_NO_RELEASE = "release: not found"
_TIMEOUT = "10m"
_REGISTRIES = "unchanged: the next `deploy` puts their champion into service; `promote --version N` names another one"


class KubernetesBackend(RemoteBackend):
    """The service is the chart's release on the cluster of the stack."""

    change_limit = (
        "on a cluster who answers is in the image that every pod runs, so a decision policy is not changed while it "
        "answers"
    )

    @property
    def title(self) -> str:
        """The release, its namespace and its cluster."""
        server = kube_contexts.address(self._cluster.context)  # a context is only a name
        return f"release `{RELEASE}` in namespace `{self._cluster.namespace}` of context `{self._cluster.context}`" + (
            f" ({server})" if server else ""
        )

    @property
    def headline(self) -> str:
        """How many pods are ready."""
        ready, wanted = self._ready
        return f"{ready} of {wanted} pods are ready in namespace `{self._cluster.namespace}`."

    @property
    def address(self) -> ServiceAddress | None:
        """The address that the user or the stack's file gives."""
        url = self._target.url or self._target.settings.url
        return ServiceAddress(url) if url else None

    @property
    def is_deployed(self) -> bool:
        """Is there a release?"""
        return self._revision is not None

    @property
    def is_ready(self) -> bool:
        """Is a pod ready?"""
        return self._ready[0] > 0

    def facts(self) -> Facts:
        """The release, its image and its pods."""
        revision, (ready, wanted) = self._revision or {}, self._ready
        updated = self._workload.get("status", {}).get("updatedReplicas", 0)
        rollout = "all with the newest image" if updated >= wanted else f"{updated} with the newest image"
        restarts = sum(_restarts(pod) for pod in self._pods)
        not_ready = [(f"pod {pod['metadata']['name']}", why) for pod in self._pods if (why := _trouble(pod))]
        at = str(revision.get("updated", ""))[:19].replace("T", " ")
        state = f"revision {revision.get('revision')}, {revision.get('status')} at {at}: {revision.get('description')}"
        return [
            ("release", f"{RELEASE}, {state}"),
            ("image", self._image),
            ("pods", f"{ready} of {wanted} ready, {rollout}, {restarts} restarts"),
            *not_ready,
        ]

    def preflight(self) -> Iterator[PreflightFinding]:
        """Docker builds the model's image here, and Helm updates the release."""
        yield from engine_findings("noria.service")
        if shutil.which("helm") is None:
            yield PreflightFinding(
                "noria.service: Helm is not installed", "install it: `deploy` updates the chart's release"
            )

    def deploy(self, use_case: UseCase) -> CommandResult:
        """Build and push an image of the champion and the variants beside it, and roll it out pod by pod."""
        with one_at_a_time("deploy", Workspace(use_case.name)):
            plan, image, cluster = roll_out(self._target.stack, use_case)
        champion = Bundle.open(plan.champion.bundle)
        forward = shell_command(*cluster.command("port-forward", f"service/{RELEASE}-service", "3000"))
        return CommandResult(
            f"Version {champion.manifest.version} ({champion.manifest.kind}) answers in `{cluster.namespace}`.",
            [*variant_facts(plan), ("image", image), ("take it back", cluster.rollback_command)],
            [forward, run_py("status")],
        )

    def change_traffic(self, use_case: UseCase, request: TrafficRequest) -> CommandResult:
        """Roll out another image: all pods have one traffic plan, which is in their image."""
        self._require_deployed()
        if request.policy:
            raise self._not_changeable()

        def change(plan: TrafficPlan) -> TrafficPlan:
            new = [each.in_place() for each in missing_variants(use_case, request, plan, self._target.stack)]
            return requested_plan(use_case, request, new)(plan)

        with exclusive("deploy", Workspace(use_case.name)):
            plan, image, cluster = roll_out(self._target.stack, use_case, change)
        facts: Facts = [
            *canary_facts(plan),
            ("service", self.title),
            ("image", image),
            ("take it back", cluster.rollback_command),
        ]
        return CommandResult(f"{use_case.name}: {plan_transforms.describe_plan(plan)}.", facts, [run_py("traffic")])

    def stop_question(self) -> str:
        """What `stop` removes and what it keeps."""
        others = sorted({_component(each) for each in self._resources} - {"service"})
        also = f", and with it {', '.join(others)}" if others else ""
        return f"This uninstalls the {self.title}, with the service ({self._image}){also}. {self._spools}"

    def _restore_previous(self) -> tuple[str, Facts]:
        before = self._image
        self._helm("rollback", RELEASE, "--wait", "--timeout", _TIMEOUT)
        now = KubernetesBackend(self._target)._image  # the cluster is asked again
        facts: Facts = [("before", before), ("now", now), ("registries", _REGISTRIES)]
        return f"Helm has rolled back the {self.title}.", facts

    def _remove(self) -> Facts:
        spools, image = self._spools, self._image
        self._helm("uninstall", RELEASE, "--wait", "--timeout", _TIMEOUT)
        claims = shell_command(*self._cluster.command("get", "persistentvolumeclaims"))
        return [("uninstalled", self.title), ("image", image), ("spools", spools), ("claims", claims)]

    @cached_property
    def _cluster(self) -> Cluster:
        return cluster_of(read_stack(stacks.STACK_FILES / f"{self._target.stack}.yaml"), pushes=False)

    @cached_property
    def _revision(self) -> dict[str, Any] | None:
        """The last revision of the release; None: there is no such release."""
        try:
            found = json.loads(self._helm("history", RELEASE, "--max", "1", "--output", "json"))
        except NoriaError as error:
            if _NO_RELEASE in error.what:
                return None
            raise
        return dict(found[-1]) if found else None

    @property
    def _image(self) -> str:
        """The image that new pods run."""
        containers = self._workload.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or [{}]
        return str(containers[0].get("image", "unknown"))

    @property
    def _spools(self) -> str:
        """What happens to the answers that wait in spools when the service stops."""
        if self._workload.get("kind") == "StatefulSet":
            return "Claims stay, and with them every answer that still waits in a spool for the prediction store."
        return "Its spools have no claims: pods move what waits as they end, but what the store does not take is LOST."

    @property
    def _ready(self) -> tuple[int, int]:
        """How many pods are ready, and how many there should be."""
        workload = self._workload
        return int(workload.get("status", {}).get("readyReplicas") or 0), int(
            workload.get("spec", {}).get("replicas") or 0
        )

    @property
    def _workload(self) -> dict[str, Any]:
        """The StatefulSet or Deployment of the service."""
        found = (each for each in self._resources if _component(each) == "service" and each["kind"] != "Pod")
        return next(found, {})

    @property
    def _pods(self) -> list[dict[str, Any]]:
        return [each for each in self._resources if each["kind"] == "Pod" and _component(each) == "service"]

    @cached_property
    def _resources(self) -> list[dict[str, Any]]:
        """What the release runs."""
        kinds = "statefulsets,deployments,cronjobs,pods"
        command = self._cluster.command("get", kinds, "--selector", _INSTANCE, "--output", "json")
        return list(json.loads(_output(command, self.title)).get("items", []))

    def _helm(self, *arguments: str) -> str:
        where = ["--kube-context", self._cluster.context, "--namespace", self._cluster.namespace]
        return _output([helm(), *arguments, *where], self.title)


def _output(command: list[str], where: str) -> str:
    name = command[0].rpartition("/")[2]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    except FileNotFoundError as error:
        raise NoriaError(
            f"{name} is not installed", code="cluster.tool_missing", where=name, fix="install it: it asks the cluster"
        ) from error
    if done.returncode:
        reason = last_line(done.stderr)
        again = shell_command(name, *command[1:])
        raise NoriaError(
            f"{name} failed: {reason}",
            code="cluster.command_failed",
            where=where,
            fix=f"correct the cause; the command was: {again}",
        )
    return done.stdout


def _component(resource: dict[str, Any]) -> str:
    return str((resource["metadata"].get("labels") or {}).get(_COMPONENT, ""))


def _restarts(pod: dict[str, Any]) -> int:
    return sum(int(each.get("restartCount") or 0) for each in pod.get("status", {}).get("containerStatuses") or [])


def _trouble(pod: dict[str, Any]) -> str:
    """Why a pod is not ready; empty: it is."""
    status = pod.get("status", {})
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    if conditions.get("Ready", {}).get("status") == "True":
        return ""
    waiting = [each["state"]["waiting"] for each in status.get("containerStatuses") or [] if "waiting" in each["state"]]
    for cause in [*waiting, conditions.get("PodScheduled", {}), conditions.get("Ready", {})]:
        if cause.get("reason"):
            return f"{cause['reason']}: {' '.join(str(cause.get('message', '')).split())}".rstrip(": ")
    return str(status.get("phase", "unknown"))
