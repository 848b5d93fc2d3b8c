"""Decisions: the threshold that brings in most, and who is asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_cases import Case, changed

from noria.bundle.answers import build_prediction, build_predictions
from noria.config.problem import BinaryWorth
from noria.models.policy_choice import DecisionPolicy, best_threshold, choose_policy

money = st.integers(-200, 200).map(float)


def worth_at(worth: BinaryWorth, positive: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    act = scores >= threshold
    return float(
        (act & positive).sum() * worth.true_positive
        + (act & ~positive).sum() * worth.false_positive
        + (~act & positive).sum() * worth.false_negative
        + (~act & ~positive).sum() * worth.true_negative
    )


@given(
    rows=st.lists(st.tuples(st.booleans(), st.integers(0, 99)), min_size=1, max_size=40),
    tp=money,
    fp=money,
    fn=money,
    tn=money,
)
def test_no_threshold_brings_in_more(rows: list[tuple[bool, int]], tp: float, fp: float, fn: float, tn: float) -> None:
    worth = BinaryWorth(true_positive=tp, false_positive=fp, false_negative=fn, true_negative=tn)
    positive = np.array([label for label, _ in rows])
    scores = np.array([value / 100 for _, value in rows])
    found = best_threshold(worth, positive, scores)
    best = max(worth_at(worth, positive, scores, t) for t in [*(i / 100 for i in range(100)), 1.0])
    assert 0 <= found <= 1
    assert worth_at(worth, positive, scores, found) == pytest.approx(best)


def test_of_equal_thresholds_the_one_that_acts_least_is_taken() -> None:
    worth = BinaryWorth(true_positive=1, false_positive=-1, false_negative=0)
    assert best_threshold(worth, np.array([True, False, True]), np.array([0.9, 0.6, 0.3])) == pytest.approx(0.75)
    never = BinaryWorth(true_positive=-5, false_positive=-9, false_negative=0)
    assert best_threshold(never, np.array([True]), np.array([0.9])) == 1.0
    assert best_threshold(worth, np.zeros(0, dtype=bool), np.zeros(0)) == 1.0


def test_best_worth_uses_the_rows_that_have_a_score(churn: Case) -> None:
    truth = churn.train["churn"].to_numpy()
    scores = np.where(truth == "Yes", 0.8, 0.2)
    scores[:1000] = np.nan
    policy = choose_policy(churn.use_case, truth, scores)
    assert policy == DecisionPolicy(threshold=0.5, review_margin=0.03)


def test_a_threshold_set_by_hand_is_kept(churn: Case) -> None:
    use_case = changed(churn.use_case, decision={"threshold": 0.7, "review_margin": 0.0})
    policy = choose_policy(use_case, churn.train["churn"], np.full(len(churn.train), 0.5))
    assert policy.decide(np.array([0.69, 0.7, 0.71])).tolist() == ["leave", "act", "act"]


def test_near_the_threshold_a_person_is_asked() -> None:
    policy = DecisionPolicy(threshold=0.5, review_margin=0.1)
    scores = np.array([0.1, 0.45, 0.5, 0.55, 0.9, np.nan])
    assert policy.decide(scores).tolist() == ["leave", "ask", "ask", "ask", "act", "ask"]


def test_an_unsure_class_goes_to_a_person(contracts: Case) -> None:
    policy = choose_policy(contracts.use_case, ["a"], np.array([[0.2, 0.8]]))
    assert policy.decide(np.array([[0.3, 0.3, 0.4], [0.9, 0.1, 0.0], [0.34, 0.33, 0.33]])).tolist() == [
        "act",
        "act",
        "ask",
    ]


def test_numbers_are_acted_on_from_a_limit_on(bike: Case) -> None:
    policy = choose_policy(bike.use_case, [1.0], np.array([1.0]))
    assert policy.decide(np.array([399.9, 400, 500])).tolist() == ["leave", "act", "act"]
    always = DecisionPolicy()
    assert always.decide(np.array([-1.0, 5.0])).tolist() == ["act", "act"]
    assert DecisionPolicy.model_validate_json(policy.model_dump_json()) == policy


@given(
    score=st.one_of(st.floats(0, 1), st.just(float("nan")), st.sampled_from([0.25, 0.5, 0.75])),
    threshold=st.sampled_from([None, 0.0, 0.5, 1.0]),
    review_margin=st.sampled_from([0.0, 0.25]),
    act_from=st.sampled_from([None, 0.5]),
    task=st.sampled_from(["binary", "regression"]),
)
def test_one_row_is_answered_as_many_are(
    score: float, threshold: float | None, review_margin: float, act_from: float | None, task: str
) -> None:
    policy = DecisionPolicy(threshold=threshold, review_margin=review_margin, act_from=act_from)
    many = build_predictions(np.array([score, score]), task, ["no", "yes"], policy)
    prediction, probability, decision = build_prediction(score, task, ["no", "yes"], policy)
    assert decision == many["decision"][1]
    assert repr(prediction) == repr(many["prediction"].tolist()[1])
    assert repr(probability) == ("None" if task == "regression" else repr(many["probability"].tolist()[1]))
