"""The sequential tests keep their promise however often one looks, and find what is there; by simulation."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from noria.metrics import sequential
from tests.errors_raised import raises

DAYS = 30


def looks(rows: int) -> np.ndarray:
    return np.linspace(rows / DAYS, rows, DAYS).astype(int) - 1


def test_a_month_of_looks_is_rarely_wrong_where_a_z_test_often_is() -> None:
    random = np.random.default_rng(1)
    rows, streams, at = 3_000, 500, looks(3_000)
    wrong = wrong_z = 0
    for _ in range(streams):
        values = random.random(rows) < 0.2
        evidence = sequential.log_e_process(values, 0.2, side="two-sided")[at]
        wrong += bool((evidence >= math.log(20)).any())
        means, sizes = values.cumsum()[at] / (at + 1), at + 1
        wrong_z += bool((np.abs(means - 0.2) > 1.96 * np.sqrt(means * (1 - means) / sizes)).any())
    assert wrong <= 0.05 * streams
    assert wrong_z >= 0.15 * streams, "else this simulation could not show a difference"


def test_evidence_is_that_of_all_values_in_any_order() -> None:
    values = np.random.default_rng(2).beta(2, 5, 400)
    path = sequential.log_e_process(values, 0.4, side="less")
    assert path[-1] == pytest.approx(sequential.log_e_value(values[::-1], 0.4, side="less"))
    assert path[199] == pytest.approx(sequential.log_e_value(values[:200], 0.4, side="less"))
    assert sequential.log_e_value([], 0.4, side="less") == pytest.approx(0)


def test_the_interval_holds_the_mean_at_every_look_and_narrows() -> None:
    random = np.random.default_rng(3)
    missed = 0
    for _ in range(100):
        values = -10 + 30 * random.beta(0.3, 3, 1_000)
        truth = -10 + 30 * 0.3 / 3.3
        intervals = [sequential.mean_interval(values[:n], low=-10, high=20) for n in (10, 30, 100, 300, 1_000)]
        missed += any(not low <= truth <= high for low, high in intervals)
    assert missed <= 5
    widths = [high - low for low, high in intervals]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 2.5, "a fixed interval is 1.1 wide"
    assert sequential.mean_interval([], low=-1, high=2) == (-1, 2)


def test_values_outside_the_bounds_are_refused() -> None:
    for value in (1.2, -0.1, math.nan):
        with raises("evaluation.value_out_of_bounds"):
            sequential.mean_interval([0.5, value])
    with raises("evaluation.mean_out_of_bounds"):
        sequential.log_e_value([0.5], 1.0, side="less")


def test_blocks_stay_as_they_are_when_more_cases_come() -> None:
    groups = (np.random.default_rng(4).random(2_000) < 0.1).astype(np.int64)
    whole, part = sequential.closed_blocks(groups, 2), sequential.closed_blocks(groups[:900], 2)
    known = part >= 0
    assert (whole[:900][known] == part[known]).all()
    for block in range(whole.max() + 1):
        inside = groups[whole == block]
        assert min(inside.sum(), (1 - inside).sum()) >= 4


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_a_change_that_meets_both_variants_is_no_difference(share: float) -> None:
    random = np.random.default_rng(5)
    wrong = 0
    for _ in range(100):
        second = random.random(4_000) < np.linspace(share, 0.5, 4_000)  # a canary that grows
        values = (random.random(4_000) < np.linspace(0.9, 0.6, 4_000)).astype(float)  # while the world gets worse
        found = sequential.compare(sequential.mean_differences(values, second), cases=4_000, bound=1.0)
        wrong += found.larger is not None
    assert wrong <= 5


@pytest.mark.parametrize(("share", "difference"), [(0.5, 0.05), (0.2, -0.08)])
def test_what_was_planned_suffices_as_often_as_planned(share: float, difference: float) -> None:
    random = np.random.default_rng(6)
    rows = sequential.planned_cases(difference, 0.45, share=share)
    decided, streams = 0, 60
    for _ in range(streams):
        second = random.random(rows) < share
        values = (random.random(rows) < np.where(second, 0.7 + difference, 0.7)).astype(float)
        found = sequential.compare(sequential.mean_differences(values, second), cases=rows, bound=1.0)
        assert found.larger in (None, "second" if difference > 0 else "first")
        assert found.low <= found.difference <= found.high
        decided += found.larger is not None
        if found.larger is not None:
            assert found.more_cases is None
    assert 0.65 * streams <= decided <= 0.97 * streams


def test_the_cases_still_to_come_are_told() -> None:
    random = np.random.default_rng(7)
    second = random.random(2_000) < 0.5
    values = (random.random(2_000) < np.where(second, 0.74, 0.7)).astype(float)
    early = sequential.compare(sequential.mean_differences(values, second), cases=2_000, bound=1.0)
    assert early.larger is None
    assert early.more_cases is not None
    assert 500 < early.more_cases < 40_000
    nothing = sequential.compare(np.zeros(0), cases=3, bound=1.0)
    assert (nothing.low, nothing.high, nothing.larger, nothing.more_cases) == (-1, 1, None, None)


def test_auc_of_blocks_is_the_auc_and_a_better_ranking_wins() -> None:
    random = np.random.default_rng(8)
    rows = 20_000
    positive, second = random.random(rows) < 0.2, random.random(rows) < 0.3
    score = random.normal(size=rows) + positive * np.where(second, 1.6, 1.2)
    found = sequential.auc_differences(positive, score, second)
    truth = roc_auc_score(positive[second], score[second]) - roc_auc_score(positive[~second], score[~second])
    assert found.mean() == pytest.approx(truth, abs=0.015)
    compared = sequential.compare(found, cases=rows, bound=1.0)
    assert compared.larger == "second"
    assert compared.low > 0


def test_values_without_bounds_are_compared_in_large_samples() -> None:
    random = np.random.default_rng(9)
    wrong = 0
    for _ in range(300):
        same = random.exponential(5, 1_500) - random.exponential(5, 1_500)
        wrong += any(sequential.compare(same[:n], cases=n).larger is not None for n in range(50, 1_501, 50))
    assert wrong <= 15
    better = sequential.compare(same - 1, cases=1_500)
    assert better.larger == "first"
    assert better.low < -1 < better.high < 0
    assert sequential.compare(np.ones(10), cases=10).larger is None, "too few to know the variance"


def test_changed_shares_are_found_and_a_year_of_looks_without_change_is_quiet() -> None:
    random = np.random.default_rng(10)
    shares, changed = np.array([0.5, 0.25, 0.15, 0.07, 0.03]), np.array([0.44, 0.25, 0.15, 0.07, 0.09])
    false, delays = 0, []
    for _ in range(100):
        reference = random.multinomial(3_000, shares)
        quiet = random.multinomial(400, shares, size=52)
        false += bool((sequential.log_e_change(reference, quiet) >= math.log(20)).any())
        moved = np.vstack([quiet[:26], random.multinomial(400, changed, size=26)])
        evidence = sequential.log_e_change(reference, moved)
        delays.append(int(np.argmax(evidence >= math.log(20))) - 25)
    assert false <= 6
    assert np.median(delays) <= 3
    assert min(delays) >= 1


def test_a_rate_above_the_known_one_is_found() -> None:
    assert sequential.log_e_rate(40, 1_000, 0.01, side="greater") > math.log(1_000)
    assert sequential.log_e_rate(0, 1_000, 0.01, side="greater") < 0
    assert sequential.log_e_rate(0, 1_000, 0.02, side="less") > math.log(20)
    assert sequential.log_e_rate(40, 1_000, 0.01) > math.log(1_000)
    random, wrong = np.random.default_rng(11), 0
    for _ in range(300):
        hits = (random.random((52, 100)) < 0.03).sum(axis=1).cumsum()
        wrong += any(
            sequential.log_e_rate(hit, 100 * (place + 1), 0.03, side="greater") >= math.log(20)
            for place, hit in enumerate(hits)
        )
    assert wrong <= 15


def test_of_many_columns_few_false_ones_are_believed() -> None:
    random = np.random.default_rng(12)
    false = found = 0
    for _ in range(100):
        values = random.random((20, 2_000)) < 0.3
        values[:3] |= random.random((3, 2_000)) < 0.1
        paths = np.array([sequential.log_e_process(line, 0.3, side="greater")[looks(2_000)] for line in values])
        believed = np.array([sequential.e_bh(column) for column in paths.T]).any(axis=0)
        found += int(believed[:3].sum())
        false += int(believed[3:].sum())
    assert found >= 290
    assert false <= 0.05 * found


def test_tests_without_end_keep_the_rate_of_false_findings() -> None:
    random, false, found = np.random.default_rng(13), 0, 0
    fdr = sequential.OnlineFdr(alpha=0.05)
    for place in range(2_000):
        real = place % 4 == 0
        p = random.random() * (1e-9 if real else 1)
        if fdr.test(sequential.log_e_from_p(p)):
            false, found = false + (not real), found + 1
    assert found >= 400
    assert false <= 0.05 * found
    assert (fdr.tests, fdr.discoveries) == (2_000, found)


def test_evidence_from_p_values_is_fair() -> None:
    values = (np.arange(200_000) + 0.5) / 200_000
    fair = np.mean([math.exp(sequential.log_e_from_p(p)) for p in values])
    assert 0.8 < fair <= 1.0
    assert sequential.log_e_from_p(0) == math.inf
    assert sequential.log_e_from_p(1) < 0
