"""`data.window: auto`: a window is chosen where the world moves, on training rows and labels known in time alone."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.data.split import split
from noria.training.windows import choose_training_window
from noria.training.windows.plan import past_periods, plan_of, rows_within, times_of
from tests.errors_raised import raises
from tests.training_windows.window_cases import PER_DAY, table, use_case


def test_in_a_world_that_moves_the_newest_rows_are_chosen() -> None:
    case = use_case()
    train, _ = split(table(drift=6.0), case)
    found = choose_training_window(train, case)
    assert found.window is not None
    lead = {each.window: each.lead for each in found.trials}
    assert lead[str(found.window)] == max(lead.values()) > 0.1
    assert str(found.window) in found.reason


@pytest.mark.parametrize("seed", range(3))
def test_in_a_world_that_stays_all_rows_are_kept(seed: int) -> None:
    case = use_case()
    found = choose_training_window(table(drift=0.0, seed=seed), case)
    assert found.window is None
    assert len(found.trials) > 3, "others were compared"


@pytest.mark.parametrize("kind", ["tree", "forest", "xgboost"])
def test_the_first_kind_that_competes_is_compared(kind: str) -> None:
    case = use_case(models={"candidates": {"dummy": {}, kind: {}}, "folds": 3, "trials": 10})
    found = choose_training_window(table(drift=6.0), case)
    assert found.kind == kind
    assert found.window is not None


def test_the_choice_is_the_same_each_time() -> None:
    case, rows = use_case(), table(drift=2.0)
    assert choose_training_window(rows, case) == choose_training_window(rows, case)


def test_rows_after_the_training_rows_change_nothing() -> None:
    case = use_case()
    rows = table(drift=3.0)
    train, test = split(rows, case)
    other, _ = split(pd.concat([train, test.assign(y=test["y"] * 100)]), case)
    assert choose_training_window(other, case) == choose_training_window(train, case)


@pytest.mark.parametrize(
    ("changes", "delay"),
    [({"label_delay_days": 9}, 9), ({"label_delay_days": 9, "data": {"label_hours": "hours"}}, 3), ({}, 0)],
)
def test_a_model_of_the_past_learns_only_what_was_known_then(changes: dict[str, Any], delay: int) -> None:
    case = use_case(**changes)
    rows = table(drift=1.0).assign(hours=72.0)
    for period in past_periods(times_of(rows, case)):
        start = pd.Timestamp(period.start, unit="us")
        assert rows["day"].iloc[period.known].max() == start - timedelta(days=delay)
        assert rows["day"].iloc[period.judged].min() == start


def test_a_label_that_came_late_is_missed_where_labels_come_late() -> None:
    """What the newest labels say cannot be used while they are still to come."""
    rows = table(drift=6.0)
    at_once = choose_training_window(rows, use_case())
    late = choose_training_window(rows, use_case(label_delay_days=20))
    assert min(each.mean for each in late.trials) > min(each.mean for each in at_once.trials)


def test_questions_asked_before_the_event_belong_to_the_period_of_asking() -> None:
    case = use_case(data={"asked_before": "48h"})
    rows = table(drift=1.0)
    for period in past_periods(times_of(rows, case)):
        start = pd.Timestamp(period.start, unit="us")
        assert rows["day"].iloc[period.judged].min() == start + timedelta(days=2)


def test_the_cost_is_bounded_by_that_of_training() -> None:
    rows = table(drift=1.0, days=3_000)
    case = use_case(models={"candidates": {"linear": {"tune": False}}, "folds": 5, "trials": 0})
    plan = plan_of(rows, case, "linear")
    assert plan is not None
    assert plan.share < 0.2
    assert plan.cost == pytest.approx(0.5)
    learned = sum(len(rows_within(each, p.known, plan.times)) for p in plan.periods for each in [None, *plan.windows])
    assert learned == pytest.approx(0.5 * (2.5 + 3) * len(rows), rel=0.03)
    boosted = plan_of(rows, case, "xgboost")
    assert boosted is not None and boosted.share == pytest.approx(3 * plan.share), "its models are lighter"
    dear = plan_of(rows, use_case(models={"candidates": {"linear": {}}, "folds": 5, "trials": 20}), "linear")
    assert dear is not None and dear.share > plan.share


def test_a_small_table_is_compared_whole() -> None:
    case = use_case(models={"candidates": {"linear": {"tune": False}}, "folds": 5, "trials": 0})
    plan = plan_of(table(drift=1.0, days=100), case, "linear")
    assert plan is not None and plan.share == 1.0


def test_too_few_rows_keep_all_of_them_and_say_so() -> None:
    case = use_case()
    found = choose_training_window(table(drift=6.0).iloc[: 15 * PER_DAY], case)
    assert found.window is None
    assert found.trials == []
    assert "too few" in found.reason


def test_a_window_is_not_shorter_than_the_history_that_the_service_starts_with() -> None:
    features = {"history": [{"name": "orders_45d", "stat": "count", "over": "45d"}]}
    plan = plan_of(table(drift=1.0), use_case(features=features), "linear")
    assert plan is not None
    spans = [each.days for each in plan.windows if each.days is not None]
    assert spans and min(spans) >= 45


def test_a_time_that_is_no_date_is_refused() -> None:
    rows = table(drift=1.0)
    with raises("data.window_time_not_date"):
        choose_training_window(rows.assign(day=np.arange(len(rows))), use_case())
