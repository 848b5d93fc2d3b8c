"""Quality before labels: estimates that follow the truth when the mix of inputs moves, and their track record."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from noria.bundle import Bundle
from noria.config import UseCase
from noria.config.serving import PrivacyConfig
from noria.metrics import weighted_statistics
from noria.metrics.bootstrap import Statistic
from noria.monitoring import MonitoringVerdict, monitor, read_window
from noria.monitoring.quality_estimate import (
    expected,
    fit_calibration,
    fit_estimator,
    recalibrate,
    score_estimates,
    shifted_calibration,
    stretch,
)
from noria.monitoring.quality_estimate.error_models import fit_error_model
from noria.predictions import PredictionStore
from noria.system.workspace import Workspace
from tests import bundles
from tests.monitoring.served import NOW, serve

Tables = tuple[pd.DataFrame, pd.DataFrame]
Floats = np.ndarray


def asked(rows: int, share: float, seed: int) -> tuple[Floats, Floats, Floats]:
    """Inputs, scores and truths: in the second group, which is that share of the rows, the scores say nothing."""
    random = np.random.default_rng(seed)
    group = random.random(rows) < share
    chance = random.beta(0.7, 0.7, rows)
    truth = random.random(rows) < np.where(group, 0.5, chance)
    return np.column_stack([group, random.normal(size=(rows, 3))]).astype(float), chance, truth


def accuracy(scores: Floats) -> Statistic:
    right = scores >= 0.5
    return weighted_statistics.mean(np.concatenate([right, ~right]).astype(float))


def auc(scores: Floats) -> Statistic:
    rows = len(scores)
    return weighted_statistics.binary(np.repeat([True, False], rows), np.tile(scores, 2))["roc_auc"]


def test_known_labels_give_the_metric_itself() -> None:
    _, scores, truth = asked(500, 0.2, 1)
    fits = np.tile(truth.astype(float), (5, 1))
    assert expected(auc(scores), fits).value == pytest.approx(roc_auc_score(truth, scores))
    assert expected(accuracy(scores), fits) == pytest.approx(((truth == (scores >= 0.5)).mean(), 0))


def test_a_group_that_the_model_does_not_know_is_found_and_followed() -> None:
    inputs, scores, truth = asked(4_000, 0.25, 2)
    calibration = fit_calibration(inputs, scores, truth)
    moved, given, came = asked(4_000, 0.6, 3)
    by_inputs = expected(auc(given), calibration.probabilities(moved, given)).value
    alone = expected(auc(given), fit_calibration(inputs[:, :0], scores, truth).probabilities(moved[:, :0], given)).value
    weighted = expected(auc(given), shifted_calibration(inputs, scores, truth, moved, given)[None, :]).value
    real = roc_auc_score(came, given)
    assert calibration.method == "CBPE, calibrated by the inputs"
    assert abs(alone - real) > 0.08
    assert abs(by_inputs - real) < abs(alone - real) / 2
    assert abs(weighted - real) < abs(alone - real) / 2


def test_inputs_that_say_nothing_are_left_aside() -> None:
    inputs, scores, truth = asked(1_500, 0.0, 4)
    random = np.random.default_rng(4)
    calibration = fit_calibration(random.normal(size=(1_500, 2)), scores, truth)
    assert abs(calibration.probabilities(inputs[:, :2], scores).mean(axis=0) - scores).mean() < 0.03


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    inputs, scores, truth = asked(3_000, 0.2, 5)
    calibration = fit_calibration(inputs, scores, truth)
    held = 0
    for seed in range(60):
        moved, given, came = asked(400, 0.2, 100 + seed)
        found = expected(accuracy(given), calibration.probabilities(moved, given))
        held += abs(found.value - (came == (given >= 0.5)).mean()) <= 1.96 * found.deviation
    assert 51 <= held <= 60


def test_late_labels_correct_the_estimate_where_probabilities_mean_something_else_now() -> None:
    """The model has become overconfident: of cases with a probability of .9, 74 % are positive."""
    inputs, scores, truth = asked(3_000, 0.0, 7)
    before = fit_calibration(inputs, scores, truth)
    random = np.random.default_rng(8)

    def later(rows: int) -> tuple[Floats, Floats, Floats]:
        seen, given, _ = asked(rows, 0.0, int(random.integers(1_000)))
        return seen, given, random.random(rows) < 0.2 + 0.6 * given

    after = recalibrate(before, *later(2_000))
    moved, given, came = later(4_000)
    stale, fresh = (expected(auc(given), each.probabilities(moved, given)).value for each in (before, after))
    real = roc_auc_score(came, given)
    assert abs(stale - real) > 0.08
    assert abs(fresh - real) < abs(stale - real) / 3


def test_late_labels_that_show_nothing_new_change_nothing() -> None:
    before = fit_calibration(*asked(3_000, 0.2, 9))
    assert all(recalibrate(before, *asked(1_000, 0.2, seed)) is before for seed in range(10, 18))


def test_errors_of_a_regression_follow_the_inputs() -> None:
    random = np.random.default_rng(6)

    def errors(rows: int, high: float) -> tuple[Floats, Floats, Floats]:
        size = random.uniform(0, high, (rows, 1))
        return size, 10 * size[:, 0], np.abs(random.normal(0, 1 + size[:, 0]))

    known, predicted, losses = errors(4_000, 3)
    model = fit_error_model(known, predicted, losses)
    for high in (1, 3):
        rows, given, came = errors(1_000, high)
        found = model.mean_loss(rows, given)
        assert found.value == pytest.approx(came.mean(), abs=3 * found.deviation)
        assert found.value == pytest.approx(0.8 * (1 + high / 2), rel=0.12)
        assert 0.2 * came.std() / np.sqrt(1_000) < found.deviation < 5 * came.std() / np.sqrt(1_000)


def check(
    bundle: Bundle, store: PredictionStore, use_case: UseCase, workspace: Workspace, later: int = 0
) -> MonitoringVerdict:
    now = NOW + timedelta(days=later)
    return monitor(bundle, read_window(store, use_case, bundle.manifest.version, now), use_case, workspace, now)


@pytest.mark.slow
def test_without_labels_the_verdict_tells_what_is_estimated(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1]
    serve(store, churn_bundle, rows, NOW - timedelta(days=2))
    verdict = check(churn_bundle, store, churn, workspace)
    found, worth = verdict.performance.estimate, verdict.performance.estimated_worth
    assert found is not None and worth is not None
    promised = churn_bundle.manifest.metrics
    assert found.metric == "roc_auc"
    assert found.low < promised["roc_auc"].value < found.high
    assert worth.low < promised["worth"].value < worth.high
    assert any("Without labels, roc_auc is estimated at 0.8" in reason for reason in verdict.reasons)


@pytest.mark.slow
def test_estimates_are_compared_with_labels_once(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1]
    delay = churn.problem.label_delay_days
    for day in range(5):
        part = rows.iloc[300 * day : 300 * (day + 1)]
        serve(store, churn_bundle, part, NOW - timedelta(days=delay + 9 - day), part["churn"])
    serve(store, churn_bundle, rows, NOW - timedelta(days=1))
    first = check(churn_bundle, store, churn, workspace)
    second = check(churn_bundle, store, churn, workspace, later=1)
    scored = first.performance.scored
    page = Path(second.reports["summary"]).read_text(encoding="utf-8")
    assert "roc_auc, estimated" in page
    assert f"the interval held {sum(each.held for each in scored)} of {len(scored)} times" in page
    assert len(scored) >= 5
    assert sum(each.held for each in scored) >= len(scored) - 2
    assert max(each.error for each in scored) < 0.12
    assert [each.since for each in scored] == sorted(each.since for each in scored)
    assert not any(each.since <= scored[-1].until for each in second.performance.scored)


def test_intervals_that_missed_too_often_are_widened(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    from noria.monitoring.results import QualityEstimate, ScoredEstimate

    said = QualityEstimate(metric="roc_auc", value=0.8, low=0.78, high=0.82, rows=500, method="CBPE")
    missed = [ScoredEstimate(since=NOW, until=NOW, estimate=said, truth=0.8 + off) for off in (0.03, -0.04) * 5]
    assert stretch(missed[:7]) == 1
    assert 3 < stretch(missed) < 4
    assert stretch([each.model_copy(update={"truth": 0.805}) for each in missed]) == 1


def test_columns_that_the_store_does_not_keep_are_not_looked_at(churn_bundle: Bundle, churn: UseCase) -> None:
    hidden = churn.serving.model_copy(update={"privacy": PrivacyConfig(hash=["tenure"], drop=["contract"])})
    all_of_it = fit_estimator(churn_bundle, churn)
    private = fit_estimator(churn_bundle, churn.model_copy(update={"serving": hidden}))
    assert all_of_it is not None and private is not None
    assert len(private.places) == len(all_of_it.places) - 2


@pytest.mark.slow
def test_several_classes_and_numbers_have_their_estimates(
    contracts_bundle: Bundle, bike_bundle: Bundle, bikes: UseCase
) -> None:
    use_case, _, test = bundles.contracts()
    estimator = fit_estimator(contracts_bundle, use_case)
    assert estimator is not None
    rows = logged(contracts_bundle, test)
    found = estimator.estimate("accuracy", rows)
    assert found is not None
    assert found.low < contracts_bundle.manifest.metrics["accuracy"].value < found.high
    assert estimator.estimate("f1_macro", rows) is None
    errors = fit_estimator(bike_bundle, bikes)
    assert errors is not None
    _, train, _ = bundles.bike()
    is_test = np.arange(len(train)) % 4 == 0
    off = errors.estimate(bikes.evaluation.metric, logged(bike_bundle, train[is_test]))
    assert off is not None
    assert off.method == "DLE"
    assert off.value == pytest.approx(bike_bundle.manifest.metrics[bikes.evaluation.metric].value, rel=0.15)


@pytest.mark.slow
def test_late_labels_bring_the_errors_of_a_regression_up_to_date(
    bike_bundle: Bundle, bikes: UseCase, bikes_2012: pd.DataFrame
) -> None:
    """The model has learned 2011, and a year later twice as many bikes are rented."""
    month = bikes_2012["dteday"].dt.month
    known, asked_for = bikes_2012[month.isin([3, 4, 5])], bikes_2012[month == 6]
    estimator, rows = fit_estimator(bike_bundle, bikes), logged(bike_bundle, asked_for)
    assert estimator is not None
    late = logged(bike_bundle, known).assign(label=known["cnt"].to_numpy(dtype=float))
    stale, fresh = (each.estimate("mae", rows) for each in (estimator, estimator.recalibrated(late)))
    assert stale is not None and fresh is not None
    real = float(np.abs(rows["prediction"].to_numpy(dtype=float) - asked_for["cnt"].to_numpy()).mean())
    assert abs(stale.value - real) > 0.3 * real
    assert fresh.low < real < fresh.high
    assert abs(fresh.value - real) < 0.15 * real


def test_an_estimate_is_judged_by_what_was_known_when_it_was_made(
    bike_bundle: Bundle, bikes: UseCase, bikes_2012: pd.DataFrame
) -> None:
    """Labels that came later, or that came later than that, must not have corrected it."""
    few = bundles.changed(bikes, monitoring={"min_labels": 50})
    estimator = fit_estimator(bike_bundle, few)
    assert estimator is not None
    rows = bikes_2012.iloc[:1_600]
    times = pd.date_range(NOW - timedelta(days=40), periods=len(rows), freq="20min")
    frame = logged(bike_bundle, rows).assign(
        event_at=times, labelled_at=times + timedelta(days=2), label=rows["cnt"].to_numpy(dtype=float)
    )
    scored = score_estimates(estimator, "mae", frame, now=NOW)
    later = frame.assign(label=frame["label"].where(frame.index < 1_200, 9_999.0))
    again = score_estimates(estimator, "mae", later, now=NOW)
    never = score_estimates(estimator, "mae", frame.assign(labelled_at=NOW), now=NOW)
    assert [each.estimate for each in scored[:6]] == [each.estimate for each in again[:6]]
    assert {each.estimate.method for each in never} == {"DLE"}
    assert scored[-1].estimate.method != "DLE"
    assert np.mean([each.error for each in scored[3:]]) < np.mean([each.error for each in never[3:]])


def logged(bundle: Bundle, rows: pd.DataFrame) -> pd.DataFrame:
    """Predictions for the rows as the store gives them back."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = PredictionStore(f"sqlite:///{folder}/predictions.db")
        serve(store, bundle, rows, NOW)
        found = store.window(NOW - timedelta(days=1), NOW + timedelta(days=1), limit=len(rows))
        store.close()
    return found
