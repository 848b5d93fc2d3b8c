"""The service on a Kubernetes cluster, as Helm's release and its pods tell of it."""

import json
import subprocess
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.serving.kubernetes_rollout import RELEASE, Cluster, helm
from app.serving.service_probe import Facts, ServiceAddress
from app.stacks import kube_contexts
from noria.system.errors import NoriaError, last_line

_INSTANCE = f"app.kubernetes.io/instance={RELEASE}"
_COMPONENT = "app.kubernetes.io/component"
_GONE = "release: not found"
_WITHIN = "10m"


@dataclass(frozen=True)
class Release:
    """The chart's release on the cluster of a stack."""

    cluster: Cluster
    address: ServiceAddress | None
    """Where its service answers this machine, if that is known."""

    changes = (
        "on a cluster who answers is in the image that every pod runs, so a decision policy is not changed while it "
        "answers"
    )
    is_changeable = False

    @property
    def title(self) -> str:
        """Where it is, in words."""
        server = kube_contexts.address(self.cluster.context)  # a context is only a name
        return f"release `{RELEASE}` in namespace `{self.cluster.namespace}` of context `{self.cluster.context}`" + (
            f" ({server})" if server else ""
        )

    @cached_property
    def revision(self) -> dict[str, Any] | None:
        """The last one; None: there is no such release.

        Raises:
            NoriaError: Helm is not installed, or cannot ask the cluster.
        """
        try:
            found = json.loads(self._helm("history", RELEASE, "--max", "1", "--output", "json"))
        except NoriaError as error:
            if _GONE in error.what:
                return None
            raise
        return dict(found[-1]) if found else None

    @property
    def is_there(self) -> bool:
        """Is anything deployed?"""
        return self.revision is not None

    @property
    def headline(self) -> str:
        """How it does, in a few words."""
        ready, wanted = self._ready
        return f"{ready} of {wanted} pods are ready in namespace `{self.cluster.namespace}`."

    @property
    def answers(self) -> bool:
        """Is a pod ready?"""
        return self._ready[0] > 0

    def facts(self) -> Facts:
        """The release, its image and its pods."""
        revision, (ready, wanted) = self.revision or {}, self._ready
        updated = self._workload.get("status", {}).get("updatedReplicas", 0)
        rollout = "all with the newest image" if updated >= wanted else f"{updated} with the newest image"
        restarts = sum(_restarts(pod) for pod in self._pods)
        troubled = [(f"pod {pod['metadata']['name']}", why) for pod in self._pods if (why := _trouble(pod))]
        at = str(revision.get("updated", ""))[:19].replace("T", " ")
        said = f"revision {revision.get('revision')}, {revision.get('status')} at {at}: {revision.get('description')}"
        return [
            ("release", f"{RELEASE}, {said}"),
            ("image", self.image),
            ("pods", f"{ready} of {wanted} ready, {rollout}, {restarts} restarts"),
            *troubled,
        ]

    @property
    def image(self) -> str:
        """What new pods run."""
        containers = self._workload.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or [{}]
        return str(containers[0].get("image", "unknown"))

    def stopping(self) -> str:
        """What `stop` takes away and what it leaves, to be confirmed."""
        others = sorted({_component(each) for each in self._everything} - {"service"})
        also = f", and with it {', '.join(others)}" if others else ""
        return f"This uninstalls the {self.title}, with the service ({self.image}){also}. {self._spools()}"

    def stop(self) -> Facts:
        """Uninstall the release, claims excepted.

        Raises:
            NoriaError: Helm could not.
        """
        spools, image = self._spools(), self.image
        self._helm("uninstall", RELEASE, "--wait", "--timeout", _WITHIN)
        claims = " ".join(self.cluster.command("get", "persistentvolumeclaims"))
        return [("uninstalled", self.title), ("image", image), ("spools", spools), ("claims", claims)]

    def roll_back(self) -> tuple[str, Facts]:
        """Let Helm put back what the last change of the release replaced.

        Raises:
            NoriaError: there is no such release, nothing before it, or the pods do not become ready.
        """
        before = self.image
        self._helm("rollback", RELEASE, "--wait", "--timeout", _WITHIN)
        now = type(self)(self.cluster, self.address)  # it is asked anew
        facts: Facts = [("before", before), ("now", now.image), ("registries", _REGISTRIES)]
        return f"Helm has rolled back the {self.title}.", facts

    def _spools(self) -> str:
        if self._workload.get("kind") == "StatefulSet":
            return "Claims stay, and with them every answer that still waits in a spool for the prediction store."
        return "Its spools have no claims: pods move what waits as they end, but what the store does not take is LOST."

    @property
    def _ready(self) -> tuple[int, int]:
        workload = self._workload
        return int(workload.get("status", {}).get("readyReplicas") or 0), int(
            workload.get("spec", {}).get("replicas") or 0
        )

    @property
    def _workload(self) -> dict[str, Any]:
        mine = (each for each in self._everything if _component(each) == "service" and each["kind"] != "Pod")
        return next(mine, {})

    @property
    def _pods(self) -> list[dict[str, Any]]:
        return [each for each in self._everything if each["kind"] == "Pod" and _component(each) == "service"]

    @cached_property
    def _everything(self) -> list[dict[str, Any]]:
        """What of the release runs."""
        kinds = "statefulsets,deployments,cronjobs,pods"
        command = self.cluster.command("get", kinds, "--selector", _INSTANCE, "--output", "json")
        return list(json.loads(_ran(command, self.title)).get("items", []))

    def _helm(self, *arguments: str) -> str:
        place = ["--kube-context", self.cluster.context, "--namespace", self.cluster.namespace]
        return _ran([helm(), *arguments, *place], self.title)


_REGISTRIES = "unchanged: the next `deploy` puts their champion into service; `promote --version N` names another one"


def _ran(command: list[str], where: str) -> str:
    name = command[0].rpartition("/")[2]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    except FileNotFoundError as error:
        raise NoriaError(f"{name} is not installed", where=name, fix="install it; it asks the cluster") from error
    if done.returncode:
        reason = last_line(done.stderr)
        again = " ".join([name, *command[1:]])
        raise NoriaError(f"{name} failed: {reason}", where=where, fix=f"mend that; it was: {again}")
    return done.stdout


def _component(item: dict[str, Any]) -> str:
    return str((item["metadata"].get("labels") or {}).get(_COMPONENT, ""))


def _restarts(pod: dict[str, Any]) -> int:
    return sum(int(each.get("restartCount") or 0) for each in pod.get("status", {}).get("containerStatuses") or [])


def _trouble(pod: dict[str, Any]) -> str:
    """Why a pod is not ready; empty: it is."""
    status = pod.get("status", {})
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    if conditions.get("Ready", {}).get("status") == "True":
        return ""
    waiting = [each["state"]["waiting"] for each in status.get("containerStatuses") or [] if "waiting" in each["state"]]
    for told in [*waiting, conditions.get("PodScheduled", {}), conditions.get("Ready", {})]:
        if told.get("reason"):
            return f"{told['reason']}: {' '.join(str(told.get('message', '')).split())}".rstrip(": ")
    return str(status.get("phase", "unknown"))
