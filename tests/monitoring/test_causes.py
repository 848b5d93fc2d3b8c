"""Whole checks: what a verdict names as its causes, and that broken data are never answered by training again."""

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring import MonitoringVerdict, monitor, read_window
from noria.monitoring.verdict_history import history_file, read
from noria.predictions import PredictionStore
from noria.system.workspace import Workspace
from tests.monitoring import streams
from tests.monitoring.served import serve
from tests.monitoring.streams import FAULTS, NOW, Stream

pytestmark = pytest.mark.slow


def check(
    stream: Stream, bundle: Bundle, store: PredictionStore, use_case: UseCase, workspace: Workspace
) -> MonitoringVerdict:
    rows, at = stream
    serve(store, bundle, rows, at, rows["churn"])
    return monitor(bundle, read_window(store, use_case, bundle.manifest.version, NOW), use_case, workspace, NOW)


@pytest.mark.parametrize("kind", FAULTS)
def test_broken_data_are_answered_by_those_who_deliver_them_and_never_by_training(
    kind: str, churn_bundle: Bundle, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    verdict = check(FAULTS[kind](), churn_bundle, store, churn, workspace)

    assert verdict.verdict == "fix_data"
    first = verdict.causes[0]
    assert first.kind == ("feed_stopped" if kind == "feed_stopped" else "data_fault")
    assert (first.severity, first.figures["fault"]) == ("fix_data", kind)
    assert "who delivers the data" in verdict.reasons[0] and "who delivers the data" in verdict.next_action
    assert read(history_file(workspace)) == [verdict]


def test_healthy_rows_have_no_cause(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    verdict = check(streams.healthy(), churn_bundle, store, churn, workspace)

    assert (verdict.verdict, verdict.causes) == ("ok", [])
    assert verdict.newest is not None and verdict.newest.warned < 0.01
    assert len(verdict.days) == streams.DAYS and sum(day.rows for day in verdict.days) == len(streams.healthy()[0])
    assert verdict.rules is not None and verdict.rules.model > verdict.rules.rules


def test_1500_changed_rows_after_1500_good_ones_are_not_hidden_by_them(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    """Codes in place of names, and 5 % missing where nothing was; all within one hour."""
    random = np.random.default_rng(0)
    rows = pd.concat([streams.healthy()[0]] * 2, ignore_index=True).head(3_000).astype(object)
    rows["tenure"] = rows["tenure"].astype(float) + random.random(len(rows)) / 10  # no row comes twice
    at = pd.Series(pd.date_range(pd.Timestamp(NOW) - pd.Timedelta(hours=1), periods=len(rows), freq="s"))
    is_new = np.arange(len(rows)) >= 1_500
    codes = {"DSL": "d", "Fiber optic": "f", "No": "n"}
    rows["internet_service"] = rows["internet_service"].where(~is_new, rows["internet_service"].map(codes))
    rows["payment_method"] = rows["payment_method"].mask(is_new & (random.random(len(rows)) < 0.05))

    verdict = check((rows, at), churn_bundle, store, churn, workspace)

    assert verdict.verdict == "fix_data"
    found = {cause.columns[0]: cause for cause in verdict.causes if cause.kind == "data_fault"}
    assert {name: cause.figures["fault"] for name, cause in found.items()} == {
        "internet_service": "category_renamed",
        "payment_method": "missing_values",
    }
    since = found["internet_service"].since
    assert since is not None and abs((pd.Timestamp(since) - at[1_500]).total_seconds()) < 60
    newest = verdict.newest
    assert newest is not None and abs(newest.rows - 1_500) <= 10 and newest.warned > 0.99
    assert verdict.days[-1].warned == pytest.approx(0.5, abs=0.05)


def test_a_model_that_has_become_worse_than_the_rules_is_said_to_be(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows, at = streams.healthy()
    acts = churn_bundle.predict(rows)["decision"] == "act"
    said = (rows["contract"] == "Month-to-month") & (rows["internet_service"] == "Fiber optic") & (rows["tenure"] <= 12)
    rows = rows.assign(churn=np.where(said | (~acts & (rows["contract"] == "Month-to-month")), "Yes", "No"))

    verdict = check((rows, at), churn_bundle, store, churn, workspace)

    assert verdict.verdict == "retrain" and verdict.rules is not None and verdict.rules.worse
    assert "worse_than_rules" in [cause.kind for cause in verdict.causes]


def test_a_verdict_of_an_earlier_version_is_still_read(workspace: Workspace) -> None:
    line = (
        '{"use_case":"telco_churn","version":"1","at":"2026-06-30T12:00:00Z","since":"2026-05-31T12:00:00Z",'
        '"verdict":"watch","confident":true,"reasons":["Something moved."],"next_action":"Look.",'
        '"next_command":"python run.py dashboard","drift":null,"performance":{"labels":0,"unusable":0,"waiting":0,'
        '"overdue":0,"metric":null,"worth":null,"target":null},"reports":{}}\n'
    )
    file = history_file(workspace)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(line)
    assert [(verdict.verdict, verdict.causes) for verdict in read(file)] == [("watch", [])]
