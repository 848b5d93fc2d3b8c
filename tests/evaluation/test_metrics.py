"""Metrics equal scikit-learn's, worth follows the use case, and intervals behave like intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from noria.config import UseCase
from noria.metrics.metrics import (
    bootstrap_intervals,
    compute_metrics,
    greater_is_better,
    metric_interval,
    metric_statistics,
    primary_metric,
)
from tests.bundles import bike, changed, churn, contracts
from tests.errors_raised import raises


def sample(rows: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(rows)
    truth = np.where(random.random(rows) < 0.3, "Yes", "No")
    scores = np.clip(0.25 * (truth == "Yes") + 0.7 * random.random(rows), 0, 1)
    return truth, scores.round(1) if ties else scores


@pytest.mark.parametrize("ties", [False, True])
def test_binary_metrics_equal_scikit_learns(ties: bool) -> None:
    truth, scores = sample(500, ties=ties)
    found = compute_metrics(churn().use_case, truth, scores)
    positive = truth == "Yes"
    assert found["roc_auc"] == pytest.approx(reference.roc_auc_score(positive, scores))
    assert found["average_precision"] == pytest.approx(reference.average_precision_score(positive, scores))
    assert found["brier"] == pytest.approx(reference.brier_score_loss(positive, scores))
    assert found["log_loss"] == pytest.approx(reference.log_loss(positive, scores))


def test_multiclass_metrics_equal_scikit_learns() -> None:
    random = np.random.default_rng(0)
    scores = random.dirichlet([1, 1, 1], 400)
    truth = np.array(["a", "b", "c"])[random.integers(0, 3, 400)]
    found = compute_metrics(contracts().use_case, truth, scores, classes=["a", "b", "c"])
    predicted = np.array(["a", "b", "c"])[scores.argmax(axis=1)]
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted))
    assert found["f1_macro"] == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    assert found["log_loss"] == pytest.approx(reference.log_loss(truth, scores))


def test_regression_metrics_equal_scikit_learns() -> None:
    random = np.random.default_rng(0)
    truth = random.gamma(2, 100, 400) + 1e6
    scores = truth + random.normal(0, 40, 400)
    found = compute_metrics(bike().use_case, truth, scores)
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(truth, scores))
    assert found["rmse"] == pytest.approx(reference.root_mean_squared_error(truth, scores))
    assert found["r2"] == pytest.approx(reference.r2_score(truth, scores))


def test_weighted_metrics_are_those_of_the_resample() -> None:
    truth, scores = sample(200, ties=True)
    drawn = np.random.default_rng(1).integers(0, 200, 200)
    weights = np.bincount(drawn, minlength=200)[None, :].astype(float)
    statistics = metric_statistics(churn().use_case, truth, scores)
    expected = compute_metrics(churn().use_case, truth[drawn], scores[drawn])
    assert {name: float(s(weights)[0]) for name, s in statistics.items()} == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_ranking_metrics_stay_between_0_and_1_or_are_undefined(rows: list[tuple[bool, int]]) -> None:
    truth = ["Yes" if positive else "No" for positive, _ in rows]
    found = compute_metrics(churn().use_case, truth, [score / 4 for _, score in rows])
    assert np.isnan(found["roc_auc"]) == (len(set(truth)) == 1)
    for name in ("roc_auc", "average_precision"):
        assert np.isnan(found[name]) or 0 <= found[name] <= 1 + 1e-12


def test_worth_follows_the_use_case() -> None:
    truth = ["Yes", "No", "Yes", "No", "Yes", "No"]
    decisions = ["act", "act", "leave", "leave", "ask", "ask"]
    # 160 - 40 + 0 + 0, and half of acting for those that a person decides
    found = compute_metrics(churn().use_case, truth, [0.5] * 6, decisions)
    assert found["worth"] == pytest.approx(1000 * (160 - 40 + 80 - 20) / 6)


def test_without_decisions_a_case_is_acted_on_where_it_pays() -> None:
    # 160 p - 40 (1 - p) > 0 from p = 0.2 on
    truth = ["Yes", "No", "No"]
    assert compute_metrics(churn().use_case, truth, [0.21, 0.21, 0.19])["worth"] == pytest.approx(1000 * (160 - 40) / 3)


def test_worth_of_classes_and_of_numbers() -> None:
    found = compute_metrics(contracts().use_case, ["Two year", "One year", "One year"], np.eye(3)[[0, 0, 1]],
                    classes=["Month-to-month", "One year", "Two year"])  # fmt: skip
    assert found["worth"] == pytest.approx(1000 * (-30 - 5 + 20) / 3)
    # within 20: worth 10; each one too high costs 0.4, each one too low 1.2
    found = compute_metrics(bike().use_case, [100, 100, 100], [110, 200, 50])
    assert found["worth"] == pytest.approx(1000 * ((10 - 4) - 40 - 60) / 3)


def test_what_cannot_be_compared_is_said() -> None:
    use_case = churn().use_case
    with raises("evaluation.lengths_differ", "2 truths", "3 scores"):
        compute_metrics(use_case, ["Yes", "No"], [0.1, 0.2, 0.3])
    with raises("evaluation.shape_mismatch", "2 classes"):
        compute_metrics(contracts().use_case, ["a", "b"], np.eye(3)[:2], classes=["a", "b"])


def test_no_rows_and_one_class_give_nan_not_an_error() -> None:
    use_case = churn().use_case
    assert all(np.isnan(value) for value in compute_metrics(use_case, [], []).values())
    assert np.isnan(metric_interval(use_case, "roc_auc", [], [])).all()
    assert np.isnan(metric_interval(use_case, "roc_auc", ["No"] * 5, [0.1] * 5)).all()
    assert not np.isnan(metric_interval(use_case, "brier", ["No"] * 5, [0.1] * 5)).any()
    assert all(np.isnan(value) for value in compute_metrics(bike().use_case, [], []).values())


def test_the_primary_metric_is_the_configured_one() -> None:
    truth, scores = sample(100)
    use_case = changed(churn().use_case, evaluation={"metric": "brier"})
    assert primary_metric(use_case, truth, scores) == compute_metrics(use_case, truth, scores)["brier"]
    assert not greater_is_better("brier")
    assert greater_is_better("worth")


def test_an_interval_holds_the_truth_about_as_often_as_it_claims() -> None:
    use_case = changed(churn().use_case, evaluation={"metric": "brier", "bootstrap": 200, "confidence": 0.9})
    random, hits = np.random.default_rng(3), 0
    for _ in range(200):
        scores = random.random(150)
        truth = np.where(random.random(150) < scores, "Yes", "No")
        low, high = metric_interval(use_case, "brier", truth, scores)
        # the expected Brier score of honest uniform probabilities is 1/6
        hits += low <= 1 / 6 <= high
    assert 165 <= hits <= 195


def test_the_same_seed_gives_the_same_interval_and_more_rows_a_narrower_one() -> None:
    use_case = churn().use_case

    def intervals(rows: int) -> dict[str, tuple[float, float]]:
        return bootstrap_intervals(metric_statistics(use_case, *sample(rows)), use_case, rows, None)

    small, large = intervals(300), intervals(3000)
    assert small == intervals(300)
    for name, (low, high) in large.items():
        assert high - low < small[name][1] - small[name][0]


def test_rows_that_belong_together_widen_the_interval() -> None:
    use_case, random = bike().use_case, np.random.default_rng(0)
    day = np.repeat(np.arange(50), 24)
    off = random.normal(0, 30, 50)[day] + random.normal(0, 1, 1200)
    alone = metric_interval(use_case, "mae", np.zeros(1200), off)
    together = metric_interval(use_case, "mae", np.zeros(1200), off, blocks=day)
    assert together[1] - together[0] > 3 * (alone[1] - alone[0])


def test_many_rows_are_judged_with_fewer_resamples() -> None:
    use_case: UseCase = churn().use_case
    low, high = metric_interval(use_case, "roc_auc", *sample(250_000))
    assert 0 < high - low < 0.01
