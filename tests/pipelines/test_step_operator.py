"""Steps that a Kubernetes cluster runs, while the others run here: ZenML's own step operator against a small API."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipeline_runs import runs_of, statuses

from app.commands.explore import explore
from app.commands.train import train
from app.stacks import stacks
from noria.config import UseCase
from noria.system import signals
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT, home
from tests.cluster.fake_api import Cluster, Json
from tests.conftest import Command
from tests.errors_raised import raises
from tests.small_cases import churn_table, small_case

pytestmark = pytest.mark.e2e
_IMAGE = "registry.example.com/noria-pipeline:7"
_STEPS: dict[str, Any] = {
    "validate": {"step_operator": True, "image": _IMAGE, "resources": {"cpu": 2, "memory": "4GB"}},
    "tune": {"step_operator": "pods", "image": f"{_IMAGE}-tune", "settings": {"active_deadline_seconds": 600}},
}


@pytest.fixture
def write(
    cluster: Cluster, tmp_path: Path, pipeline_home: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> Iterator[Any]:
    """Writes the stack `hybrid`; its cluster is on this machine, so that it reaches ZenML's own store and files."""
    from zenml.artifact_stores.local_artifact_store import LocalArtifactStoreConfig
    from zenml.stack import Stack

    monkeypatch.setattr(LocalArtifactStoreConfig, "is_local", property(lambda _: False))
    monkeypatch.setattr(Stack, "requires_remote_server", property(lambda _: False))
    folder = tmp_path / "stacks"
    folder.mkdir()
    monkeypatch.setattr(stacks, "STACK_FILES", folder)
    pod = {"labels": {"team": "churn"}, "resources": {"limits": {"cpu": "8"}}}
    parts: dict[str, Any] = {
        "orchestrator": {"flavor": "local"},
        "artifact_store": {"flavor": "local", "configuration": {"path": str(pipeline_home / "zenml" / "hybrid")}},
        "experiment_tracker": {"flavor": "mlflow"},
        "container_registry": {"flavor": "default", "configuration": {"uri": "registry.example.com"}},
        "image_builder": {"flavor": "local"},
        "step_operator": {
            "flavor": "kubernetes",
            "configuration": {
                "kubernetes_context": "cluster",
                "kubernetes_namespace": "ml",
                "service_account_name": "noria-steps",
                "pod_settings": pod,
                "max_api_retries": 0,
            },
        },
    }

    def written(noria: dict[str, Any], **changed: Any) -> str:
        named = {kind: part for kind, part in (parts | changed).items() if part is not None}
        components = {kind: [{"name": "pods", "type": kind, **part}] for kind, part in named.items()}
        content = {"zenml_version": "0.98.0", "stack_name": "hybrid", "components": components, "noria": noria}
        (folder / "hybrid.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return "hybrid"

    yield written
    if "hybrid" in stacks.registered_stacks(stacks.zenml_client()):
        command("stack", "down", "hybrid")


@pytest.fixture
def case(tmp_path: Path) -> UseCase:
    churn_table(300).to_csv(tmp_path / "few.csv", index=False)
    return small_case("on_two_machines", tmp_path / "few.csv")


def run_here(job: Json) -> Json:
    """What the pod of a job would do, as a process of this machine."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each["value"] for each in container["env"]}
    zenml = Path(os.environ["ZENML_CONFIG_PATH"])
    own = {  # a pod has a configuration of its own, and the stack of its run stays in use there
        "ZENML_CONFIG_PATH": str(home() / "pod"),
        "ZENML_STORE_URL": f"sqlite:///{zenml / 'local_stores' / 'default_zen_store' / 'zenml.db'}",
    }
    environment = os.environ | {"ZENML_CUSTOM_SOURCE_ROOT": str(PROJECT), "NORIA_HOME": str(home())} | told | own
    command = [sys.executable, *container["command"][1:], *container["args"]]
    done = subprocess.run(command, env=environment, cwd=PROJECT, check=False, timeout=300, capture_output=True)
    ended = "Failed" if done.returncode else "Complete"
    return {"conditions": [{"type": ended, "status": "True"}]}


def test_one_step_runs_in_a_pod_and_the_others_here(cluster: Cluster, write: Any, case: UseCase) -> None:
    cluster.runs = run_here
    explored = explore(case, write({"steps": _STEPS}))
    assert Path(str(explored.fact("report"))).is_file()
    (job,) = cluster.jobs.values()
    assert job["metadata"]["labels"]["step_name"] == "validate"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["image"] == _IMAGE
    assert container["resources"] == {
        "requests": {"cpu": "2", "memory": "4000000000"},
        "limits": {"cpu": "8", "memory": "4000000000"},
    }
    assert job["spec"]["template"]["metadata"]["labels"]["team"] == "churn", "the component's settings hold as well"
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "noria-steps"


def test_what_is_asked_for_a_step_holds_for_no_other(cluster: Cluster, write: Any, case: UseCase) -> None:
    cluster.refuses_jobs = "enough for today"
    stack = write({"steps": _STEPS})
    with pytest.raises(NoriaError):
        train(case, stack)
    compiled = {name: step.config for name, step in runs_of(case)[0].snapshot.step_configurations.items()}
    assert {name: config.step_operator for name, config in compiled.items() if config.step_operator} == {
        "validate": "pods",
        "tune": "pods",
    }
    images = {name: config.docker_settings.parent_image for name, config in compiled.items()}
    assert {name: image for name, image in images.items() if image} == {"validate": _IMAGE, "tune": f"{_IMAGE}-tune"}
    settings = {name: config.settings.get("step_operator:pods") for name, config in compiled.items()}
    told = {name: each.model_dump(exclude_unset=True) for name, each in settings.items() if each}
    assert told["tune"]["active_deadline_seconds"] == 600
    assert "active_deadline_seconds" not in told["validate"]
    asked = {name: (each.get("pod_settings") or {}).get("resources", {}).get("requests") for name, each in told.items()}
    assert {name: each for name, each in asked.items() if each} == {"validate": {"cpu": "2", "memory": "4000000000"}}


def test_a_pod_that_dies_is_told_with_its_reason(cluster: Cluster, write: Any, case: UseCase) -> None:
    out_of_memory = {"name": "main", "ready": False, "restartCount": 0, "image": "i", "imageID": ""}
    out_of_memory["state"] = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}

    def dies(job: Json) -> Json:
        labels = job["metadata"]["labels"]
        told = {"phase": "Failed", "containerStatuses": [out_of_memory]}
        cluster.add_pod(told, run_id=labels["run_id"], step=labels["step_name"], memory="4G")
        return {"conditions": [{"type": "Failed", "status": "True"}]}

    cluster.runs = dies
    with raises("pipelines.pod_failed", "step `validate`", "4G", "OOMKilled") as caught:
        explore(case, write({"steps": _STEPS}))
    assert "resources.memory" in caught.value.fix
    assert statuses(runs_of(case, "exploration")[0])["validate"] == "failed"


def test_a_step_that_is_stopped_is_not_tried_again(cluster: Cluster, write: Any, case: UseCase) -> None:
    def interrupt(_: Json) -> Json:
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        return {}

    cluster.runs = interrupt
    stack = write({"steps": _STEPS, "retries": 2})
    with pytest.raises(signals.Stopped), signals.stop_on_signals():
        explore(case, stack)
    assert len([each for each in cluster.asked if each.startswith("POST") and each.endswith("/jobs")]) == 1
    assert not cluster.jobs
    assert runs_of(case, "exploration")[0].status.is_finished


def test_a_step_whose_pod_no_node_takes_is_not_tried_again(cluster: Cluster, write: Any, case: UseCase) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
    cluster.states = [{"phase": "Pending", "conditions": [condition]}] * 3
    with raises("pipelines.pod_failed", "Unschedulable"):
        explore(case, write({"steps": _STEPS, "retries": 2, "pending_minutes": 0.02}))
    assert len([each for each in cluster.asked if each.startswith("POST") and each.endswith("/jobs")]) == 1
    assert not cluster.jobs


@pytest.mark.parametrize(
    ("noria", "changed", "said"),
    [
        (
            {"steps": {"tune": {"step_operator": True, "image": _IMAGE, "settings": {"pods": 2}}}},
            {},
            "no setting `pods`",
        ),
        ({"steps": {"tune": {"resources": {"cpu": 2}}}}, {}, "the steps run in the process of this machine"),
        ({"steps": _STEPS}, {"image_builder": None}, "cannot do without image_builder"),
        ({"steps": {"tune": {"step_operator": True, "image": "${env:NOT_SET_HERE}"}}}, {}, "NOT_SET_HERE is not set"),
        ({"steps": {"tune": {"step_operator": True, "image": "noria:latest"}}}, {}, "names no registry"),
        ({}, {}, "runs elsewhere and cannot reach the ZenML embedded here"),
    ],
)
def test_the_preflight_looks_at_steps(
    write: Any, command: Command, noria: dict[str, Any], changed: dict[str, Any], said: str
) -> None:
    told = command("stack", "check", write(noria, **changed))
    assert told.code == 2
    assert said in " ".join(told.err.split())


def test_the_preflight_asks_the_cluster_of_a_step_operator(cluster: Cluster, write: Any, command: Command) -> None:
    cluster.namespaces = {"other"}
    cluster.denied = {"create jobs"}
    assert "has no namespace `ml`" in command("stack", "check", write({})).err
    cluster.namespaces = {"ml"}
    told = " ".join(command("stack", "check", "hybrid").err.split())
    assert "you may not create jobs" in told
    assert "secrets" not in told, "only an orchestrator makes a Secret"


def test_resources_reach_the_containers_of_docker_and_the_pods_of_kubernetes() -> None:
    from app.runs.run_options import run_options
    from app.stacks.definition import StepsConfig, read_stack

    asked = StepsConfig.model_validate(
        {
            "image": _IMAGE,
            "resources": {"cpu": 1, "memory": "2GB"},
            "steps": {"tune": {"resources": {"memory": "4GiB"}}},
        }
    )

    def options(name: str) -> Any:
        file = read_stack(PROJECT / "configs" / "stacks" / f"{name}.yaml")
        return run_options(file.model_copy(update={"noria": asked}), "training")

    docker = options("docker")
    assert docker["settings"]["orchestrator:docker"] == {"run_args": {"mem_limit": 2 * 10**9, "nano_cpus": 10**9}}
    tune = docker["steps"]["tune"]["settings"]["orchestrator:docker"]
    assert tune == {"run_args": {"mem_limit": 4 * 2**30, "nano_cpus": 10**9}}
    pods = options("kubernetes")["steps"]["tune"]["settings"]["orchestrator:kubernetes"]["pod_settings"]
    assert pods["resources"]["limits"] == {"memory": str(4 * 2**30)}
    assert pods["resources"]["requests"] == {"cpu": "1", "memory": str(4 * 2**30)}
    assert options("gcp")["steps"]["tune"]["settings"]["resources"].memory == "4GiB"
