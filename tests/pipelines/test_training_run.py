"""What a training run leaves in ZenML and MLflow."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal
from pipeline_runs import output, runs_of, statuses
from zenml.client import Client
from zenml.enums import ArtifactType, ModelStages, VisualizationType

from app.command_result import CommandResult
from app.commands.status import status
from app.commands.train import train
from app.runs.training_record import training_inputs
from app.servers import dashboards
from app.servers.dashboards import Dashboard
from noria.bundle import Bundle
from noria.bundle.code_digest import code_digest
from noria.bundle.seal import bundle_digest
from noria.config import UseCase
from noria.data.sources import fingerprint, read
from noria.data.split import split
from noria.data.validation import validate
from noria.evaluation.evaluate import EvaluationResult
from noria.evaluation.promotion_gate import GateVerdict
from noria.models.fitted_model import fit
from noria.reporting.html_report import HtmlReport
from noria.training.results import Leaderboard
from noria.training.selection import Selection
from steps.shared.champion import find_champion
from steps.shared.mlflow_tracking import register_version
from tests.small_cases import small_case

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
    ("evaluate", "judged_challenger"),
    ("evaluate", "judged_rules"),
    ("refit", "challenger"),
    ("refit", "rules"),
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
    bundle = output(run, "refit", "challenger").load()
    evaluation = output(run, "evaluate", "evaluation").load()
    assert bundle.manifest.data_fingerprint == fingerprint(use_case.data)
    assert bundle.manifest.version == str(run.model_version.number)
    assert bundle.manifest.metrics == evaluation.metrics
    assert bundle.manifest.kind == output(run, "select", "selection").load().kind


def test_what_is_promoted_has_learned_from_all_rows(trained: CommandResult, run: Any, use_case: UseCase) -> None:
    train, test = (output(run, "split", name).load() for name in ("train_rows", "test_rows"))
    judged, served = output(run, "evaluate", "judged_challenger").load(), find_champion(use_case.name)
    assert served is not None
    assert judged.manifest.learned.rows == len(train)
    assert served.manifest.learned is not None and served.manifest.metrics_from is not None
    assert served.manifest.learned.rows == len(train) + len(test)
    assert served.manifest.metrics_from.learned_rows == len(train)
    assert served.manifest.metrics_from.test_rows == len(test)
    by_hand = fit(judged.manifest.kind, judged.manifest.parameters, pd.concat([train, test]), use_case)
    np.testing.assert_allclose(served.scores(test), by_hand.scores(test), atol=1e-12)
    assert not np.allclose(served.scores(test), judged.scores(test))
    # only what is promoted is fitted again
    assert output(run, "refit", "rules").load().manifest.learned.rows == len(train)
    said = str(trained.fact("rows"))
    assert f"{len(train):,} training rows" in said
    assert f"all {len(train) + len(test):,} rows" in said
    assert said in Path(str(trained.fact("model report"))).read_text(encoding="utf-8").replace("\n", " ")


def test_what_was_judged_is_served_where_the_use_case_says_so(run: Any, use_case: UseCase) -> None:
    from steps.training.refit import refit

    judged, rules = (output(run, "evaluate", name).load() for name in ("judged_challenger", "judged_rules"))
    train, test = (output(run, "split", name).load() for name in ("train_rows", "test_rows"))
    verdict, scores = output(run, "gate", "verdict").load(), output(run, "tune", "tuned_out_of_fold").load()
    assert verdict.promote == "challenger"
    as_judged = use_case.model_copy(update={"models": use_case.models.model_copy(update={"refit": "training"})})
    served, _ = refit.entrypoint(judged, rules, verdict, train, test, scores, as_judged)
    assert bundle_digest(served.folder) == bundle_digest(judged.folder)


def test_reports_and_quarantine_lie_in_the_workspace(trained: CommandResult, run: Any, home: Path) -> None:
    report = output(run, "gate", "evaluation_report").load()
    assert ("quarantined", f"2 rows, with reasons in {home / 'small_churn/quarantine/training.csv'}") in trained.facts
    assert list(pd.read_csv(home / "small_churn/quarantine/training.csv")["row"]) == [4, 8]
    assert Path(str(trained.fact("model report"))).read_text(encoding="utf-8") == report.html
    assert trained.next == ["python run.py deploy"]


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
    again = output(second, "refit", "challenger").load()
    assert again.manifest.version == "2"


def test_a_champion_that_has_learned_the_test_rows_gains_nothing_by_it(
    trained_again: CommandResult, use_case: UseCase
) -> None:
    second = runs_of(use_case)[0]
    verdict, test = output(second, "gate", "verdict").load(), output(second, "split", "test_rows").load()
    versus = next(each for each in verdict.comparisons if each.rival == "champion")
    assert versus.difference == 0, "the same recipe, fitted on the same rows"
    assert verdict.unlearned_rows == len(test)
    assert f"learned from {len(test):,} of the {len(test):,} test rows" in verdict.champion_basis
    assert trained_again.fact("compared") == verdict.champion_basis
    # the challenger stays as it was judged
    again = output(second, "refit", "challenger").load()
    assert again.manifest.learned.rows == len(output(second, "split", "train_rows").load())


def test_the_same_is_not_learned_twice(trained_again: CommandResult, use_case: UseCase, table: Path) -> None:
    runs = len(runs_of(use_case))
    same = train(use_case, None)
    assert "Nothing new to learn: version 2 is the model" in same.headline
    assert same.fact("version") == "2 (xgboost), not promoted, version 1 is the champion"
    assert same.fact("to repeat it") == "python run.py train --again"
    assert same.next == ["python run.py deploy", "python run.py promote --version 2"]
    assert trained_again.next == ["python run.py deploy"]
    assert status(use_case).next == ["python run.py deploy"], "the same next step"
    assert len(runs_of(use_case)) == runs
    served = small_case(use_case.name, table, serving={"port": 4321}, monitoring={"min_rows": 20})
    assert train(served, None).headline == same.headline, "neither is trained on"


def test_anything_that_training_depends_on_is_something_new(
    trained_again: CommandResult, use_case: UseCase, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = training_inputs(use_case, None)
    assert training_inputs(use_case, None) == before
    rows = pd.read_csv(table)
    rows.iloc[:-1].to_csv(tmp_path / "fewer.csv", index=False)
    assert training_inputs(small_case(use_case.name, tmp_path / "fewer.csv"), None).data != before.data
    assert training_inputs(small_case(use_case.name, table, split={"seed": 1}), None).config != before.config
    assert training_inputs(use_case, "docker").stack == "docker"
    monkeypatch.setattr("noria.bundle.code_digest.PROJECT", tmp_path)
    code_digest.cache_clear()
    assert training_inputs(use_case, None).code != before.code
    code_digest.cache_clear()
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path))
    assert training_inputs(use_case, None).store != before.store, "another store holds other versions"


@pytest.fixture
def tracked(run: Any) -> Iterator[None]:
    """MLflow of the run."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(run.steps["tune"].run_metadata["experiment_tracker_url"])
    yield
    mlflow.set_tracking_uri(before)


def test_each_use_case_has_an_experiment_of_its_own(run: Any, use_case: UseCase, tracked: None) -> None:
    told = run.steps["tune"].run_metadata
    experiment = mlflow.get_experiment_by_name(use_case.name)
    assert experiment is not None
    assert experiment.experiment_id == told["mlflow_experiment_id"]
    page = dashboards._page(Dashboard("MLflow", "http://127.0.0.1:5000/", 1, 0.0), use_case)
    assert page == f"http://127.0.0.1:5000/#/experiments/{experiment.experiment_id}/runs"


def test_both_registries_call_a_version_by_the_same_number(tracked: None, tmp_path: Path) -> None:
    """Runs 1 and 2 did not finish, so MLflow has not heard of them."""
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    experiment = mlflow.create_experiment("numbered", artifact_location=(tmp_path / "runs").as_uri())
    with mlflow.start_run(experiment_id=experiment):
        assert register_version("numbered", bundle, {"zenml_version": "3"}, 3) == "3"
        assert register_version("numbered", bundle, {"zenml_version": "4"}, 4) == "4"
    found = mlflow.MlflowClient().search_model_versions("name = 'numbered'")
    assert sorted(int(each.version) for each in found) == [3, 4]


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
