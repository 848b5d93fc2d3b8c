"""What the preflight tells of a cluster, asked over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.stacks import kube_contexts
from app.stacks.definition import Component, PreflightFinding, read_stack
from app.stacks.preflight.cluster import cluster_findings, image_for_nodes
from noria.system.workspace import PROJECT
from tests.cluster.fake_api import Cluster, served
from tests.errors_raised import raises

COMPONENT = Component(name="kubernetes", type="orchestrator", flavor="kubernetes")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with served(Cluster()) as one:
        monkeypatch.setenv("KUBECONFIG", str(one.configuration(tmp_path / "config")))
        yield one


def found(registered_for: str = "", **settings: Any) -> list[PreflightFinding]:
    told = {
        "kubernetes_context": "cluster",
        "kubernetes_namespace": "ml",
        "service_account_name": "noria-orchestrator",
        "step_pod_service_account_name": "noria-steps",
        "pass_zenml_token_as_secret": True,
    }
    return list(cluster_findings(COMPONENT, SimpleNamespace(**told | settings), registered_for, "mine"))


def only(findings: list[PreflightFinding]) -> PreflightFinding:
    [finding] = findings
    return finding


def test_a_cluster_with_all_that_is_needed_is_right(cluster: Cluster) -> None:
    assert found(cluster.url) == []
    assert all(method in {"GET", "POST"} for method in (each.split()[0] for each in cluster.asked))
    assert not cluster.jobs


def test_a_namespace_that_is_not_there(cluster: Cluster) -> None:
    told = only(found(kubernetes_namespace="elsewhere"))
    assert "has no namespace `elsewhere`" in told.what
    assert cluster.url in told.what
    assert told.fix == "kubectl --context cluster create namespace elsewhere"


def test_rights_that_are_lacking_are_all_told_at_once(cluster: Cluster) -> None:
    cluster.denied |= {"create jobs", "get pods/log", "create secrets"}
    told = only(found())
    assert "you may not create jobs, get pods/log, create secrets" in told.what
    assert "you may not create jobs, get pods/log" in only(found(pass_zenml_token_as_secret=False)).what
    cluster.denied = {"create secrets"}
    assert found(pass_zenml_token_as_secret=False) == []


def test_accounts_that_are_not_there(cluster: Cluster) -> None:
    cluster.accounts.clear()
    orchestrator, steps = found()
    assert "no service account `noria-orchestrator` (`service_account_name`)" in orchestrator.what
    assert "no service account `noria-steps` (`step_pod_service_account_name`)" in steps.what
    assert "orchestrator.enabled" in steps.fix
    assert found(service_account_name=None, step_pod_service_account_name=None) == []


def test_the_same_name_for_another_cluster(cluster: Cluster) -> None:
    told = only(found("https://10.0.0.1:6443"))
    assert cluster.url in told.what
    assert "https://10.0.0.1:6443" in told.what
    assert "stack up mine" in told.fix
    assert cluster.asked == [], "another cluster is not even asked"


def test_a_cluster_that_does_not_know_you(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text(file.read_text().replace("token-of-a-person", "expired"))
    assert "does not know you (401)" in only(found()).what


def test_a_cluster_that_is_not_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Cluster(url="http://127.0.0.1:1")
    monkeypatch.setenv("KUBECONFIG", str(nowhere.configuration(tmp_path / "config")))
    told = only(found())
    assert "the cluster http://127.0.0.1:1 cannot be reached: " in told.what
    assert "kubectl --context cluster version" in told.fix


def test_a_context_that_is_not_there(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = only(found(kubernetes_context="production"))
    assert "has no context `production`" in told.what
    assert told.fix == "choose one of cluster"
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert "cannot be read" in only(found()).what
    (tmp_path / "none").write_text("[1, 2")
    assert "cannot be read" in only(found()).what


def test_the_first_of_several_files_counts(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Cluster(url="https://other.example.com:6443/").configuration(tmp_path / "other", "other")
    same = Cluster(url="https://wrong.example.com").configuration(tmp_path / "same", "cluster")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'config'}:{other}:{same}:{tmp_path / 'missing'}")
    assert set(kube_contexts.contexts().servers) == {"cluster", "other"}
    assert kube_contexts.address("cluster") == cluster.url


def registered(context: str, address: str) -> Any:
    """ZenML's client, as far as a run asks it."""
    component = SimpleNamespace(
        type="orchestrator",
        name="k",
        configuration={"kubernetes_context": context},
        labels={kube_contexts.LABEL: address} if address else None,
    )
    stack = SimpleNamespace(components={"orchestrator": [component]})
    return SimpleNamespace(get_stack=lambda name, allow_name_prefix_match: stack)


def test_no_run_goes_to_another_cluster_of_the_same_name(cluster: Cluster) -> None:
    kube_contexts.refuse_another(registered("cluster", cluster.url), "mine")
    kube_contexts.refuse_another(registered("cluster", ""), "mine")
    kube_contexts.refuse_another(registered("", ""), "local")
    with raises("cluster.context_differs", "https://old.example.com") as caught:
        kube_contexts.refuse_another(registered("cluster", "https://old.example.com"), "mine")
    assert cluster.url in caught.value.what


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (None, ["names no registry"]),
        ("registry.example.com/p", ["once pulled"]),
        ("registry.example.com:5000/p:latest", ["once pulled"]),
        ("registry.example.com:5000/p:1", []),
        ("registry.example.com/p@sha256:0123", []),
    ],
)
def test_an_image_that_no_node_can_pull(image: str | None, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, it is the one that `make images` has built, which is on this machine alone."""
    monkeypatch.delenv("NORIA_PIPELINE_IMAGE", raising=False)
    if image is not None:
        monkeypatch.setenv("NORIA_PIPELINE_IMAGE", image)
    told = list(image_for_nodes(read_stack(PROJECT / "configs" / "stacks" / "kubernetes.yaml")))
    assert len(told) == len(said)
    assert all(words in finding.what for words, finding in zip(said, told, strict=True))
    assert list(image_for_nodes(read_stack(PROJECT / "configs" / "stacks" / "local.yaml"))) == []
