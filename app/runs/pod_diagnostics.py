"""Why a run on Kubernetes failed, where ZenML knows no more than that it did: what became of its pods."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.stacks import kube_contexts
from noria.system import progress
from noria.system.errors import NoriaError, first_line
from noria.system.shell_commands import run_py, shell_command

SECONDS = 10
_JOB_FAILED = re.compile(r"Job `([^:`]+):([^`]+)` failed: (.*)", re.DOTALL)
_REASON = re.compile(r"Detected container in state `?(\w+)")
_NOT_SUBMITTED = re.compile(r"failed to submit Kubernetes job with '(.*?)' \((\d+)\)\.\s*(.*)", re.DOTALL)
_NO_IMAGE = ("the image {image} cannot be had ({reason})", "push it, or correct `noria.image` and `image_pull_secrets`")
_KNOWN = {
    "ErrImagePull": _NO_IMAGE,
    "ImagePullBackOff": _NO_IMAGE,
    "InvalidImageName": _NO_IMAGE,
    "ErrImageNeverPull": _NO_IMAGE,
    "CreateContainerConfigError": ("it cannot be set up ({reason})", "make the Secret or ConfigMap that it names"),
    "OOMKilled": ("it took more memory than it may, {limit} ({reason})", "raise `noria.resources.memory`"),
    "CrashLoopBackOff": ("it ends at every start ({reason}), last with exit code {code}", "read its log: {log}"),
    "Evicted": (
        "its node threw it out ({reason})",
        "let it ask for what it needs in `noria.resources`, or set retries",
    ),
    "DeadlineExceeded": ("it took longer than it may ({reason})", "raise `active_deadline_seconds`"),
    "Unschedulable": ("no node takes it ({reason})", "ask for less in `noria.resources`, or look at `node_selectors`"),
}
_ENDED = ("it ended with exit code {code} ({reason})", "read its log: {log}")


@dataclass(frozen=True)
class PodFailure:
    """What became of a pod, in words."""

    pod: str
    what: str
    fix: str

    def error(self, run: str) -> NoriaError:
        """For the person who started the run."""
        return NoriaError(
            f"the run did not complete: {self.what}",
            code="pipelines.pod_failed",
            where=f"{self.pod}, run {run}",
            fix=self.fix,
        )


def submission_error(client: Any, stack: str, run: Any, error: BaseException) -> NoriaError | None:
    """What an error of ZenML means that says that a job failed or was not taken; None: it says something else."""
    refused = _NOT_SUBMITTED.search(str(error))
    if refused:
        return NoriaError(
            f"the cluster did not take the run: {refused[3].strip() or refused[1]} ({refused[2]})",
            code="cluster.run_refused",
            where=f"stack `{stack}`",
            fix=run_py("stack check", stack),
        )
    failed = _JOB_FAILED.search(str(error))
    if failed is None:
        return None
    found = pod_failure(client, stack, run.id)
    return (found or _as_zenml_says(*failed.groups())).error(run.name)


def pod_failure(client: Any, stack: str, run_id: object) -> PodFailure | None:
    """What the pods of a run died of, or wait for in vain; None: none did, or the cluster cannot be asked."""
    pods = pods_at(places_of_pods(client, stack), f"run_id={run_id}")
    # a step's pod says more than that of the orchestrator, which only ends after it; the last try says most
    pods.sort(key=lambda pod: (step_of(pod) == "", -pod.metadata.creation_timestamp.timestamp()))
    return next((found for pod in pods if (found := of_pod(pod)) is not None), None)


def end_jobs(client: Any, stack: str, run_id: object) -> None:
    """Take the jobs of a stopped run away, with their pods; a cluster that cannot be asked is a warning."""
    for context, namespace in places_of_pods(client, stack):
        delete_jobs(context, namespace, f"run_id={run_id}")


def delete_jobs(context: str, namespace: str, selector: str) -> None:
    """Take the jobs that a selector finds and that have not ended away; a cluster that cannot be asked is a warning."""
    from kubernetes.client import BatchV1Api

    try:
        api = BatchV1Api(kube_contexts.api_client(context))
        for job in api.list_namespaced_job(namespace, label_selector=selector, _request_timeout=SECONDS).items:
            if not (job.status.succeeded or job.status.failed):
                api.delete_namespaced_job(
                    job.metadata.name, namespace, propagation_policy="Background", _request_timeout=SECONDS
                )
    except Exception as error:  # whatever the client and its plug-ins raise
        progress.warn(
            f"what runs in the cluster could not be ended ({first_line(error)}); end it with: "
            + shell_command("kubectl", "--namespace", namespace, "delete", "jobs", "--selector", selector)
        )


def pods_at(places: Sequence[tuple[str, str]], selector: str) -> list[Any]:
    """The pods that a selector finds; a cluster that cannot be asked has none, for a run matters more than they do."""
    from kubernetes.client import CoreV1Api

    found: list[Any] = []
    for context, namespace in places:
        with suppress(Exception):  # whatever the client and its plug-ins raise
            api = CoreV1Api(kube_contexts.api_client(context))
            found += api.list_namespaced_pod(namespace, label_selector=selector, _request_timeout=SECONDS).items
    return found


def places_of_pods(client: Any, stack: str) -> list[tuple[str, str]]:
    """Where the pods of a run may be: context and namespace of each component that runs steps."""
    groups = client.get_stack(stack, allow_name_prefix_match=False).components.items()
    runners = [each for kind, group in groups if str(kind) in {"orchestrator", "step_operator"} for each in group]
    settings = [each.configuration for each in runners if each.configuration.get("kubernetes_context")]
    places = [(str(each["kubernetes_context"]), str(each.get("kubernetes_namespace") or "zenml")) for each in settings]
    return list(dict.fromkeys(places))


def of_pod(pod: Any) -> PodFailure | None:
    """What became of a pod, or what it waits for in vain; None: nothing is wrong with it."""
    status, container = pod.status, pod.spec.containers[0]
    states = [each for each in status.container_statuses or [] if each.name == container.name]
    reason, message, code = _pod_reason(status)
    if not reason and states:
        reason, message, code = _container_reason(states[0])
    if not reason:
        return None
    what, fix = _KNOWN.get(reason, _ENDED)
    facts = {
        "reason": f"{reason}: {message}" if message else reason,
        "image": container.image,
        "code": code,
        "limit": _limit(container),
        "log": shell_command("kubectl", "--namespace", pod.metadata.namespace, "logs", pod.metadata.name),
    }
    who = f"step `{step_of(pod)}`" if step_of(pod) else "the orchestrator's pod"
    return PodFailure(f"pod `{pod.metadata.name}`", f"{who}: {what.format(**facts)}", fix.format(**facts))


def _pod_reason(status: Any) -> tuple[str, str, object]:
    """What the kubelet or the scheduler says of the whole pod."""
    if status.phase == "Failed" and status.reason:
        return status.reason, _short(status.message), "unknown"
    for condition in status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False" and condition.reason in _KNOWN:
            return condition.reason, _short(condition.message), "unknown"
    return "", "", "unknown"


def _container_reason(status: Any) -> tuple[str, str, object]:
    """What its container waits for, or ended with; one that crashes again and again may have run out of memory."""
    ended = status.state.terminated or (status.last_state.terminated if status.last_state else None)
    waiting = status.state.waiting
    if ended is not None and ended.reason == "OOMKilled":
        return "OOMKilled", "", ended.exit_code
    if waiting is not None and waiting.reason in _KNOWN:
        return waiting.reason, _short(waiting.message), ended.exit_code if ended is not None else "unknown"
    if ended is not None and ended.exit_code:
        return ended.reason or "Error", _short(ended.message), ended.exit_code
    return "", "", "unknown"


def _as_zenml_says(namespace: str, job: str, said: str) -> PodFailure:
    """The pods are gone, since ZenML takes the job away with them."""
    named = _REASON.search(said)
    reason = named[1] if named else ""
    what, fix = _KNOWN.get(reason, ("{reason}", "read its log: {log}"))
    facts = {
        "reason": reason or _short(said) or "its job failed",
        "image": "of the pipeline",
        "code": "unknown",
        "limit": "its limit",
        "log": shell_command("kubectl", "--namespace", namespace, "logs", f"job/{job}"),
    }
    return PodFailure(f"job `{job}`", f"the orchestrator's pod: {what.format(**facts)}", fix.format(**facts))


def step_of(pod: Any) -> str:
    """The step that runs in a pod; empty: it is the orchestrator's."""
    return str((pod.metadata.labels or {}).get("step_name") or "")


def _limit(container: Any) -> str:
    limits = (container.resources.limits if container.resources else None) or {}
    return str(limits.get("memory", "the memory of its node"))


def _short(message: str | None) -> str:
    return " ".join((message or "").split())[:200]
