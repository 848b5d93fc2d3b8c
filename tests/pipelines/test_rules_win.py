"""Where the rules are exact, they are what is promoted and served, and the report says that ML is not needed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from pipeline_runs import at_home, output, runs_of
from zenml.client import Client
from zenml.enums import ModelStages

from app.command_result import CommandResult
from app.commands.deploy import deploy
from app.commands.train import train
from noria.client import Client as ServiceClient
from noria.config import UseCase
from noria.deployment import read_state, stop
from noria.system.workspace import Workspace
from steps.shared.champion import require_champion
from tests.service.serving import free_port
from tests.small_cases import churn_table, small_case, url_of, write_config

pytestmark = pytest.mark.e2e

RULE = 'contract == "Month-to-month" and tenure <= 12'


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> UseCase:
    """Customers who leave exactly when the rule says so."""
    path = tmp_path_factory.mktemp("data") / "ruled.csv"
    rows = churn_table(1200)
    leaves = (rows["contract"] == "Month-to-month") & (rows["tenure"] <= 12)
    rows.assign(churn=np.where(leaves, "Yes", "No")).to_csv(path, index=False)
    rules = {"conditions": [{"when": RULE, "then": "Yes"}], "otherwise": "No"}
    return small_case("ruled", path, rules=rules, serving={"port": free_port()}, models={"trials": 0})


@pytest.fixture(scope="module")
def trained_rules(case: UseCase, pipeline_home: Path) -> CommandResult:
    with at_home(pipeline_home):
        return train(case, None)


@pytest.fixture(scope="module")
def run(trained_rules: CommandResult, case: UseCase) -> Any:
    return runs_of(case)[-1]


def test_the_rules_are_promoted(trained_rules: CommandResult, run: Any, case: UseCase, home: Path) -> None:
    verdict = output(run, "gate", "verdict").load()
    assert verdict.promote == "rules"
    assert not verdict.ml_needed
    assert "ML is not needed" in trained_rules.headline
    champion = require_champion(case.name)
    assert champion.manifest.kind == "rules"
    assert champion.manifest.version == "1"
    assert champion.manifest.metrics["roc_auc"].value == 1
    assert Client().get_model_version(case.name, ModelStages.PRODUCTION).run_metadata["promoted"] == "rules"
    store = mlflow.MlflowClient(f"sqlite:///{home / 'artifacts' / 'mlflow.db'}")
    assert store.get_model_version_by_alias(case.name, "champion").tags["kind"] == "rules"


def test_the_report_says_that_ml_is_not_needed(trained_rules: CommandResult) -> None:
    assert "Machine learning is not needed here" in Path(str(trained_rules.fact("model report"))).read_text(
        encoding="utf-8"
    )


@pytest.fixture(scope="module")
def deployed(trained_rules: CommandResult, case: UseCase, pipeline_home: Path) -> Iterator[CommandResult]:
    with at_home(pipeline_home):
        yield deploy(case, None)
        assert stop(Workspace(case.name))


def test_the_rules_are_served(deployed: CommandResult, case: UseCase) -> None:
    assert "rules" in deployed.headline
    rows = pd.DataFrame({"contract": ["Month-to-month", "Month-to-month", "Two year"], "tenure": [3, 30, 3]})
    examples = [{**require_champion(case.name).examples()[0], **row} for row in rows.to_dict("records")]
    with ServiceClient(url_of(deployed)) as client:
        assert client.model().kind == "rules"
        assert [answer.prediction for answer in client.predict(examples)] == ["Yes", "No", "No"]
    running = read_state(Workspace(case.name))
    assert running is not None
    assert running.version == "1"
    assert runs_of(case, "deployment")[0].model_version.number == 1


def test_status_tells_what_runs(deployed: CommandResult, case: UseCase, command: Any, tmp_path: Path) -> None:
    told = command("status", "--config", write_config(case, tmp_path / "case.yaml"))
    assert told.code == 0
    assert f"ruled: version 1 answers at {url_of(deployed)}" in told.out
    assert "predictions" in told.out
    # rules are measured again on all rows, too; the figures are those of before
    assert "learned from" in told.out
    assert "1,200 rows" in told.out
    found = re.search(r"(\d+) test rows that a fit on (\d+) rows had not seen", told.out)
    assert found is not None
    assert int(found[1]) + int(found[2]) == 1200
