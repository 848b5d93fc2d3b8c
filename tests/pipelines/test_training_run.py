"""What a training run leaves in ZenML and MLflow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal
from pipeline_runs import output, runs_of, statuses
from zenml.client import Client
from zenml.enums import ArtifactType, ModelStages, VisualizationType

from app.commands.result import CommandResult
from noria.bundle import Bundle
from noria.config import UseCase
from noria.data.sources import fingerprint, read
from noria.data.split import split
from noria.data.validation import validate
from noria.evaluation.evaluate import EvaluationResult
from noria.evaluation.promotion_gate import GateVerdict
from noria.reporting.html_report import HtmlReport
from noria.training.results import Leaderboard
from noria.training.selection import Selection
from steps.shared.champion import find_champion

pytestmark = pytest.mark.e2e

TABLES = [
    ("ingest", "raw_table"),
    ("validate", "valid_rows"),
    ("validate", "quarantined_rows"),
    ("split", "train_rows"),
    ("split", "test_rows"),
    ("train_candidates", "out_of_fold"),
    ("tune", "tuned_out_of_fold"),
]
BUNDLES = [
    ("select", "fitted_challenger"),
    ("select", "fitted_rules"),
    ("evaluate", "challenger"),
    ("evaluate", "rules"),
]
REPORTS = [("explore", "exploration_report"), ("gate", "evaluation_report")]
MODELS = [
    ("train_candidates", "first_leaderboard", Leaderboard),
    ("tune", "leaderboard", Leaderboard),
    ("select", "selection", Selection),
    ("evaluate", "evaluation", EvaluationResult),
    ("gate", "verdict", GateVerdict),
]


def test_every_step_completes(run: Any) -> None:
    assert run.status.value == "completed"
    assert set(statuses(run).values()) == {"completed"}


@pytest.mark.parametrize(("step", "name"), TABLES)
def test_tables_are_zstd_parquet_with_a_preview(run: Any, step: str, name: str) -> None:
    table = output(run, step, name)
    assert table.type == ArtifactType.DATA
    columns = pq.ParquetFile(f"{table.uri}/table.parquet").metadata
    codecs = {columns.row_group(0).column(i).compression for i in range(columns.num_columns)}
    assert codecs <= {"ZSTD"}
    assert table.run_metadata["rows"] == len(table.load())
    assert [each.type for each in table.visualizations] == [VisualizationType.HTML]


@pytest.mark.parametrize(("step", "name"), BUNDLES)
def test_bundles_load_and_show_their_manifest(run: Any, step: str, name: str) -> None:
    stored = output(run, step, name)
    assert stored.type == ArtifactType.MODEL
    assert isinstance(stored.load(), Bundle)
    assert [each.type for each in stored.visualizations] == [VisualizationType.MARKDOWN]
    assert f'"kind": "{stored.load().manifest.kind}"' in Path(stored.visualizations[0].uri).read_text(encoding="utf-8")


@pytest.mark.parametrize(("step", "name"), REPORTS)
def test_reports_load_and_are_pages_of_the_dashboard(run: Any, step: str, name: str) -> None:
    stored = output(run, step, name)
    report = stored.load()
    assert isinstance(report, HtmlReport)
    assert "</html>" in report.html
    assert [each.type for each in stored.visualizations] == [VisualizationType.HTML]


@pytest.mark.parametrize(("step", "name", "kind"), MODELS)
def test_facts_come_back_typed(run: Any, step: str, name: str, kind: type) -> None:
    assert type(output(run, step, name).load()) is kind


def test_tables_load_back_as_the_domain_made_them(run: Any, use_case: UseCase) -> None:
    valid = validate(read(use_case.data), use_case)
    train, test = split(valid.frame, use_case)
    for step, name, expected in [
        ("validate", "valid_rows", valid.frame),
        ("validate", "quarantined_rows", valid.quarantined),
        ("split", "train_rows", train),
        ("split", "test_rows", test),
    ]:
        assert_frame_equal(output(run, step, name).load(), expected)


def test_the_bundle_is_of_this_data_and_knows_its_version(run: Any, use_case: UseCase) -> None:
    bundle = output(run, "evaluate", "challenger").load()
    evaluation = output(run, "evaluate", "evaluation").load()
    assert bundle.manifest.data_fingerprint == fingerprint(use_case.data)
    assert bundle.manifest.version == str(run.model_version.number)
    assert bundle.manifest.metrics == evaluation.metrics
    assert bundle.manifest.kind == output(run, "select", "selection").load().kind


def test_reports_and_quarantine_lie_in_the_workspace(trained: CommandResult, run: Any, home: Path) -> None:
    report = output(run, "gate", "evaluation_report").load()
    assert ("quarantined", f"2 rows, with reasons in {home / 'small_churn/quarantine/training.csv'}") in trained.facts
    assert list(pd.read_csv(home / "small_churn/quarantine/training.csv")["row"]) == [4, 8]
    assert Path(str(trained.fact("model report"))).read_text(encoding="utf-8") == report.html
    assert trained.next == ["python run.py deploy {options}"]


def test_the_model_version_is_in_production_with_its_facts(trained: CommandResult, run: Any, use_case: UseCase) -> None:
    version = Client().get_model_version(use_case.name, ModelStages.PRODUCTION)
    metric = output(run, "evaluate", "evaluation").load().metrics["roc_auc"]
    assert version.number == 1
    assert version.run_metadata["promoted"] == "challenger"
    assert version.run_metadata["promote"] == "challenger"
    assert version.run_metadata["ml_needed"] is True
    assert version.run_metadata["test_roc_auc"] == pytest.approx(metric.value)
    assert metric.value >= 0.8


def test_a_second_run_promotes_nothing_and_takes_data_and_training_from_the_cache(
    trained_again: CommandResult, run: Any, use_case: UseCase
) -> None:
    second = runs_of(use_case)[0]
    cached = {name for name, status in statuses(second).items() if status == "cached"}
    assert cached == {"ingest", "validate", "explore", "split", "train_candidates", "tune", "select"}
    assert second.status.value == "completed"
    assert output(second, "gate", "verdict").load().promote == "none"
    assert "stays" in trained_again.headline
    champion = find_champion(use_case.name)
    assert champion is not None
    assert champion.manifest.version == "1"
    assert Client().get_model_version(use_case.name, ModelStages.PRODUCTION).number == 1
    # made in the first run, but the version is that of this one
    assert output(second, "evaluate", "challenger").load().manifest.version == "2"


def test_every_trial_is_a_child_run_in_mlflow(run: Any, children: Callable[[str], list[Any]]) -> None:
    trials = output(run, "tune", "leaderboard").load().trials
    runs = {each.info.run_name: each for each in children("tune")}
    assert len(trials) == len(runs) == 2
    for trial in trials:
        child = runs[f"xgboost, trial {trial.number}"]
        assert child.data.params == {name: str(value) for name, value in trial.params.items()}
        assert child.data.metrics["roc_auc"] == pytest.approx(trial.value)
        assert child.data.tags["noria.state"] == trial.state
        assert child.info.status == "FINISHED"


def test_every_candidate_is_a_child_run_in_mlflow(children: Callable[[str], list[Any]]) -> None:
    names = {each.info.run_name for each in children("train_candidates")}
    assert names == {f"{kind}, as configured" for kind in ("rules", "dummy", "linear", "tree", "xgboost")}


def test_the_registry_names_champion_and_challenger(
    trained_again: CommandResult, use_case: UseCase, home: Path
) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{home / 'artifacts' / 'mlflow.db'}")
    client = mlflow.MlflowClient()
    champion = client.get_model_version_by_alias(use_case.name, "champion")
    challenger = client.get_model_version_by_alias(use_case.name, "challenger")
    assert (champion.version, challenger.version) == (1, 2)
    assert champion.tags["zenml_version"] == "1"
    assert champion.tags["verdict"]
    assert challenger.tags["zenml_version"] == "2"
    downloaded = mlflow.artifacts.download_artifacts(artifact_uri=champion.source)
    assert Bundle.load(Path(downloaded)).manifest.version == "1"


@pytest.fixture
def children(run: Any) -> Callable[[str], list[Any]]:
    """The MLflow runs below the one of a step, those of a stage."""

    def of_stage(stage: str) -> list[Any]:
        told = run.steps[stage].run_metadata
        mlflow.set_tracking_uri(told["experiment_tracker_url"])
        condition = f"tags.mlflow.parentRunId = '{told['mlflow_run_id']}' and tags.`noria.stage` = '{stage}'"
        return mlflow.search_runs([told["mlflow_experiment_id"]], condition, output_format="list")

    return of_stage
