"""The tables of the benchmark as streams: inputs, truth, the period of each row, and when its label is known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from noria.config.problem import RegressionWorth
from noria.metrics.decision_value import regression_worth

Floats = np.ndarray
_HOUR = 3_600.0
_DAY = 24 * _HOUR
_WEEK = 7 * _DAY
_LATE_MINUTES = 30
_ASKED_BEFORE = 2 * _HOUR
_WEATHER_BEFORE = pd.Timedelta(hours=3)


@dataclass(frozen=True)
class Case:
    """A stream of rows in periods; the model in service at its start has learned the rows known before period 0."""

    name: str
    inputs: pd.DataFrame
    """(n, columns) numbers and categories."""
    truth: Floats
    """(n,) 0 and 1, or numbers."""
    period: np.ndarray
    """(n,) the period of the row; negative: before the stream begins."""
    known: np.ndarray
    """(n,) the first period at whose start the label is known."""
    worth: Callable[[Floats, Floats], Floats]
    """(scores, truth) -> (n,) what each decision brings in."""
    binary: bool
    unit: str
    """What one period is: a week or a twelfth of a year."""

    @property
    def periods(self) -> int:
        """How many periods the stream has."""
        return int(self.period.max()) + 1


def flights(flights_file: Path, weather_file: Path) -> Case:
    """All flights out of New York in 2013: late by more than 30 minutes, or never arrived; 44 weeks from 1 March.

    A label is known when the scheduled arrival has passed by 30 minutes; the block time is estimated from the distance.
    """
    table = pd.read_parquet(flights_file)
    hour = pd.to_datetime(table["time_hour"], utc=True)
    departs = hour + pd.to_timedelta(table["minute"], unit="min")
    order = np.argsort(departs.to_numpy(), kind="stable")
    table, hour, departs = table.iloc[order].reset_index(drop=True), hour.iloc[order], departs.iloc[order]
    at = departs.astype("int64").to_numpy() / _per_second(departs)
    late = (~(table["arr_delay"] <= _LATE_MINUTES)).to_numpy()
    block = 0.75 * _HOUR + table["distance"].to_numpy() / 480.0 * _HOUR
    known_at = at + block + _LATE_MINUTES * 60
    local = departs.dt.tz_convert("America/New_York")
    inputs = pd.DataFrame(
        {
            "hour": local.dt.hour.to_numpy() + local.dt.minute.to_numpy() / 60,
            "weekday": local.dt.dayofweek.to_numpy(),
            "distance": table["distance"].to_numpy(),
            "carrier": table["carrier"].astype("category").cat.codes.to_numpy(),
            "origin": table["origin"].astype("category").cat.codes.to_numpy(),
            "dest": table["dest"].astype("category").cat.codes.to_numpy(),
        }
    )
    weather = pd.read_parquet(weather_file)
    seen = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    weather["at"] = pd.to_datetime(weather["time_hour"], utc=True) + _WEATHER_BEFORE
    weather = weather.drop_duplicates(["origin", "at"]).set_index(["origin", "at"])[seen]
    joined = weather.reindex(pd.MultiIndex.from_arrays([table["origin"], hour]))
    for column in seen:
        inputs[column] = joined[column].to_numpy()
    asked = at - _ASKED_BEFORE
    for keys, hours in (
        (["origin"], 3),
        (["origin"], 24),
        (["carrier"], 24),
        (["dest"], 24),
        (["origin", "carrier"], 6),
    ):
        key = table.groupby(keys, sort=False).ngroup().to_numpy()
        inputs[f"late_{'_'.join(keys)}_{hours}h"] = known_rate(key, late, known_at, asked, hours * _HOUR)
    start = pd.Timestamp("2013-03-01", tz="America/New_York").timestamp()
    return Case(
        "flight_delays",
        inputs.astype("float32"),
        late.astype("float64"),
        np.floor((at - start) / _WEEK).astype(int),
        np.ceil((known_at - start) / _WEEK).astype(int),
        lambda score, truth: np.where(score > 1 / 6, np.where(truth > 0, 10.0, -2.0), 0.0),
        True,
        "week",
    )


def known_rate(key: np.ndarray, event: np.ndarray, known_at: Floats, asked: Floats, span: float) -> Floats:
    """(n,) share of events among the labels of the same key that became known within `span` seconds before asking."""
    rate = np.full(len(key), np.nan)
    for one in np.unique(key):
        rows = np.flatnonzero(key == one)
        order = rows[np.argsort(known_at[rows], kind="stable")]
        times, sums = known_at[order], np.concatenate([[0.0], np.cumsum(event[order])])
        first, last = (np.searchsorted(times, asked[rows] - back, side="right") for back in (span, 0.0))
        counts = last - first
        rate[rows] = np.where(counts > 0, (sums[last] - sums[first]) / np.maximum(counts, 1), np.nan)
    return rate


def bikes(file: Path) -> Case:
    """Hourly bike rentals: 2011 is known, 2012 is the stream, in weeks; a label is known a day later."""
    table = pd.read_csv(file)
    day = pd.to_datetime(table["dteday"])
    clock = pd.to_datetime(table["hr"], format="%I%p").dt.hour
    at = (day + pd.to_timedelta(clock, unit="h")).astype("datetime64[s]").astype("int64")
    order = np.argsort(at.to_numpy(), kind="stable")
    table, day, clock, seconds = (each.iloc[order].reset_index(drop=True) for each in (table, day, clock, at))
    inputs = table.drop(columns=["dteday", "hr", "casual", "registered", "cnt"])
    for column in inputs.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in inputs.dtypes]]:
        inputs[column] = inputs[column].astype("category").cat.codes.replace(-1, np.nan)
    inputs = inputs.assign(hour=clock, month=day.dt.month, day_of_week=day.dt.dayofweek)
    start = pd.Timestamp("2012-01-01").timestamp()
    worth = RegressionWorth(right=10, tolerance=20, too_high_per_unit=0.4, too_low_per_unit=1.2)
    return Case(
        "bike_demand",
        inputs.astype("float32"),
        table["cnt"].to_numpy(dtype="float64"),
        np.floor((seconds.to_numpy() - start) / _WEEK).astype(int),
        np.ceil((seconds.to_numpy() + _DAY - start) / _WEEK).astype(int),
        lambda score, truth: regression_worth(worth, truth, score),
        False,
        "week",
    )


def census(file: Path) -> Case:
    """Who is employed: 2015 is known, 2016 to 2018 are the stream, each year in twelve parts in the order of its rows.

    The table has no date below the year. A right answer is worth 1, a wrong one nothing; a label is known at the end of
    its part.
    """
    table = pd.read_parquet(file).sort_values("year", kind="stable").reset_index(drop=True)
    place = table.groupby("year").cumcount() * 12 // table.groupby("year")["id"].transform("size")
    part = ((table["year"] - 2016) * 12 + place).to_numpy(dtype=int)
    inputs = table.drop(columns=["id", "employed", "year", "prediction", "predicted_probability", "part"])
    for column in inputs.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in inputs.dtypes]]:
        inputs[column] = inputs[column].cat.codes.replace(-1, np.nan)
    return Case(
        "census_employment",
        inputs.astype("float32"),
        table["employed"].to_numpy(dtype="float64"),
        part,
        part + 1,
        lambda score, truth: ((score > 0.5) == (truth > 0)).astype("float64"),
        True,
        "twelfth of a year",
    )


def _per_second(times: pd.Series) -> float:
    units = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
    return units[np.datetime_data(times.dt.tz_localize(None).to_numpy().dtype)[0]]


def sampled(case: Case, share: float, seed: int) -> Case:
    """A part of the rows, drawn at random; what they know of the past stays."""
    kept = np.random.default_rng(seed).random(len(case.truth)) < share
    return replace(
        case,
        name=f"{case.name}, {share:.0%} of the rows, sample {seed}",
        inputs=case.inputs[kept].reset_index(drop=True),
        truth=case.truth[kept],
        period=case.period[kept],
        known=case.known[kept],
    )
