"""`configs/stacks/kubernetes.yaml`: registered on a fresh server, and the pods that ZenML makes of it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from rendered import example, named
from server_of_chart import served

from app.stacks.definition import read_stack
from noria.system.workspace import PROJECT

FILES = PROJECT / "configs" / "stacks"
VARIABLES = {
    "NORIA_KUBERNETES_CONTEXT": "cluster",
    "NORIA_KUBERNETES_NAMESPACE": "ml",
    "NORIA_ORCHESTRATOR_ACCOUNT": "noria-orchestrator",
    "NORIA_STEPS_ACCOUNT": "noria-steps",
    "NORIA_PIPELINE_IMAGE": "registry.example.com/noria-pipeline:1",
    "NORIA_REGISTRY": "registry.example.com",
    "NORIA_S3_BUCKET": "bucket",
    "NORIA_S3_ENDPOINT": "https://s3.example.com",
    "NORIA_S3_KEY": "its-name",
    "NORIA_S3_SECRET": "hunter2-of-s3",
    "NORIA_MLFLOW_URL": "http://noria-mlflow:5000",
    "NORIA_MLFLOW_TOKEN": "hunter2-of-mlflow",
}


def test_the_variables_are_those_that_are_documented() -> None:
    stack, hybrid = (read_stack(FILES / f"{name}.yaml") for name in ("kubernetes", "hybrid"))
    named_by_it = {variable for each in stack.members for variable in each.variables} | set(stack.noria.variables)
    assert named_by_it == set(VARIABLES)
    assert {variable for each in hybrid.members for variable in each.variables} <= set(VARIABLES)
    text = (PROJECT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert [variable for variable in VARIABLES if variable not in text] == []


@pytest.mark.parametrize("other", ["kubernetes_pod", "hybrid"])
def test_the_stores_of_the_stacks_are_the_same(other: str) -> None:
    stack, here = (read_stack(FILES / f"{name}.yaml") for name in ("kubernetes", other))
    for kind in set(here.components) - {"orchestrator", "step_operator"}:
        assert stack.components[kind] == here.components[kind]
    assert here.orchestrator.flavor == "local"


@pytest.mark.parametrize(
    ("stack", "which"),
    [("kubernetes", "pod_settings"), ("kubernetes", "orchestrator_pod_settings"), ("hybrid", "pod_settings")],
)
def test_pods_of_steps_are_as_strict_as_the_chart_s(stack: str, which: str) -> None:
    pod = _made_by_zenml(stack, which)
    kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)
    spec = pod["spec"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["securityContext"]["runAsUser"] == 10001
    [container] = spec["containers"]
    context = container["securityContext"]
    assert (context["privileged"], context["allowPrivilegeEscalation"]) == (False, False)
    assert (context["readOnlyRootFilesystem"], context["capabilities"]) == (True, {"drop": ["ALL"]})
    written = {
        each["name"]: each["value"] for each in container["env"] if each["name"] in {"HOME", "ZENML_CONFIG_PATH"}
    }
    mounts = [each["mountPath"] for each in container["volumeMounts"]]
    assert all(any(path.startswith(mount) for mount in mounts) for path in written.values())


def test_the_accounts_are_the_chart_s() -> None:
    manifests = example("small")
    for variable in ("NORIA_ORCHESTRATOR_ACCOUNT", "NORIA_STEPS_ACCOUNT"):
        assert named(manifests, "ServiceAccount", VARIABLES[variable])


def _made_by_zenml(stack: str, which: str) -> dict[str, Any]:
    from kubernetes.client import ApiClient
    from zenml.integrations.kubernetes.flavors import KubernetesOrchestratorFlavor, KubernetesStepOperatorFlavor
    from zenml.integrations.kubernetes.manifest_utils import build_pod_manifest

    parts = read_stack(FILES / f"{stack}.yaml").components
    operators = parts.get("step_operator", [])
    flavor = KubernetesStepOperatorFlavor() if operators else KubernetesOrchestratorFlavor()
    told = (operators or parts["orchestrator"])[0].filled(VARIABLES)
    config = flavor.config_class(**told)
    pod = build_pod_manifest(
        pod_name="step",
        image_name="image:1",
        command=["python"],
        args=[],
        privileged=config.privileged,
        pod_settings=getattr(config, which),
        service_account_name=told["service_account_name"],
    )
    made: dict[str, Any] = ApiClient().sanitize_for_serialization(pod)
    context = made["spec"]["containers"][0]["securityContext"]
    # ZenML leaves what is not set in it, as null and in snake case, and the API passes over that
    made["spec"]["containers"][0]["securityContext"] = {key: each for key, each in context.items() if each is not None}
    return made


@pytest.mark.e2e
def test_a_fresh_server_gets_the_stack_by_one_command(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        environment = server.environment(tmp_path / "home", **VARIABLES)
        twice = "from app.stacks.registration import register_stack as up; assert up('hybrid') and not up('hybrid')"
        program = f"from app.environment import prepare_environment as p; p(); {twice}"
        for arguments in (["run.py", "stack", "up", "kubernetes"], ["-c", program]):
            command = [sys.executable, *arguments]
            done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        [stack] = server.get("stacks?name=kubernetes&hydrate=true")["items"]
        parts = {kind: each[0] for kind, each in stack["metadata"]["components"].items()}
        listed = server.get("components?hydrate=true&size=100")["items"]
    configured = {each["id"]: each["metadata"]["configuration"] for each in listed}
    orchestrator = configured[parts["orchestrator"]["id"]]
    assert orchestrator["kubernetes_namespace"] == "ml"
    assert orchestrator["service_account_name"] == "noria-orchestrator"
    store = configured[parts["artifact_store"]["id"]]
    assert store["client_kwargs"] == {"endpoint_url": "https://s3.example.com"}
    assert store["secret"] == "{{noria-artifact-store-kubernetes.secret}}"  # noqa: S105 - where it is, not what it is
    assert set(parts) == {
        "orchestrator",
        "artifact_store",
        "container_registry",
        "image_builder",
        "experiment_tracker",
        "model_registry",
    }
    assert b"hunter2" not in server.database.read_bytes(), "ZenML's secrets are not encrypted"
