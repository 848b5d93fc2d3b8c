"""Faults of the delivered data are named for what they are; a world that changed is none."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from noria.monitoring.data_faults import DataFault, Rows, find_data_faults, read_rows
from noria.monitoring.data_faults.find import batch_starts
from noria.monitoring.data_faults.units import unit_changes
from noria.schema import InputSchema
from noria.system.workspace import PROJECT
from tests import bundles
from tests.monitoring import streams
from tests.monitoring.streams import FAULTS, NOW, SINCE, Stream

_COLUMNS = {
    "unit_changed": ["monthly_charges"],
    "category_renamed": ["contract"],
    "columns_swapped": ["monthly_charges", "tenure"],
}


@cache
def learned() -> tuple[InputSchema, Rows]:
    use_case, train, _ = bundles.churn()
    schema = InputSchema.fit(train, use_case)
    return schema, read_rows(schema, train)


def faults_of(stream: Stream) -> list[DataFault]:
    schema, reference = learned()
    return find_data_faults(reference, read_rows(schema, stream[0][schema.names], stream[1]), schema, NOW)


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_named_for_what_it_is_and_nothing_else_is(kind: str) -> None:
    found = faults_of(FAULTS[kind]())
    assert [(fault.kind, fault.columns) for fault in found] == [(kind, _COLUMNS.get(kind, []))]
    assert "{" not in found[0].sentence


@pytest.mark.parametrize("kind", ["unit_changed", "category_renamed", "columns_swapped", "stale_copy"])
def test_a_fault_is_dated_to_its_first_row(kind: str) -> None:
    since = faults_of(FAULTS[kind]())[0].since
    assert since is not None and abs(pd.Timestamp(since) - SINCE) < pd.Timedelta(minutes=30)


def test_the_evidence_is_given_in_figures() -> None:
    assert faults_of(FAULTS["unit_changed"]())[0].figures["factor"] == 100
    assert faults_of(FAULTS["category_renamed"]())[0].figures["was 1y"] == "One year"
    assert faults_of(FAULTS["clock_shifted"]())[0].figures["hours"] == 5


def test_healthy_rows_have_no_fault() -> None:
    assert faults_of(streams.healthy()) == []


@pytest.mark.parametrize(
    ("factor", "meaning"), [(1.609344, "kilometres"), (1 / 12, "months to years"), (0.01, "cents")]
)
def test_a_conversion_is_recognised_whatever_its_direction(factor: float, meaning: str) -> None:
    found = faults_of(streams.changed(lambda rows: rows.assign(tenure=rows["tenure"] * factor)))
    assert [(fault.kind, fault.columns) for fault in found] == [("unit_changed", ["tenure"])]
    assert found[0].figures["factor"] == pytest.approx(factor) and meaning in found[0].sentence


def test_a_temperature_in_another_unit_is_recognised() -> None:
    """Hours of a year in order: what is warm now was warm an hour ago."""
    use_case, train, _ = bundles.bike()
    schema = InputSchema.fit(train, use_case)
    rows, at = bike_hours(pd.Timestamp("2012-06-30"), days=30)
    rows["temp"] = rows["temp"].where(np.arange(len(rows)) < 500, rows["temp"] * 1.8 + 32)
    recent = read_rows(schema, rows[schema.names], at)
    found = find_data_faults(read_rows(schema, train), recent, schema, at.iloc[-1].to_pydatetime())
    assert ("unit_changed", ["temp"]) in [(fault.kind, fault.columns) for fault in found]


def test_missing_unreadable_and_constant_values_are_faults_of_their_column() -> None:
    random = np.random.default_rng(1)

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(
            contract=rows["contract"].mask(random.random(len(rows)) < 0.05),
            total_charges="EUR " + rows["total_charges"].astype(str),
            monthly_charges=70.0,
        )

    found = {fault.columns[0]: fault for fault in faults_of(streams.changed(change))}
    assert {name: fault.kind for name, fault in found.items()} == {
        "contract": "missing_values",
        "total_charges": "unreadable_values",
        "monthly_charges": "constant_column",
    }
    assert 0.03 < float(found["contract"].figures["share since"]) < 0.08


def test_a_store_that_misses_a_day_says_which() -> None:
    rows, at = streams.healthy()
    kept = (at.dt.date != pd.Timestamp("2026-06-24").date()).to_numpy()
    found = faults_of((rows[kept].reset_index(drop=True), at[kept].reset_index(drop=True)))
    assert [(fault.kind, fault.figures["day"]) for fault in found] == [("feed_gap", "2026-06-24")]


def test_weekends_without_rows_are_no_gap() -> None:
    rows, at = streams.healthy()
    kept = (at.dt.weekday < 5).to_numpy()
    assert faults_of((rows[kept].reset_index(drop=True), at[kept].reset_index(drop=True))) == []


@pytest.mark.parametrize("many", [0, 1, 10])
def test_a_window_of_ten_rows_or_none_is_no_evidence(many: int) -> None:
    rows, at = FAULTS["unit_changed"]()
    assert faults_of((rows.tail(many).reset_index(drop=True), at.tail(many).reset_index(drop=True))) == []


def test_a_constant_reference_is_compared_without_a_fault() -> None:
    schema, reference = learned()
    flat = Rows(
        {name: np.ones_like(values) for name, values in reference.numbers.items()},
        {name: np.full_like(values, values[0]) for name, values in reference.categories.items()},
    )
    rows, at = streams.healthy()
    assert find_data_faults(flat, read_rows(schema, rows[schema.names], at), schema, NOW) == []


def test_a_world_that_changed_by_itself_is_no_fault() -> None:
    random = np.random.default_rng(0)

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        dearer = rows["monthly_charges"] * 1.2 + random.normal(0, 3, len(rows))
        monthly = np.where(random.random(len(rows)) < 0.6, "Month-to-month", rows["contract"])
        return rows.assign(monthly_charges=dearer, contract=monthly)

    assert faults_of(streams.changed(change)) == []


@pytest.mark.parametrize("until", ["2013-04-12", "2013-12-27"])
def test_weather_that_changes_from_one_day_to_the_next_is_no_other_unit(until: str) -> None:
    flights = pd.read_parquet(PROJECT / "data" / "flights.parquet").sort_values("scheduled", ignore_index=True)
    flights = flights.assign(scheduled=flights["scheduled"].dt.tz_localize(None))
    end = pd.Timestamp(until)
    recent = weather(flights[flights["scheduled"].between(end - pd.Timedelta(days=14), end, inclusive="left")])
    winter = weather(flights[flights["scheduled"] < pd.Timestamp("2013-03-01")])
    for start in batch_starts(recent, 100)[1:]:
        before = recent.part(max(0, start - 5_000), start)
        assert unit_changes(before, recent.part(start), recent, winter, adjacent=True) == []


def weather(flights: pd.DataFrame) -> Rows:
    numbers = {name: flights[name].to_numpy(dtype=np.float64) for name in ("dewp", "humid")}
    return Rows(numbers, {}, at=flights["scheduled"].to_numpy(dtype="datetime64[us]"))


@pytest.mark.slow
@pytest.mark.parametrize("month", range(2, 13))
def test_a_year_of_growth_and_its_seasons_are_no_fault(month: int) -> None:
    use_case, train, _ = bundles.bike()
    schema = InputSchema.fit(train, use_case)
    rows, at = bike_hours(pd.Timestamp(2012, month, 28), days=30)
    recent = read_rows(schema, rows[schema.names], at)
    assert find_data_faults(read_rows(schema, train), recent, schema, at.iloc[-1].to_pydatetime()) == []


def test_values_that_are_a_little_smaller_and_as_usual_are_no_other_unit() -> None:
    assert faults_of(streams.changed(lambda rows: rows.assign(monthly_charges=rows["monthly_charges"] / 1.41))) == []


def bike_hours(until: pd.Timestamp, *, days: int) -> Stream:
    """The hours of some days of 2012 in their order."""
    rows = bundles.bike().test
    chosen = rows[(rows["dteday"] > until - pd.Timedelta(days=days)) & (rows["dteday"] <= until)]
    hours = pd.to_datetime(chosen["hr"], format="%I%p").dt.hour
    at = (chosen["dteday"] + pd.to_timedelta(hours, unit="h")).dt.tz_localize("UTC").sort_values()
    return chosen.loc[at.index].reset_index(drop=True), at.reset_index(drop=True)
