"""What is told of a run whose pods failed, from pods as the API shows them."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.runs.pod_diagnostics import PodFailure, end_jobs, pod_failure, submission_error
from app.stacks import kube_contexts
from noria.system import progress
from tests.cluster.fake_api import Cluster, served

RUN = "6d2c9a1e-6d0f-4f60-8a0e-0f4ce1a6f3a1"


def waiting(reason: str, message: str = "", **last: Any) -> dict[str, Any]:
    status = {"name": "main", "ready": False, "restartCount": 3, "image": "i", "imageID": ""}
    status |= {"state": {"waiting": {"reason": reason, "message": message}}, "lastState": last}
    return {"phase": "Pending", "containerStatuses": [status]}


def terminated(reason: str, code: int) -> dict[str, Any]:
    ended = {
        "exitCode": code,
        "reason": reason,
        "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T00:00:09Z",
    }
    status = {"name": "main", "ready": False, "restartCount": 0, "image": "i", "imageID": ""}
    phase = "Failed" if code else "Succeeded"
    return {"phase": phase, "containerStatuses": [status | {"state": {"terminated": ended}, "lastState": {}}]}


def last(reason: str, code: int) -> dict[str, Any]:
    """The state in which a container ended before it was started anew."""
    ended: dict[str, Any] = terminated(reason, code)["containerStatuses"][0]["state"]
    return ended


EVICTED = {
    "phase": "Failed",
    "reason": "Evicted",
    "message": "The node was low on resource: memory. Threshold quantity: 100Mi, available: 3Mi.",
}
UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/3 nodes are available: 3 Insufficient memory.",
        }
    ],
}
RUNNING = {
    "phase": "Running",
    "containerStatuses": [{**terminated("x", 0)["containerStatuses"][0], "state": {"running": {}}}],
}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with served(Cluster()) as one:
        monkeypatch.setenv("KUBECONFIG", str(one.configuration(tmp_path / "config")))
        yield one


def client(context: str = "cluster") -> Any:
    """ZenML's client, as far as it is asked for the stack."""
    told = {"kubernetes_context": context, "kubernetes_namespace": "ml"} if context else {}
    stack = SimpleNamespace(components={"orchestrator": [SimpleNamespace(configuration=told)]})
    return SimpleNamespace(get_stack=lambda name, allow_name_prefix_match: stack)


def told() -> PodFailure:
    failure = pod_failure(client(), "mine", RUN)
    assert failure is not None
    return failure


@pytest.mark.parametrize(
    ("status", "what", "fix"),
    [
        (waiting("ImagePullBackOff", "Back-off"), "registry.example.com/p:1 cannot be had", "push it"),
        (waiting("ErrImagePull", "not found"), "(ErrImagePull: not found)", "noria.image"),
        (terminated("OOMKilled", 137), "more memory than it may, 2Gi (OOMKilled)", "noria.resources.memory"),
        (EVICTED, "threw it out (Evicted: The node was low on resource: memory.", "noria.resources"),
        (
            waiting("CrashLoopBackOff", "back-off 5m0s", **last("Error", 3)),
            "ends at every start (CrashLoopBackOff: back-off 5m0s), last with exit code 3",
            "kubectl --namespace ml logs pod-0",
        ),
        (
            waiting("CrashLoopBackOff", "", **last("OOMKilled", 137)),
            "OOMKilled",
            "noria.resources.memory",
        ),
        (terminated("Error", 1), "ended with exit code 1 (Error)", "kubectl --namespace ml logs pod-0"),
        (UNSCHEDULABLE, "no node takes it (Unschedulable: 0/3 nodes are available", "node_selectors"),
        (waiting("CreateContainerConfigError", 'secret "s" not found'), 'secret "s" not found', "Secret or ConfigMap"),
    ],
)
def test_each_end_is_told_in_a_sentence_with_its_remedy(
    cluster: Cluster, status: dict[str, Any], what: str, fix: str
) -> None:
    cluster.add_pod(status, run_id=RUN, step="train")
    failure = told()
    assert failure.what.startswith("step `train`: ")
    assert what in failure.what
    assert fix in failure.fix
    assert "\n" not in failure.what
    assert "{" not in failure.what + failure.fix
    error = failure.error("training-1")
    assert "pod `pod-0`" in error.where
    assert "training-1" in error.where


def test_of_many_pods_the_step_that_failed_last_is_told(cluster: Cluster) -> None:
    cluster.add_pod(terminated("OOMKilled", 137), run_id="another-run", step="select")
    cluster.add_pod(terminated("Error", 1), run_id=RUN)  # the orchestrator ends with its steps
    cluster.add_pod(terminated("Completed", 0), run_id=RUN, step="split", number=5)
    cluster.add_pod(terminated("Error", 1), run_id=RUN, step="train", number=1)
    cluster.add_pod(EVICTED, run_id=RUN, step="train", number=4)
    cluster.add_pod(RUNNING, run_id=RUN, step="tune", number=6)
    assert "step `train`: its node threw it out" in told().what


def test_the_orchestrator_s_own_pod_is_called_by_its_name(cluster: Cluster) -> None:
    cluster.add_pod(terminated("Error", 1), run_id=RUN)
    assert told().what.startswith("the orchestrator's pod: it ended")


def test_nothing_is_made_up(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.add_pod(terminated("Completed", 0), run_id=RUN, step="split")
    cluster.add_pod(RUNNING, run_id=RUN, step="train")
    assert pod_failure(client(), "mine", RUN) is None
    assert pod_failure(client(""), "local", RUN) is None
    nowhere = Cluster(url="http://127.0.0.1:1")
    monkeypatch.setenv("KUBECONFIG", str(nowhere.configuration(tmp_path / "nowhere")))
    assert pod_failure(client(), "mine", RUN) is None


def run() -> Any:
    return SimpleNamespace(id=RUN, name="training-1")


def test_pods_that_zenml_took_away_are_told_from_what_it_said(cluster: Cluster) -> None:
    error = RuntimeError("Job `ml:-1a2b-training` failed: Detected container in state ImagePullBackOff")
    found = submission_error(client(), "mine", run(), error)
    assert found is not None
    assert "the image of the pipeline cannot be had (ImagePullBackOff)" in found.what
    assert "push it" in found.fix
    other = RuntimeError("Job `ml:-1a2b-training` failed: Job has reached the specified backoff limit")
    found = submission_error(client(), "mine", run(), other)
    assert found is not None
    assert "Job has reached the specified backoff limit" in found.what
    assert "kubectl --namespace ml logs job/-1a2b-training" in found.fix


def test_a_run_that_the_cluster_did_not_take(cluster: Cluster) -> None:
    said = "Orchestrator failed to submit Kubernetes job with 'Forbidden' (403). jobs.batch is forbidden: quota"
    found = submission_error(client(), "mine", run(), RuntimeError(said))
    assert found is not None
    assert "did not take the run: jobs.batch is forbidden: quota (403)" in found.what
    assert found.fix == "python run.py stack check mine"
    assert submission_error(client(), "mine", run(), RuntimeError("something else")) is None


def job(name: str, run_id: str, **status: int) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ml", "labels": {"run_id": run_id}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "status": status}


def test_a_run_that_is_stopped_leaves_no_job_at_work(cluster: Cluster) -> None:
    jobs = [job("mine", RUN), job("at-work", RUN, active=1), job("done", RUN, succeeded=1), job("other", "another-run")]
    cluster.jobs = {each["metadata"]["name"]: each for each in jobs}
    end_jobs(client(), "mine", RUN)
    assert set(cluster.jobs) == {"done", "other"}
    end_jobs(client(""), "local", RUN)


def test_what_could_not_be_ended_is_told_with_the_command_that_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(progress, "warn", warned.append)
    nowhere = Cluster(url="http://127.0.0.1:1")
    monkeypatch.setenv("KUBECONFIG", str(nowhere.configuration(tmp_path / "nowhere")))
    end_jobs(client(), "mine", RUN)
    assert f"kubectl --namespace ml delete jobs --selector run_id={RUN}" in warned[0]


def test_a_client_that_fails_without_a_word_is_told_too(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> None:
        raise TimeoutError

    warned: list[str] = []
    monkeypatch.setattr(progress, "warn", warned.append)
    monkeypatch.setattr(kube_contexts, "api_client", fails)
    end_jobs(client(), "mine", RUN)
    assert "(TimeoutError)" in warned[0]
