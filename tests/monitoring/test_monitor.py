"""Whole checks on real data: what stayed the same is let alone, what changed is noticed."""

import json
import os
import sys
import threading
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase
from noria.config.serving import PrivacyConfig
from noria.monitoring import MonitoringVerdict, monitor, read_window
from noria.monitoring.logged_predictions import comparison_tables
from noria.monitoring.verdict_history import history_file, read
from noria.predictions import PredictionStore
from noria.predictions.privacy import Redactor
from noria.system.workspace import Workspace
from tests import bundles
from tests.monitoring.conftest import Tables
from tests.monitoring.served import NOW, serve
from tests.running import running
from tests.service.serving import free_port

pytestmark = pytest.mark.slow


def check(bundle: Bundle, store: PredictionStore, use_case: UseCase, workspace: Workspace) -> MonitoringVerdict:
    window = read_window(store, use_case, bundle.manifest.version, NOW)
    return monitor(bundle, window, use_case, workspace, NOW)


def test_held_out_rows_of_the_same_table_are_no_cause_for_concern(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1]
    serve(store, churn_bundle, rows, NOW - timedelta(days=2), rows["churn"])

    verdict = check(churn_bundle, store, churn, workspace)

    assert (verdict.verdict, verdict.confident) == ("ok", True)
    assert verdict.performance.labels == len(rows)
    assert verdict.performance.metric is not None
    assert verdict.performance.metric.now == pytest.approx(churn_bundle.manifest.metrics["roc_auc"].value, abs=1e-9)
    assert verdict.drift is not None and verdict.drift.share < 0.1
    assert any(reason.startswith("roc_auc is 0.8") for reason in verdict.reasons)


def test_where_training_again_did_not_help_the_verdict_says_that_instead(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1]
    flipped = rows["churn"].map({"Yes": "No", "No": "Yes"})
    serve(store, churn_bundle, rows, NOW - timedelta(days=2), flipped)
    window = read_window(store, churn, churn_bundle.manifest.version, NOW)

    first = monitor(churn_bundle, window, churn, workspace, NOW)
    again = monitor(churn_bundle, window, churn, workspace, NOW, tried="Retraining was tried.")

    assert (first.verdict, again.verdict) == ("retrain", "retrain")
    assert first.next_command != again.next_command
    assert again.next_action == "Retraining was tried."


def test_without_evidently_s_pages_the_verdict_is_the_same(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    serve(store, churn_bundle, churn_rows[1], NOW - timedelta(days=2), churn_rows[1]["churn"])
    plain = churn.model_copy(update={"monitoring": churn.monitoring.model_copy(update={"evidently": False})})

    first, second = (check(churn_bundle, store, each, workspace) for each in (churn, plain))

    assert (set(first.reports), set(second.reports)) == ({"summary", "drift", "performance"}, {"summary"})
    assert (second.verdict, second.drift) == (first.verdict, first.drift)


def test_columns_that_are_not_kept_as_they_are_count_as_no_drift(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    privacy = PrivacyConfig(hash=["payment_method", "tenure"], drop=["monthly_charges"], truncate={"contract": 2})
    redactor = Redactor(privacy, churn_bundle.manifest.schema_.names, b"key")
    serve(store, churn_bundle, churn_rows[1], NOW - timedelta(days=2), redactor=redactor)
    private = churn.model_copy(update={"serving": churn.serving.model_copy(update={"privacy": privacy})})

    verdict = check(churn_bundle, store, private, workspace)

    assert verdict.drift is not None and verdict.drift.share < 0.1
    assert verdict.verdict == "ok"


def test_dearer_contracts_of_another_kind_are_noticed_before_any_label(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    random = np.random.default_rng(0)
    rows = churn_rows[1].copy()
    rows["monthly_charges"] += 25
    rows["contract"] = np.where(random.random(len(rows)) < 0.7, "Month-to-month", rows["contract"])
    serve(store, churn_bundle, rows, NOW - timedelta(days=2))

    verdict = check(churn_bundle, store, churn, workspace)

    assert verdict.verdict in {"watch", "retrain"}
    told = " ".join(verdict.reasons).replace("\xa0", " ")
    assert "monthly_charges moved: median 70" in told
    assert "contract moved: Month-to-month 5" in told
    assert f"{len(rows):,} predictions younger than 30 days still wait for their label" in told
    assert verdict.next_command == "python run.py dashboard"


def test_a_year_of_growth_makes_the_bike_model_due_for_training(
    bike_bundle: Bundle, bikes_2012: pd.DataFrame, bikes: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    days = bikes_2012["dteday"]
    rows = bikes_2012[(days >= "2012-05-01") & (days < "2012-07-01")]
    for day, group in rows.groupby("dteday"):
        at = NOW - (pd.Timestamp("2012-07-01") - day).to_pytimedelta()
        serve(store, bike_bundle, group, at, group["cnt"])

    verdict = check(bike_bundle, store, bikes, workspace)

    assert verdict.verdict == "retrain"
    metric = verdict.performance.metric
    assert metric is not None and metric.name == "mae" and metric.worse_by > 25 and metric.beyond_chance
    assert verdict.performance.target is not None and verdict.performance.target.moved
    assert verdict.reasons[0].startswith("mae is ")
    assert any("1,000 decisions cost 1" in reason for reason in verdict.reasons)
    assert any("The truth itself moved: cnt, median" in reason for reason in verdict.reasons)
    assert verdict.next_command == "python run.py cycle"


def test_what_the_model_learned_turning_false_means_retrain_though_no_input_moved(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1]
    shuffled = rows["churn"].sample(frac=1, random_state=0).reset_index(drop=True)
    serve(store, churn_bundle, rows, NOW - timedelta(days=40), shuffled)  # older than the window, but labels are late

    verdict = check(churn_bundle, store, churn, workspace)

    assert verdict.verdict == "retrain" and verdict.drift is None
    assert "more than chance explains" in verdict.reasons[0]
    assert verdict.performance.worth is not None and verdict.performance.worth.worse_by > 0


def test_a_drop_that_few_labels_cannot_prove_is_told_but_no_alarm(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1].head(60)
    churned = rows["churn"].mask(np.arange(len(rows)) % 9 == 0, "Yes")
    serve(store, churn_bundle, rows, NOW - timedelta(days=1), churned)

    verdict = check(churn_bundle, store, churn, workspace)

    metric = verdict.performance.metric
    assert metric is not None and metric.worse_by > churn.monitoring.metric_drop and not metric.beyond_chance
    assert verdict.verdict == "ok" and not verdict.confident
    assert any("may be chance" in reason for reason in verdict.reasons)


def test_without_predictions_it_is_too_early_to_tell(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    verdict = check(churn_bundle, store, churn, workspace)

    assert (verdict.verdict, verdict.confident, verdict.drift) == ("ok", False, None)
    assert verdict.reasons[0] == "It is too early to tell."
    assert "0 predictions in the last 30 days, 100 needed to judge drift." in verdict.reasons
    assert "0 labels known, 50 needed to judge how right the model is." in verdict.reasons
    assert list(verdict.reports) == ["summary"]


def test_predictions_of_another_version_and_labels_of_no_class_are_left_out(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1].head(95)
    labels = rows["churn"].mask(np.arange(len(rows)) < 25, "yes")
    serve(store, churn_bundle, rows, NOW - timedelta(days=1), labels)
    other = churn_bundle.manifest.model_copy(update={"version": "0"})
    serve(store, Bundle(other, churn_bundle.folder), rows, NOW - timedelta(days=1))

    verdict = check(churn_bundle, store, churn, workspace)

    assert "95 predictions in the last 30 days, 100 needed to judge drift." in verdict.reasons
    assert (verdict.performance.labels, verdict.performance.unusable) == (70, 25)
    assert any("25 labels left out" in reason for reason in verdict.reasons)


def test_labels_that_never_came_are_told_from_those_still_to_come(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    patient = churn.model_copy(update={"monitoring": churn.monitoring.model_copy(update={"window_days": 90.0})})
    serve(store, churn_bundle, churn_rows[1].head(50), NOW - timedelta(days=45))
    serve(store, churn_bundle, churn_rows[1].head(40), NOW - timedelta(days=5))

    performance = check(churn_bundle, store, patient, workspace).performance

    assert (performance.waiting, performance.overdue) == (40, 50)


def test_reports_lie_where_the_verdict_says_and_each_check_keeps_its_own(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1]
    serve(store, churn_bundle, rows, NOW - timedelta(days=2), rows["churn"])

    first = check(churn_bundle, store, churn, workspace)
    second = check(churn_bundle, store, churn, workspace)

    files = [Path(file) for verdict in (first, second) for file in verdict.reports.values()]
    assert len(set(files)) == 6 and all(file.stat().st_size > 10_000 for file in files)
    page = Path(second.reports["summary"]).read_text()
    assert "The model is doing well." in page and 'href="drift.html"' in page and "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert [verdict.model_dump() for verdict in read(history_file(workspace))] == [
        first.model_dump(),
        second.model_dump(),
    ]
    snapshots = list((workspace.monitoring / "evidently").glob("*/snapshots/*.json"))
    assert len(snapshots) == 4
    assert {json.loads(file.read_text())["name"] for file in snapshots} == {"drift", "performance"}


def test_two_checks_at_once_keep_both_verdicts(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    threads = [
        threading.Thread(target=check, args=(churn_bundle, store, churn, workspace), daemon=True) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    verdicts = read(history_file(workspace))
    assert len({verdict.reports["summary"] for verdict in verdicts}) == 4


def test_several_classes_are_judged_and_a_class_that_vanished_is_drift(
    contracts_bundle: Bundle, store: PredictionStore, workspace: Workspace
) -> None:
    use_case, _, rows = bundles.contracts()
    serve(store, contracts_bundle, rows, NOW - timedelta(days=2), rows["contract"])
    same = check(contracts_bundle, store, use_case, workspace)
    rows = rows.assign(tenure=np.arange(len(rows)) % 3 + 1, total_charges=rows["monthly_charges"])
    changed = bundles.changed(use_case, monitoring={"window_days": 1.0})
    serve(store, contracts_bundle, rows, NOW - timedelta(hours=1))

    assert (same.verdict, same.confident, same.reports.keys()) == ("ok", True, {"summary", "drift", "performance"})
    assert same.performance.metric is not None
    assert same.performance.metric.now == pytest.approx(contracts_bundle.manifest.metrics["f1_macro"].value, abs=1e-9)
    verdict = check(contracts_bundle, store, changed, workspace)
    assert verdict.verdict == "retrain"  # few columns moved, but they are what the model goes by
    assert verdict.drift is not None and verdict.drift.share < 0.25
    assert verdict.drift.weighted_share > 0.6
    assert any("predicted contract, Month-to-month" in reason for reason in verdict.reasons)


def test_values_that_came_now_as_text_and_now_as_numbers_can_be_stored_and_compared(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, tmp_path: Path
) -> None:
    rows = churn_rows[1].head(150).astype({"tenure": object})
    rows.loc[::2, "tenure"] = rows.loc[::2, "tenure"].map(str)
    labels = rows["churn"].mask(np.arange(len(rows)) % 10 == 0, 1)
    serve(store, churn_bundle, rows, NOW - timedelta(days=1), labels)

    window = read_window(store, churn, "1", NOW)

    for frame in (window.recent, window.labelled):
        frame.to_parquet(tmp_path / "window.parquet")
        assert set(frame["label"]) == {"Yes", "No", "1"}
    assert (
        comparison_tables(churn_bundle, window.recent)[1]["tenure"].tolist()
        == churn_rows[1]["tenure"].head(150).tolist()
    )


@pytest.mark.e2e
def test_evidently_shows_the_checks_over_time(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    serve(store, churn_bundle, churn_rows[1], NOW - timedelta(days=2), churn_rows[1]["churn"])
    check(churn_bundle, store, churn, workspace)
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    command = [Path(sys.executable).with_name("evidently"), "ui", "--workspace", workspace.monitoring / "evidently"]
    told, log = {**os.environ, "DO_NOT_TRACK": "1"}, workspace.monitoring / "evidently.log"
    server = running([*command, "--port", str(port)], told, log, ready=f"{url}/projects")
    with server, httpx.Client(base_url=url, timeout=90) as client:
        projects = client.get("/projects").json()
        shown = client.get(f"/projects/{projects[0]['id']}/reports").json()
        panels = client.get(f"/v2/dashboards/{projects[0]['id']}").json()["panels"]
    assert [project["name"] for project in projects] == ["telco_churn"]
    assert sorted(snapshot["name"] for snapshot in shown) == ["drift", "performance"]
    assert panels[0]["title"] == "Share of input columns that moved"
