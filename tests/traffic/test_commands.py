"""`promote`, `rollback`, `traffic`, `status` and `deploy` with variants, as a person uses them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from app.command_result import CommandResult
from app.commands.deploy import deploy
from app.commands.train import train
from app.stacks import stacks
from app.stacks.definition import StepsConfig
from noria.client import Client as ServiceClient
from noria.config import UseCase
from noria.deployment import current_plan, read_state, stop, wait_until_stored
from noria.deployment.service_secrets import TOKENS
from noria.predictions import PredictionStore
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from noria.traffic.activation import TrafficPlan
from tests.conftest import Command
from tests.load import Load
from tests.service.serving import free_port
from tests.small_cases import churn_table, small_case, url_of, write_config

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> UseCase:
    path = tmp_path_factory.mktemp("data") / "churn.csv"
    table = churn_table(2500)
    table.assign(customer=[f"c{place}" for place in range(len(table))]).to_csv(path, index=False)
    models = {"candidates": {"linear": {"tune": False}}, "trials": 0, "folds": 2}
    return small_case("traffic_case", path, data={"id": "customer"}, models=models, serving={"port": free_port()})


@pytest.fixture(scope="module")
def bare(case: UseCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing is said about variants."""
    return write_config(case, tmp_path_factory.mktemp("config") / "bare.yaml")


@pytest.fixture(scope="module")
def config(case: UseCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`challenger` is version 2, whatever happened to it before."""
    variants = {"champion": {"share": 1.0}, "challenger": {"model": "2"}}
    return write_config(with_variants(case, variants), tmp_path_factory.mktemp("config") / "case.yaml")


def with_variants(case: UseCase, variants: dict[str, Any]) -> UseCase:
    raw = case.model_dump(mode="json", exclude_unset=True)
    raw["serving"]["variants"] = variants
    return UseCase.model_validate(raw)


@pytest.fixture(autouse=True)
def home(pipeline_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(pipeline_home))


@pytest.fixture(scope="module")
def trained(case: UseCase, pipeline_home: Path) -> None:
    """Version 1 is the champion; version 2 is no better, so it was not promoted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(pipeline_home))
        train(case, None)
        train(case, None, again=True)


@pytest.fixture(scope="module")
def deployed(trained: None, case: UseCase, pipeline_home: Path) -> Iterator[CommandResult]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(pipeline_home))
        yield deploy(case, None)
        stop(Workspace(case.name))


@pytest.fixture
def alone(deployed: CommandResult, command: Command, config: Path, case: UseCase) -> CommandResult:
    """Version 1 answers alone when a test begins."""
    ended = command("promote", "--config", config, "--version", 1)
    assert ended.code == 0, ended.err
    ended = command("traffic", "--config", config, "--set", "champion=1", *_others(case))
    assert ended.code == 0, ended.err
    return deployed


def _others(case: UseCase) -> list[str]:
    return [part for each in plan(case).variants[1:] for part in ("--set", f"{each.name}=0")]


def plan(case: UseCase) -> TrafficPlan:
    workspace = Workspace(case.name)
    running = read_state(workspace)
    assert running is not None
    return current_plan(workspace, running)


def rows(number: int) -> list[dict[str, Any]]:
    table = churn_table(2500).drop(columns="churn").head(number).astype(object)
    plain = [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in table.to_dict("records")
    ]
    return [{**row, "customer": f"c{place}"} for place, row in enumerate(plain)]


def registered(case: UseCase) -> tuple[int, str, str]:
    """The version in production, what of it was promoted, and the version that MLflow calls champion."""
    import mlflow
    from zenml.client import Client
    from zenml.enums import ModelStages

    from noria.system.workspace import home as folder

    version = Client().get_model_version(case.name, ModelStages.PRODUCTION)
    registry = mlflow.MlflowClient(f"sqlite:///{folder() / 'artifacts' / 'mlflow.db'}")
    alias = registry.get_model_version_by_alias(case.name, "champion")
    return version.number, version.run_metadata["promoted"], alias.tags["zenml_version"]


def events(case: UseCase) -> list[tuple[str, str]]:
    from sqlalchemy import select

    from noria.predictions.sql_tables import events as table

    store = PredictionStore(Workspace(case.name).predictions_url)
    with store._engine.connect() as connection:
        return [(row.kind, row.detail) for row in connection.execute(select(table).order_by(table.c.seq))]


def test_everything_is_changed_under_load_without_a_failed_request(
    deployed: CommandResult, command: Command, bare: Path, case: UseCase
) -> None:
    changes = [
        ("traffic", "--set", "challenger=0.4"),
        ("traffic", "--threshold", "0.2"),
        ("traffic", "--shadow", "rules"),
        ("promote", "--yes"),
        ("rollback",),
        ("rollback",),
    ]
    with Load(url_of(deployed), rows(40)) as load:
        load.wait_for(20)
        for change in changes:
            ended = command(change[0], "--config", bare, *change[1:])
            assert ended.code == 0, (change, ended.err)
            load.wait_for(20)
    assert load.failures == []
    assert {each.answer.version for each in load.answers} == {"1", "2"}
    assert wait_until_stored(Workspace(case.name))
    store = PredictionStore(Workspace(case.name).predictions_url)
    window = store.window(read_state(Workspace(case.name)).started_at)  # type: ignore[union-attr]
    found = window.set_index("prediction_id")["version"].to_dict()
    assert {each.answer.id: each.answer.version for each in load.answers}.items() <= found.items()


def test_a_deploy_that_cannot_work_says_why_and_the_service_answers_on(
    alone: CommandResult, command: Command, config: Path, case: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_state(Workspace(case.name))
    assert before is not None
    for name in TOKENS:
        monkeypatch.setenv(name, "short")
    refused = command("deploy", "--config", config)
    assert (refused.code, "service.token_weak" in refused.err) == (2, True), refused.err
    assert read_state(Workspace(case.name)) == before
    with ServiceClient(before.url) as client:
        assert len(client.predict(rows(1))) == 1


def test_promote_takes_the_challenger_that_answers_and_the_registries_follow(
    alone: CommandResult, command: Command, config: Path, case: UseCase
) -> None:
    assert registered(case) == (1, "challenger", "1")
    assert command("traffic", "--config", config, "--set", "challenger=0.25").code == 0
    before = plan(case)
    refused = command("promote", "--config", config)
    assert (refused.code, "registry.gate_not_passed" in refused.err, "--yes" in refused.err) == (2, True, True)
    assert (registered(case)[0], plan(case)) == (1, before)
    ended = command("promote", "--config", config, "--yes")
    assert ended.code == 0, ended.err
    assert "Version 2 (linear) is the champion and answers." in ended.out
    assert f"python run.py rollback --config {config}" in ended.out
    assert registered(case) == (2, "challenger", "2"), ended.err
    assert [(each.name, each.version, each.share) for each in plan(case).variants] == [("champion", "2", 1.0)]
    ended = command("rollback", "--config", config)
    assert ended.code == 0, ended.err
    assert registered(case) == (1, "challenger", "1")
    assert [(each.name, each.version, each.share) for each in plan(case).variants] == [
        ("champion", "1", 0.75),
        ("challenger", "2", 0.25),
    ]


def test_if_the_registries_fail_the_service_goes_back_too(
    alone: CommandResult, command: Command, config: Path, case: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    from steps.shared import model_versions

    def broken(*_: object) -> None:
        raise NoriaError("the registry cannot be reached", code="test.example")

    before = plan(case)
    with monkeypatch.context() as patch:
        patch.setattr(model_versions, "promote_version", broken)
        ended = command("promote", "--config", config, "--version", 2, "--yes")
    assert ended.code == 2
    assert "the registry cannot be reached" in ended.err
    assert "the service goes back, too" in ended.err
    assert plan(case).variants == before.variants
    assert registered(case)[0] == 1


def test_every_change_is_an_event(alone: CommandResult, command: Command, config: Path, case: UseCase) -> None:
    before = len(events(case))
    command("traffic", "--config", config, "--set", "challenger=0.1")
    command("traffic", "--config", config, "--threshold", "0.31", "--review-margin", "0.02")
    command("traffic", "--config", config, "--canary", "challenger")
    command("rollback", "--config", config)
    found = events(case)[before:]
    assert [kind for kind, _ in found] == ["traffic", "policy", "canary", "traffic"]
    assert re.match(r"challenger set to 0\.1 by \w+: champion 0\.9 \(version 1\), challenger 0\.1", found[0][1])
    assert "threshold of the champion set to 0.31" in found[1][1]
    assert "challenger began as a canary" in found[2][1]
    assert plan(case).champion.policy_version != "1"
    said = command("traffic", "--config", config).out
    changes = [line.split("UTC: ")[1].split(" by ")[0] for line in said.splitlines() if "UTC: " in line]
    assert changes[:4] == [
        "rolled back",
        "challenger began as a canary",
        "threshold of the champion set to 0.31, review_margin of the champion set to 0.02",
        "challenger set to 0.1",
    ]


def test_a_policy_is_changed_checked_and_named(
    alone: CommandResult, command: Command, config: Path, case: UseCase
) -> None:
    ended = command("traffic", "--config", config, "--threshold", "0", "--review-margin", "0")
    assert ended.code == 0, ended.err
    assert "champion policy" in ended.out
    with ServiceClient(url_of(alone)) as client:
        assert {answer.decision for answer in client.predict(rows(30))} == {"act"}
    for wrong, said in (
        (("--threshold", "1.5"), "--threshold 1.5 is no probability"),
        (("--act-from", "3"), "says nothing about a binary model"),
        (("--threshold", "0.5", "--variant", "nobody"), "no variant `nobody`"),
        (("--variant", "champion"), "nothing is said about `champion`"),
        (("--set", "challenger"), "`challenger` is no share"),
        (("--set", "99=0.5"), "has no version 99"),
        (("--set", "challenger=2"), "a share of 2"),
    ):
        ended = command("traffic", "--config", config, *wrong)
        assert ended.code == 2, wrong
        assert said in ended.err


def test_status_and_traffic_tell_of_every_variant(
    alone: CommandResult, command: Command, config: Path, case: UseCase
) -> None:
    command("traffic", "--config", config, "--set", "challenger=0.5", "--shadow", "rules")
    with ServiceClient(url_of(alone)) as client:
        client.predict(rows(40))
    wait_until_stored(Workspace(case.name))
    for name in ("status", "traffic"):
        said = command(name, "--config", config).out
        print(said)
        assert re.search(
            r"variant champion\s+50\.0% of the cases, version 1, policy \d+: \d+ answers, 0\.00% failed", said
        )
        assert re.search(r"variant challenger\s+50\.0% of the cases, version 2, policy \d+: \d+ answers", said)
        assert re.search(r"variant rules\s+shadow, version 1, policy \d+: \d+ answers", said)


def test_serving_variants_are_deployed_and_live_changes_end_with_it(
    alone: CommandResult, command: Command, config: Path, case: UseCase, tmp_path: Path
) -> None:
    command("traffic", "--config", config, "--threshold", "0.11")
    variants = {
        "main": {"model": "champion", "share": 0.6},
        "next": {"model": "2", "share": 0.4},
        "old_rules": {"model": "rules", "shadow": True},
    }
    ended = command("deploy", "--config", write_config(with_variants(case, variants), tmp_path / "several.yaml"))
    assert ended.code == 0, ended.err
    found = [(each.name, each.version, each.share, each.shadow, each.policy) for each in plan(case).variants]
    assert found == [
        ("main", "1", 0.6, False, None),
        ("next", "2", 0.4, False, None),
        ("old_rules", "1", 0.0, True, None),
    ]
    with ServiceClient(url_of(alone)) as client:
        assert {answer.variant for answer in client.predict(rows(40))} == {"main", "next"}
    ended = command("rollback", "--config", config)
    assert ended.code == 0, ended.err
    assert [(each.name, each.share) for each in plan(case).variants] == [("champion", 1.0)]


def test_on_a_cluster_promote_changes_the_registries_and_deploy_the_service(
    alone: CommandResult, command: Command, config: Path, case: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(stacks, "running_on", lambda _: StepsConfig(service="kubernetes"))
        done = command("promote", "--config", config, "--version", "2", "--yes")
    assert done.code == 0, done.err
    assert "is the champion; `deploy` builds its image." in done.out
    assert registered(case)[0] == 2
    assert plan(case).champion.version == "1", "a service of this machine is not the cluster's"
    command("promote", "--config", config, "--version", "1")


def test_without_a_service_the_registries_change_and_the_rest_says_so(
    trained: None, command: Command, config: Path, case: UseCase
) -> None:
    stop(Workspace(case.name))
    for name, given in (("traffic", ()), ("traffic", ("--set", "challenger=0.1")), ("rollback", ())):
        ended = command(name, "--config", config, *given)
        assert ended.code == 2
        assert "no service of `traffic_case` is running" in ended.err
    ended = command("promote", "--config", config, "--version", "rules")
    assert ended.code == 0, ended.err
    assert "(rules) is the champion; no service runs here." in ended.out
    assert f"python run.py deploy --config {config}" in ended.out
    assert registered(case)[1] == "rules"
    assert command("promote", "--config", config, "--version", "77").code == 2
    assert command("promote", "--config", config, "--version", "1").code == 0
    assert registered(case) == (1, "challenger", "1")


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("service", ["container", "compose", "kubernetes"])
def test_where_an_image_will_answer_no_champion_is_made_that_it_cannot_answer_with(
    command: Command, config: Path, case: UseCase, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(Workspace(case.name))
    monkeypatch.setattr(stacks, "running_on", lambda _: StepsConfig(service=service))
    before = registered(case)
    monkeypatch.setattr("noria.deployment.container_command.FAST", "what no bundle has")
    refused = command("promote", "--config", config, "--version", "2", "--yes")
    assert (refused.code, "no fast form" in refused.err, registered(case)) == (2, True, before)
