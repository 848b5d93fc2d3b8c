"""Windows with more rows than are looked at one by one: all rows count."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring import MonitoringVerdict, monitor, read_window
from noria.predictions import Feedback, PredictionStore
from noria.system.workspace import Workspace
from tests import bundles
from tests.monitoring import streams
from tests.monitoring.served import NOW, serve

pytestmark = pytest.mark.slow
Checks = Callable[..., tuple[MonitoringVerdict, MonitoringVerdict]]


@pytest.fixture
def checks(churn: UseCase, store: PredictionStore, workspace: Workspace) -> Checks:
    """The check of a window that is kept as a whole, and of the same window with at most `most` rows kept."""

    def run(bundle: Bundle, most: int, *, use_case: UseCase = churn) -> tuple[MonitoringVerdict, MonitoringVerdict]:
        small = bundles.changed(use_case, monitoring={"max_rows": most})
        found = []
        for number, case in enumerate((use_case, small)):
            window = read_window(store, case, bundle.manifest.version, NOW, bundle=bundle)
            found.append(monitor(bundle, window, case, Workspace(f"check_{number}"), NOW))
        return found[0], found[1]

    return run


def test_a_sampled_window_gives_the_figures_of_all_its_rows(
    churn_bundle: Bundle, store: PredictionStore, checks: Checks
) -> None:
    rows, at = streams.healthy()
    rows = rows.astype(object)
    moved = np.arange(len(rows)) % 2 == 0
    rows.loc[moved, "monthly_charges"] *= 1.5
    rows.loc[np.arange(len(rows)) % 5 == 0, "contract"] = None
    rows.loc[np.arange(len(rows)) % 7 == 0, "payment_method"] = "Cash"
    ids = serve(store, churn_bundle, rows, at)
    store.add_labels([Feedback(id=ids[each], label=rows["churn"].iloc[each]) for each in range(300)])

    whole, sampled = checks(churn_bundle, 400)

    assert (whole.sampled, sampled.sampled) == (None, 400)
    assert whole.drift is not None and sampled.drift is not None
    assert sampled.drift.rows == len(rows)
    for each, other in zip(whole.drift.inputs, sampled.drift.inputs, strict=True):
        assert (each.name, each.moved, each.change) == (other.name, other.moved, other.change)
        assert each.distance == pytest.approx(other.distance, abs=1e-9)
    assert whole.drift.predictions is not None and sampled.drift.predictions is not None
    assert whole.drift.predictions.distance == pytest.approx(sampled.drift.predictions.distance, abs=1e-9)
    assert [(day.day, day.rows, day.warned) for day in whole.days] == [
        (day.day, day.rows, day.warned) for day in sampled.days
    ]
    assert [day.answer for day in whole.days] == pytest.approx([day.answer for day in sampled.days])
    assert whole.performance.waiting == sampled.performance.waiting
    assert whole.performance.overdue == sampled.performance.overdue
    assert any("400" in reason for reason in sampled.reasons)


def test_the_newest_batch_since_the_last_look_is_counted_over_all_rows(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore
) -> None:
    rows, at = streams.unit_changed()
    serve(store, churn_bundle, rows, at)
    small = bundles.changed(churn, monitoring={"max_rows": 400}, evaluation={"slices": ["contract"]})
    look = pd.Timestamp(streams.SINCE).to_pydatetime()
    found = []
    for number, case in enumerate((bundles.changed(small, monitoring={"max_rows": 20_000}), small)):
        home = Workspace(f"looks_{number}")
        for now in (look, NOW):
            verdict = monitor(churn_bundle, read_window(store, case, "1", now, bundle=churn_bundle), case, home, now)
        found.append(verdict.newest)
    whole, sampled = found

    assert whole is not None and sampled is not None
    assert (whole.rows, whole.rows_before, whole.warned_columns) == (
        sampled.rows,
        sampled.rows_before,
        sampled.warned_columns,
    )
    assert (whole.answer, whole.answer_before, whole.answer_chance) == pytest.approx(
        (sampled.answer, sampled.answer_before, sampled.answer_chance)
    )
    assert [(each.value, each.rows, each.warned) for each in whole.segments] == [
        (each.value, each.rows, each.warned) for each in sampled.segments
    ]
    assert [each.answer_before for each in whole.segments] == pytest.approx(
        [each.answer_before for each in sampled.segments]
    )


def test_a_fault_that_is_too_young_for_the_sample_is_found_in_the_newest_rows(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    healthy, at = streams.healthy()
    rows = pd.concat([healthy] * 4, ignore_index=True)
    rows.loc[len(rows) - 150 :, "monthly_charges"] *= 100
    times = pd.concat([at, at, at, at]).sort_values().reset_index(drop=True)
    serve(store, churn_bundle, rows, times)
    case = bundles.changed(churn, monitoring={"max_rows": 1_000})

    window = read_window(store, case, "1", NOW, bundle=churn_bundle)
    verdict = monitor(churn_bundle, window, case, workspace, NOW)

    named = {str(cause.figures.get("fault")): cause for cause in verdict.causes}
    assert named["unit_changed"].columns == ["monthly_charges"]
    assert named["unit_changed"].since is not None
    assert abs(named["unit_changed"].since - times.iloc[-150]) < timedelta(hours=6)
    assert verdict.verdict == "fix_data"


def test_a_feed_that_stopped_is_seen_with_all_rows_counted(
    churn_bundle: Bundle, store: PredictionStore, checks: Checks
) -> None:
    rows, at = streams.feed_stopped()
    serve(store, churn_bundle, rows, at)
    for verdict in checks(churn_bundle, 400):
        (cause,) = (cause for cause in verdict.causes if cause.kind == "feed_stopped")
        assert isinstance(cause.figures["rows expected"], float)
        assert cause.figures["rows expected"] > 100


def test_answers_that_are_numbers_are_counted(
    bike_bundle: Bundle, bikes: UseCase, bikes_2012: pd.DataFrame, store: PredictionStore, checks: Checks
) -> None:
    serve(store, bike_bundle, bikes_2012.head(900), NOW - timedelta(days=2))
    whole, sampled = checks(bike_bundle, 300, use_case=bikes)
    assert whole.drift is not None and sampled.drift is not None
    assert whole.drift.predictions is not None and sampled.drift.predictions is not None
    assert sampled.drift.predictions.distance == pytest.approx(whole.drift.predictions.distance)
    assert [each.moved for each in sampled.drift.inputs] == [each.moved for each in whole.drift.inputs]


def test_several_classes_are_counted_as_a_category(
    contracts_bundle: Bundle, store: PredictionStore, checks: Checks
) -> None:
    serve(store, contracts_bundle, bundles.contracts().test.head(900), NOW - timedelta(days=2))
    whole, sampled = checks(contracts_bundle, 300, use_case=bundles.contracts().use_case)
    assert whole.drift is not None and sampled.drift is not None
    assert whole.drift.predictions is not None and sampled.drift.predictions is not None
    assert sampled.drift.predictions.distance == pytest.approx(whole.drift.predictions.distance)
    assert sampled.drift.rows == 900
    assert sampled.newest is not None and sampled.newest.answer is None
