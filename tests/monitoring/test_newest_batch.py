"""The newest rows alone, by day and by segment, and how many looks are paid for."""

from datetime import timedelta

import numpy as np
import pandas as pd

from noria.bundle import MetricValue
from noria.monitoring.batch_causes import batch_causes
from noria.monitoring.data_faults import Rows, read_rows
from noria.monitoring.look_level import drift_stretch, look_scores, proven
from noria.monitoring.newest_batch import batch_start, newest_batch
from noria.monitoring.results import MetricChange
from noria.schema import InputSchema
from tests import bundles
from tests.monitoring import streams
from tests.monitoring.streams import NOW, SINCE, Stream


def read(stream: Stream) -> Rows:
    use_case, train, _ = bundles.churn()
    schema = InputSchema.fit(train, use_case)
    return read_rows(schema, stream[0][schema.names], stream[1])


def test_the_newest_batch_begins_after_the_last_look_if_enough_has_come_since() -> None:
    rows = read(streams.healthy())
    start = batch_start(rows, NOW - timedelta(days=3), 100)
    assert rows.time_of(start - 1) < NOW - timedelta(days=3) <= rows.time_of(start)
    assert batch_start(rows, NOW - timedelta(minutes=1), 100) <= len(rows) - 100


def test_the_newest_batch_begins_where_a_column_began_to_look_different() -> None:
    rows = read(streams.FAULTS["category_renamed"]())
    assert abs(pd.Timestamp(rows.time_of(batch_start(rows, None, 100))) - SINCE) < timedelta(minutes=30)


def test_a_window_of_ten_rows_is_one_batch() -> None:
    table, at = streams.healthy()
    rows = read((table.head(10), at.head(10)))
    batch, days = newest_batch(rows, pd.Series(np.full(10, 0.5)), batch_start(rows, None, 100), set())
    assert batch is not None and (batch.rows, batch.rows_before, batch.answer_before) == (10, 0, None)
    assert sum(day.rows for day in days) == 10
    assert batch_causes(batch, []) == []


def test_warnings_of_one_segment_are_said_to_be_of_it() -> None:
    def change(new: pd.DataFrame) -> pd.DataFrame:
        is_dsl = new["internet_service"] == "DSL"
        return new.assign(payment_method=new["payment_method"].mask(is_dsl, "Barter"))

    rows = read(streams.changed(change))
    start = batch_start(rows, SINCE.to_pydatetime(), 100)
    slices = ["internet_service"]
    batch, _ = newest_batch(rows, None, start, set(), slices=slices)
    assert batch is not None and (batch.segments[0].value, batch.segments[0].warned) == ("DSL", 1.0)
    assert batch.segments[-1].warned < 0.05
    (cause,) = batch_causes(batch, [])
    assert (cause.kind, cause.severity, cause.columns) == ("input_drift", "watch", ["payment_method"])
    assert "`internet_service` is `DSL`" in cause.sentence


def test_what_chance_may_reach_grows_with_looks_and_columns() -> None:
    assert look_scores(1) < look_scores(52) < look_scores(8_760)
    assert 1 < drift_stretch(1, 20) < drift_stretch(52, 20) < drift_stretch(52, 200)


def test_the_same_drop_is_proven_at_the_first_look_and_not_at_the_hundredth() -> None:
    drop = MetricChange(name="roc_auc", now=0.77, low=0.75, high=0.79, before=0.80, worse_by=0.03, beyond_chance=True)
    exact = MetricValue(value=0.80, low=0.80, high=0.80)
    assert [proven(drop, look, 0.95, exact).beyond_chance for look in (1, 100)] == [True, False]  # type: ignore[union-attr]
    unsure = MetricValue(value=0.80, low=0.75, high=0.85)
    assert not proven(drop, 1, 0.95, unsure).beyond_chance  # type: ignore[union-attr]
