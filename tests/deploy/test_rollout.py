"""`deploy` on a stack whose service runs on a cluster, with programs that note what they are asked in place of Docker
and Helm: the cluster itself is not to be had here."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from bundles import churn, make

from app.serving import kubernetes_rollout, model_image
from noria.bundle import Bundle
from noria.config import load_use_case
from noria.system.workspace import PROJECT
from noria.traffic import plan_transforms
from noria.traffic.activation import PlannedVariant, TrafficPlan
from tests.errors_raised import raises

VARIABLES = {
    "NORIA_KUBERNETES_CONTEXT": "production",
    "NORIA_KUBERNETES_NAMESPACE": "ml",
    "NORIA_REGISTRY": "registry.example.com/team/",
}
CASE = load_use_case(PROJECT / "configs" / "telco_churn.yaml")
NOTING = """#!/bin/sh
printf '%s\\n' "$(basename "$0") $*" >> "{log}"
case "$*" in *{fails}*) echo "Error: {says}" >&2; exit 1 ;; esac
"""


def alone(bundle: Bundle) -> TrafficPlan:
    return TrafficPlan.of(bundle.folder, bundle.manifest.version)


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make(churn(), "xgboost", tmp_path_factory.mktemp("rollout") / "bundle")


@pytest.fixture
def asked(tmp_path: Path, champion: Bundle, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Roll out with Docker and Helm that note their commands, the one with a word in it failing."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(kubernetes_rollout, "champion_plan", lambda *_: alone(champion))
    log = tmp_path / "log"

    def rolled(fails: str = "@nothing", says: str = "", *change: Any) -> list[str]:
        programs = tmp_path / "programs"
        programs.mkdir(exist_ok=True)
        for name in ("docker", "helm"):
            (programs / name).write_text(NOTING.format(log=log, fails=fails, says=says))
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        kubernetes_rollout.roll_out("kubernetes", CASE, *change)
        return commands()

    def commands() -> list[str]:
        return log.read_text().splitlines()

    rolled.commands = commands  # type: ignore[attr-defined]
    return rolled


def test_the_image_is_built_then_pushed_and_then_the_release_takes_it(asked: Any) -> None:
    built, pushed, upgraded = asked()
    image = pushed.removeprefix("docker push ")
    assert image.startswith("registry.example.com/team/noria-telco_churn:1-")
    assert built.startswith("docker build --target service") and f"--tag {image} " in built
    repository, _, tag = image.rpartition(":")
    assert upgraded.startswith(f"helm upgrade noria {PROJECT / 'deploy' / 'kubernetes'} ")
    for part in ("--kube-context production", "--namespace ml", "--reuse-values", "--wait"):
        assert part in upgraded
    assert f"service.image.repository={repository}" in upgraded
    assert f"service.image.tag={tag}" in upgraded


def test_another_state_of_the_code_has_another_tag(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = asked()[1]
    monkeypatch.setattr(model_image, "image_of", lambda _: "noria-service:0123456789ab")
    assert asked()[-2] not in {first}


def test_another_model_of_the_same_version_has_another_tag(
    asked: Any, champion: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = asked()[1], asked()[-2]
    other = make(churn(), "linear", tmp_path / "other")
    assert other.manifest.version == champion.manifest.version
    monkeypatch.setattr(kubernetes_rollout, "champion_plan", lambda *_: alone(other))
    assert (first == again, asked()[-2] == first) == (True, False)


def test_whoever_answers_beside_the_champion_is_in_the_image_and_names_it(
    asked: Any, champion: Bundle, tmp_path: Path
) -> None:
    rival = make(churn(), "linear", tmp_path / "rival")

    def beside(share: float) -> Any:
        challenger = PlannedVariant(name="challenger", bundle=rival.folder, version="1", share=0.0)
        return lambda plan: plan_transforms.with_shares(
            plan_transforms.with_variant(plan, challenger), {"challenger": share}
        )

    first = asked()[1]
    tags = [asked("@nothing", "", beside(share))[-2] for share in (0.1, 0.2, 0.2)]
    assert (first in tags, tags[0] == tags[1], tags[1] == tags[2]) == (False, False, True)


@pytest.mark.parametrize(("fails", "done"), [("build", 1), ("push", 2)])
def test_what_could_not_be_built_or_pushed_is_not_put_into_service(asked: Any, fails: str, done: int) -> None:
    with raises("image.docker_failed", fails):
        asked(fails, "denied")
    assert len(asked.commands()) == done


def test_pods_that_do_not_become_ready_are_an_error_with_the_way_back(asked: Any) -> None:
    with raises("cluster.release_failed", "resource not ready") as caught:
        asked("upgrade", "resource not ready, name: noria-service")
    assert "helm rollback noria --namespace ml" in str(caught.value.fix)
    assert "kubectl --context production --namespace ml get pods" in str(caught.value.fix)


def test_without_helm_nothing_is_built(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with raises("cluster.tool_missing", "Helm"):
        kubernetes_rollout.roll_out("kubernetes", CASE)


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_that_is_not_set_is_named(asked: Any, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(variable)
    with raises("cluster.setting_missing", variable):
        asked()


def test_the_values_that_deploy_sets_are_values_of_the_chart() -> None:
    schema = json.loads((kubernetes_rollout.CHART / "values.schema.json").read_text())
    image = schema["properties"]["service"]["properties"]["image"]
    while "$ref" in image:
        image = schema[image["$ref"].split("/")[1]][image["$ref"].split("/")[2]]
    assert {"repository", "tag"} <= set(image["properties"])
