"""ZenML's own Kubernetes orchestrator against a small server that speaks the API: what is told, and what stays."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from listening import listen
from pipeline_runs import runs_of

from app.commands.explore import explore
from app.runs.pod_logs import PodLogs
from app.runs.pod_watcher import PodWatcher
from app.stacks import stacks
from noria.config import UseCase
from noria.system import signals
from noria.system.errors import NoriaError
from tests.cluster.fake_api import Cluster, pod
from tests.conftest import Command
from tests.small_cases import churn_table, small_case
from tests.spool.spooled import eventually

pytestmark = pytest.mark.e2e


def _pod_status(phase: str, **state: Any) -> dict[str, Any]:
    container = {"name": "main", "ready": phase == "Running", "restartCount": 0, "image": "i", "imageID": ""}
    return {"phase": phase, "containerStatuses": [container | {"state": state}]}


_NO_IMAGE = _pod_status("Pending", waiting={"reason": "ImagePullBackOff", "message": "Back-off pulling image"})
_OUT_OF_MEMORY = _pod_status("Failed", terminated={"exitCode": 137, "reason": "OOMKilled"})
_RUNNING = _pod_status("Running", running={})
_NO_NODE = {
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
_JOB_FAILED = {
    "conditions": [
        {
            "type": "Failed",
            "status": "True",
            "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit",
        }
    ]
}


@pytest.fixture
def case(tmp_path: Path) -> UseCase:
    churn_table(300).to_csv(tmp_path / "few.csv", index=False)
    return small_case("on_a_cluster", tmp_path / "few.csv")


@pytest.fixture
def stack(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline_home: Path, command: Command
) -> Iterator[str]:
    """ZenML lets an embedded server be used where cluster and client share a file system (`local`)."""
    store = pipeline_home / "zenml" / "local_stores" / "pods"
    folder = tmp_path / "stacks"
    folder.mkdir()
    monkeypatch.setattr(stacks, "STACK_FILES", folder)
    told = {
        "kubernetes_context": "cluster",
        "kubernetes_namespace": "ml",
        "service_account_name": "noria-orchestrator",
        "step_pod_service_account_name": "noria-steps",
        "pod_settings": {"labels": {"team": "churn"}},
        "local": True,
        "skip_local_validations": True,
        "job_monitoring_interval": 0.1,
        "max_api_retries": 1,
    }
    parts = {
        "orchestrator": {"flavor": "kubernetes", "configuration": told},
        "artifact_store": {"flavor": "local", "configuration": {"path": str(store)}},
        "container_registry": {"flavor": "default", "configuration": {"uri": "registry.example.com"}},
    }
    components = {kind: [{"name": "pods", "type": kind, **each}] for kind, each in parts.items()}
    content: dict[str, Any] = {"zenml_version": "0.98.0", "stack_name": "pods", "components": components}
    content["noria"] = {
        "image": "registry.example.com/noria-pipeline:7",
        "resources": {"cpu": 0.5, "memory": "2GB"},
        "pending_minutes": 0.02,
        "steps": {"validate": {"resources": {"memory": "3GB"}}},
    }
    (folder / "pods.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    done = command("stack", "up", "pods")
    assert done.code == 0, done.err
    yield "pods"
    command("stack", "down", "pods")


def pod_of(status: dict[str, Any]) -> Any:
    """As the client shows one."""
    from kubernetes.client import ApiClient

    shown = SimpleNamespace(data=json.dumps(pod("pod-0", {"run_name": "training-1"}, status)))
    return ApiClient().deserialize(shown, "V1Pod")


def ended(case: UseCase, stack: str) -> NoriaError:
    with pytest.raises(NoriaError) as caught:
        explore(case, stack)
    return caught.value


def test_an_image_that_is_missing_ends_the_run(cluster: Cluster, stack: str, case: UseCase) -> None:
    cluster.states = [_NO_IMAGE]
    error = ended(case, stack)
    assert "cannot be had (ImagePullBackOff" in error.what
    assert "push it" in error.fix
    [run] = runs_of(case, "exploration")[:1]
    assert str(run.status) == "failed", "ZenML leaves it `provisioning` for ever"
    assert not cluster.jobs, "ZenML takes away a job that cannot start"


def test_a_pod_that_no_node_takes_ends_the_run_after_the_time_that_was_given(
    cluster: Cluster, stack: str, case: UseCase
) -> None:
    cluster.states = [_NO_NODE]
    told: list[str] = []
    listen(lambda kind, text: told.append(text) if kind == "warn" else None)
    error = ended(case, stack)
    assert "no node takes it (Unschedulable: 0/3 nodes are available: 3 Insufficient memory.)" in error.what
    assert "for 0.02 minutes" in error.what and "\n" not in error.what
    assert "noria.pending_minutes" in error.fix and "noria.resources" in error.fix
    assert any("it is waited for 0.02 minutes" in each for each in told)
    assert str(runs_of(case, "exploration")[0].status) == "failed"
    assert not cluster.jobs, "its job would start when a node comes"


def test_a_pod_that_a_node_takes_in_time_goes_on(cluster: Cluster, stack: str, case: UseCase) -> None:
    watch = PodWatcher([("cluster", "ml")], "training-1", patience_s=60)
    waiting = pod_of(_NO_NODE)
    watch._judge([waiting], now=0)
    watch._judge([], now=59)
    watch._judge([waiting], now=61)
    assert watch.error is None, "it waits anew"
    watch._judge([waiting], now=121)
    assert watch.error is not None


def test_what_steps_say_in_their_pods_is_told_once_and_in_whole_lines(cluster: Cluster) -> None:
    told: list[tuple[str, str]] = []
    listen(lambda kind, text: told.append((kind, text)))
    ingest, validate = (
        pod(name, {"run_name": "r", "step_name": name}, _RUNNING, number=number)
        for number, name in enumerate(["ingest", "validate"])
    )
    orchestrator = pod("orchestrator", {"run_name": "r"}, _RUNNING)
    cluster.pods += [validate, orchestrator, ingest]
    cluster.logs = {"orchestrator": "✔ of no use\n", "ingest": "Preparing\n✔ ingest     7,043 rows\n! a colu"}
    logs = PodLogs()
    logs.tell(("cluster", "ml"), "run_name=r")
    assert told == [("stage", "ingest 7,043 rows"), ("tick", "step `ingest`, `validate` in pods")]
    told.clear()
    cluster.logs["ingest"] += "mn is empty"
    ingest["status"] = _pod_status("Succeeded", terminated={"exitCode": 0, "reason": "Completed"})
    for _ in range(2):
        logs.tell(("cluster", "ml"), "run_name=r")
    assert told == [("warn", "a column is empty"), *[("tick", "step `validate` in a pod")] * 2]


def test_that_no_step_s_words_can_be_read_is_told_once(cluster: Cluster) -> None:
    told: list[str] = []
    listen(lambda kind, text: told.append(text) if kind == "warn" else None)
    cluster.pods.append(pod("ingest", {"run_name": "r", "step_name": "ingest"}, _RUNNING))
    logs = PodLogs()
    for _ in range(5):
        logs.tell(("cluster", "ml"), "run_name=r")
    assert told == ["what the steps say cannot be read (Not Found): you need `get` on `pods/log`"]


def test_an_orchestrator_s_pod_without_memory_ends_the_run(cluster: Cluster, stack: str, case: UseCase) -> None:
    cluster.states, cluster.job_status = [_OUT_OF_MEMORY], _JOB_FAILED
    error = ended(case, stack)
    assert "more memory than it may" in error.what
    assert "OOMKilled" in error.what
    [job] = cluster.jobs.values()
    template = job["spec"]["template"]["spec"]
    assert template["containers"][0]["image"] == "registry.example.com/noria-pipeline:7"
    assert template["serviceAccountName"] == "noria-orchestrator"
    assert str(runs_of(case, "exploration")[0].status) == "failed"


def test_what_a_step_asks_for_reaches_its_pod(cluster: Cluster, stack: str, case: UseCase) -> None:
    """ZenML passes over its own ResourceSettings on Kubernetes."""
    cluster.refuses_jobs = "enough for today"
    ended(case, stack)
    steps = runs_of(case, "exploration")[0].snapshot.step_configurations
    pods = {name: step.config.settings["orchestrator:pods"].pod_settings for name, step in steps.items()}
    assert {name: pod["resources"]["limits"]["memory"] for name, pod in pods.items()} == {
        "ingest": "2000000000",
        "validate": "3000000000",
        "explore": "2000000000",
    }
    assert pods["validate"]["resources"]["requests"] == {"cpu": "0.5", "memory": "3000000000"}
    assert pods["validate"]["labels"] == {"team": "churn"}, "what the component says holds as well"


def test_a_cluster_that_takes_no_jobs_is_told(cluster: Cluster, stack: str, case: UseCase) -> None:
    cluster.refuses_jobs = 'jobs.batch is forbidden: User "me" cannot create resource "jobs"'
    error = ended(case, stack)
    assert "the cluster did not take the run: jobs.batch is forbidden" in error.what
    assert "stack check pods" in error.fix
    assert str(runs_of(case, "exploration")[0].status) == "failed"


def test_a_run_goes_to_no_other_cluster_of_the_same_name(
    cluster: Cluster, stack: str, case: UseCase, tmp_path: Path, command: Command
) -> None:
    assert command("stack", "check", "pods").err.count("another") == 0
    Cluster(url="https://10.9.9.9:6443").configuration(tmp_path / "config")
    error = ended(case, stack)
    assert "https://10.9.9.9:6443" in error.what
    assert cluster.url in error.what
    told = command("stack", "check", "pods")
    assert (told.code, "https://10.9.9.9:6443" in told.err) == (2, True)
    assert not cluster.jobs
    done = command("stack", "up", "pods")  # the cluster has moved, says the user
    assert done.code == 0
    assert "10.9.9.9" in command("stack", "check", "pods").err.replace("registered for", "")
    cluster.configuration(tmp_path / "config")
    assert "was registered for https://10.9.9.9:6443" in command("stack", "check", "pods").err


@pytest.fixture
def _handlers() -> Iterator[None]:
    """After a stop the program keeps its handlers until it ends; here others follow."""
    before = {each: signal.getsignal(each) for each in signals._SIGNALS}
    yield
    signals._request.clear()
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.usefixtures("_handlers")
def test_ctrl_c_leaves_nothing_at_work_in_the_cluster(cluster: Cluster, stack: str, case: UseCase) -> None:
    cluster.states = [_RUNNING]
    waiting = threading.Thread(target=_interrupt_when_it_runs, args=(cluster,))
    waiting.start()
    with pytest.raises(signals.Stopped), signals.stop_on_signals():
        explore(case, stack)
    waiting.join()
    assert not cluster.jobs
    assert str(runs_of(case, "exploration")[0].status) == "stopped"


def _interrupt_when_it_runs(cluster: Cluster) -> None:
    """Or never runs: then the test ends all the same."""
    eventually(lambda: any(each.startswith("GET /apis/batch/v1/namespaces/ml/jobs/") for each in cluster.asked))
    os.kill(os.getpid(), signal.SIGINT)
