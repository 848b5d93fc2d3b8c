"""Dates: their format is learned from all rows and kept; a time has an offset from UTC, or has none."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from noria.serving.predictor import Predictor
from tests.faults.customers import ROWS, customers, days
from tests.faults.roads import (
    ROUNDING,
    Proposed,
    Trained,
    assert_same,
    by_csv,
    by_json,
    by_parquet,
    by_sql,
    copied,
    fault,
    objects,
    propose,
    texts,
    train,
    trained,
    write_csv,
    write_rows,
)

ROW = {"age": 50, "visits": 15, "plan": "plus"}
Write = Callable[[datetime], object]
FORMS: dict[str, Write] = {
    "day first": lambda day: f"{day:%d/%m/%Y}",
    "month first": lambda day: f"{day:%m/%d/%Y}",
    "points": lambda day: f"{day:%d.%m.%Y}",
    "points, short": lambda day: f"{day.day}.{day.month}.{day.year}",
    "month first, short": lambda day: f"{day.month}/{day.day}/{day.year}",
    "two digits of the year": lambda day: f"{day:%d/%m/%y}",
    "year first, slashes": lambda day: f"{day:%Y/%m/%d}",
    "month name": lambda day: f"{day:%d %b %Y}",
    "American month name": lambda day: f"{day:%b %d, %Y}",
    "whole month name": lambda day: f"{day:%B %d, %Y}",
    "month name with dashes": lambda day: f"{day:%d-%b-%Y}",
    "American, neither commas nor zeros": lambda day: f"{day:%b} {day.day} {day.year}",
    "one word": lambda day: f"{day:%d%b%Y}".upper(),
    "American, short year": lambda day: f"{day.month}/{day.day}/{day:%y}",
    "American time, no blank": lambda day: f"{day:%m/%d/%Y %I:%M%p}",
    "fourteen digits": lambda day: f"{day:%Y%m%d%H%M%S}",
    "whole number": lambda day: f"{day:%Y%m%d}",
    "seconds": lambda day: int(day.replace(tzinfo=UTC).timestamp()),
    "milliseconds": lambda day: int(day.replace(tzinfo=UTC).timestamp()) * 1000,
    "American time": lambda day: f"{day:%m/%d/%Y %I:%M %p}",
    "time of day, day first": lambda day: f"{day:%d.%m.%Y %H:%M}",
}


def push() -> list[float]:
    """What makes customers leave: the half of the year, and a little the weekday."""
    return [(1.0 if day.month > 6 else -1.0) + day.weekday() / 10 for day in days()]


def table(folder: Path, write: Write, name: str = "in.csv") -> Path:
    return write_csv(folder, customers(push(), signed=[write(day) for day in days()]), name)


def learned(folder: Path, write: Write) -> tuple[Proposed, Trained]:
    """`new`, then training with every part of a date as a feature."""
    proposed = propose(table(folder, write))
    calendar = {"calendar": ["year", "month", "day", "weekday", "hour"]}
    split = {"split": {"method": "stratified"}}
    return proposed, train(proposed.use_case, folder, features=calendar, **split)


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return learned(tmp_path_factory.mktemp("iso"), lambda day: f"{day:%Y-%m-%d}")[1]


def moment(model: Trained, value: object, column: str = "signed", row: dict[str, Any] | None = None) -> np.datetime64:
    """What a model takes a value for that is sent alone."""
    reader = Predictor.of(model.bundle).reader
    typed: np.datetime64 = reader.typed(reader.read_objects([(row or ROW) | {column: value}]))[column][0]
    return typed


@pytest.mark.parametrize("name", FORMS)
def test_a_format_is_learned_and_means_what_iso_means(name: str, iso: Trained, tmp_path: Path) -> None:
    write = FORMS[name]
    proposed, model = learned(tmp_path, write)
    assert model.column("signed").kind == "datetime"
    asked = [datetime(2024, 2, 12), datetime(2024, 12, 2), datetime(2023, 1, 31), datetime(2024, 2, 29)]
    for day in asked:
        assert moment(model, write(day)) == np.datetime64(day)
    rows = [ROW | {"signed": write(day)} for day in asked]
    answers = by_json(model, rows)
    assert_same(answers, by_json(iso, [ROW | {"signed": f"{day:%Y-%m-%d}"} for day in asked]))
    assert_same(by_json(model, [ROW | {"signed": f"{day:%Y-%m-%d}"} for day in asked]), answers)
    file = write_rows(tmp_path, rows)
    by_batch = by_csv(model, file)
    assert_same(by_batch, answers, within=ROUNDING)
    assert_same(by_csv(model, file, chunk_rows=1), by_batch, within=ROUNDING)
    assert_same(by_parquet(model, pa.Table.from_pylist(rows), tmp_path), by_batch)
    typed = [ROW | {"signed": day} for day in asked]
    assert_same(by_parquet(model, pa.Table.from_pylist(typed), tmp_path), by_batch)
    typed = [ROW | {"signed": day.date()} for day in asked]
    assert_same(by_parquet(model, pa.Table.from_pylist(typed), tmp_path), by_batch)
    assert_same(by_sql(model, rows, tmp_path), by_batch)
    assert "signed" in proposed.yaml


@pytest.mark.parametrize("name", ["signed", "last_login"])
@pytest.mark.parametrize("unit", [1, 1000])
def test_moments_as_numbers_are_dates_or_told_whatever_their_name(name: str, unit: int, tmp_path: Path) -> None:
    """With seconds of any value they might be other numbers."""
    draw = np.random.default_rng(4)
    moments = [int(day.replace(tzinfo=UTC).timestamp() + second) * unit for day, second in _with_seconds(draw)]
    proposed = propose(write_csv(tmp_path, customers(push(), **{name: moments})))
    assert "1970" in proposed.about(name)
    kind = train(proposed.use_case, tmp_path, features={"calendar": ["month"]}).column(name).kind
    declared = proposed.use_case.data.columns.get(name)
    assert kind == ("datetime" if declared and declared.format else "number")


def _with_seconds(draw: np.random.Generator) -> list[tuple[datetime, int]]:
    return list(zip(days(), draw.integers(0, 86_400, ROWS).tolist(), strict=True))


@pytest.mark.parametrize(
    "form", ["%a, %d %b %Y", "%A, %B %d, %Y", "%c", "%Y-%m-%d %H:%M:%S UTC", "%d/%b/%Y:%H:%M:%S", "%b %Y"]
)
def test_dates_of_a_form_that_is_not_known_are_told(form: str, tmp_path: Path) -> None:
    proposed = propose(write_csv(tmp_path, customers(push(), signed=[day.strftime(form) for day in days()])))
    assert "date" in proposed.about("signed")


def test_offsets_as_a_database_writes_them(tmp_path: Path) -> None:
    stamps = [f"{day:%Y-%m-%d %H:%M:%S}.5+00" for day in days()]
    proposed = propose(write_csv(tmp_path, customers(push(), signed=stamps)))
    model = train(proposed.use_case, tmp_path, features={"calendar": ["month"]})
    assert model.column("signed").kind == "datetime"
    assert moment(model, "2024-02-12 10:00:00+00") == moment(model, "2024-02-12T12:00:00+02:00")


@pytest.fixture(scope="module")
def day_first(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(fault("day-month", "in2.csv"), tmp_path_factory.mktemp("day_first"))


@pytest.mark.parametrize("name", ["in2.csv", "in_ambiguous_first.csv", "in_clear_first.csv"])
def test_a_date_is_seen_whatever_its_first_row(name: str, tmp_path: Path) -> None:
    file = copied(tmp_path, "day-month", name)
    sure = sum(int(value[:2]) > 12 for value in texts(file)["signed"])
    proposed = propose(file)
    assert "day" in proposed.about("signed")
    assert str(sure) in proposed.about("signed")
    model = train(proposed.use_case, tmp_path)
    row = {"age": 50, "fee": 20.5, "visits": 15, "plan": "plus"}
    assert moment(model, "12/02/2024", row=row) == np.datetime64("2024-02-12")


def test_the_same_date_alone_first_or_last(day_first: Trained, tmp_path: Path) -> None:
    answers = {}
    for name in ("ask_ambiguous.csv", "ask_clear_first.csv"):
        file = copied(tmp_path, "day-month", name)
        answers[name] = by_csv(day_first, file)
        rows = objects(texts(file).drop(columns="left"))
        rows = [row | {key: float(row[key]) for key in ("age", "fee", "visits")} for row in rows]
        assert_same(by_csv(day_first, file, chunk_rows=1), answers[name], within=ROUNDING)
        assert_same(by_parquet(day_first, pa.Table.from_pylist(rows), tmp_path), answers[name])
        assert_same(by_json(day_first, rows), answers[name], within=ROUNDING)
    after = answers["ask_clear_first.csv"].iloc[1:].reset_index(drop=True)
    assert_same(after, answers["ask_ambiguous.csv"], within=ROUNDING)


@pytest.mark.parametrize(
    "value", ["02/13/2024", "2024/02/12", "12.02.2024", "12 Feb 2024", "30/02/2024", "20240212", "soon"]
)
def test_a_date_of_another_format_is_refused(day_first: Trained, value: str) -> None:
    row = {"age": 50, "fee": 20.5, "visits": 15, "plan": "plus", "signed": value}
    assert "signed" in by_json(day_first, [row]).loc[0, "error"]


def test_dates_that_could_be_either_are_told_and_decided_once(tmp_path: Path) -> None:
    early = [day.replace(day=1 + day.day % 12) for day in days()]
    proposed = propose(write_csv(tmp_path, customers(push(), signed=[f"{day:%d/%m/%Y}" for day in early])))
    assert "`signed`" in proposed.about("signed")
    model = train(proposed.use_case, tmp_path, features={"calendar": ["month", "day"]})
    if "signed" not in model.inputs:
        return
    alone = moment(model, "02/03/2024")
    assert alone in {np.datetime64("2024-03-02"), np.datetime64("2024-02-03")}
    first = [ROW | {"signed": value} for value in ("13/01/2024", "02/03/2024")]
    answers = by_json(model, first[1:])
    assert_same(
        by_csv(model, "age,visits,plan,signed\n50,15,plus,02/03/2024\n", folder=tmp_path), answers, within=ROUNDING
    )
    file = write_rows(tmp_path, first)
    assert_same(by_csv(model, file).iloc[1:].reset_index(drop=True), answers, within=ROUNDING)


def test_a_declared_format_is_what_counts(tmp_path: Path) -> None:
    early = [day.replace(day=1 + day.day % 12) for day in days()]
    use_case = propose(write_csv(tmp_path, customers(push(), signed=[f"{day:%m/%d/%Y}" for day in early]))).use_case
    raw = use_case.model_dump(mode="json", exclude_unset=True)["data"]
    columns = {**raw.get("columns", {}), "signed": {"type": "date", "format": "%m/%d/%Y"}}
    model = train(use_case, tmp_path, data={"columns": columns}, features={"calendar": ["month", "day"]})
    assert moment(model, "02/03/2024") == np.datetime64("2024-02-03")
    assert "signed" in by_json(model, [ROW | {"signed": "13/02/2024"}]).loc[0, "error"]


def test_two_orders_in_one_column_are_told(tmp_path: Path) -> None:
    mixed = [f"{day:%d/%m/%Y}" if row % 2 else f"{day:%m/%d/%Y}" for row, day in enumerate(days())]
    proposed = propose(write_csv(tmp_path, customers(push(), signed=mixed)))
    assert "`signed`" in proposed.about("signed")
    kinds = {column.name: column.kind for column in train(proposed.use_case, tmp_path).bundle.manifest.schema_.columns}
    assert kinds.get("signed") != "datetime"


@pytest.mark.parametrize("kind", ["int32", "int64", "float64", "string"])
def test_dates_as_whole_numbers_have_any_type(kind: str, tmp_path: Path) -> None:
    _, model = learned(tmp_path, FORMS["whole number"])
    wanted = by_json(model, [ROW | {"signed": "2024-02-12"}])
    value = "20240212" if kind == "string" else 20240212
    column = pa.array([value], getattr(pa, kind)())
    asked = pa.Table.from_pylist([ROW]).append_column("signed", column)
    assert_same(by_parquet(model, asked, tmp_path), wanted, within=ROUNDING)
    assert_same(by_json(model, [ROW | {"signed": value}]), wanted)


def test_numbers_that_only_look_like_dates_stay_numbers(tmp_path: Path) -> None:
    """Prices of houses between 20,000,000 and 20,300,000 are no days."""
    draw = np.random.default_rng(2)
    prices = draw.integers(20_000_000, 20_300_000, ROWS).tolist()
    model = trained(write_csv(tmp_path, customers(push(), price=prices)), tmp_path)
    assert model.column("price").kind == "number"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(fault("timezone"), tmp_path_factory.mktemp("local"))


def test_a_time_with_an_offset_is_refused_or_warned_of_by_a_model_of_local_times(
    local: Trained, tmp_path: Path
) -> None:
    file = copied(tmp_path, "timezone", "ask_naive.csv")
    naive = by_csv(local, file)
    assert naive["error"].tolist() == [""] * len(naive)
    offset_file = copied(tmp_path, "timezone", "ask_offset.csv")
    rows = objects(texts(offset_file).drop(columns="left"))
    rows = [row | {key: float(row[key]) for key in ("age", "fee", "visits")} for row in rows]
    typed = [row | {"called_at": datetime.fromisoformat(row["called_at"])} for row in rows]
    for answers in (
        by_csv(local, offset_file),
        by_json(local, rows),
        by_parquet(local, pa.Table.from_pylist(rows), tmp_path),
        by_parquet(local, pa.Table.from_pylist(typed), tmp_path),
        by_sql(local, rows, tmp_path),
    ):
        for row in range(len(rows)):
            if not answers.loc[row, "error"]:
                assert "called_at" in answers.loc[row, "warning"]
                assert answers.loc[row, "probability"] == pytest.approx(naive.loc[row, "probability"], abs=1e-9)


@pytest.fixture(scope="module")
def zoned(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("zoned")
    zone = timezone(timedelta(hours=2))
    stamps = [day.replace(hour=day.day % 24, tzinfo=zone).isoformat() for day in days()]
    hours = [1.0 if day.day % 24 > 12 else -1.0 for day in days()]
    proposed = propose(write_csv(folder, customers(hours, called_at=stamps)))
    return train(proposed.use_case, folder, features={"calendar": ["hour"]}, split={"method": "stratified"})


def test_one_moment_is_one_answer_whatever_its_offset(zoned: Trained, tmp_path: Path) -> None:
    at = datetime(2024, 3, 5, 10, 30, tzinfo=timezone(timedelta(hours=2)))
    other = at.astimezone(UTC)
    ways = [at.isoformat(), other.isoformat(), f"{other:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d %H:%M:%S%z}"]
    rows = [ROW | {"called_at": way} for way in ways]
    answers = by_json(zoned, rows)
    assert answers["error"].tolist() == [""] * 4
    assert answers["probability"].nunique() == 1
    batch = by_csv(zoned, write_rows(tmp_path, rows))
    assert_same(batch, answers, within=ROUNDING)
    for zone in ("UTC", "Europe/Berlin", "+02:00"):
        column = pa.array([at.astimezone(UTC)], pa.timestamp("us", zone))
        asked = pa.Table.from_pylist([ROW]).append_column("called_at", column)
        assert_same(by_parquet(zoned, asked, tmp_path), batch.head(1))


def test_a_local_time_is_refused_or_warned_of_by_a_model_of_moments(zoned: Trained, tmp_path: Path) -> None:
    row = ROW | {"called_at": "2024-03-05T10:30:00"}
    typed = pa.Table.from_pylist([ROW | {"called_at": datetime(2024, 3, 5, 10, 30)}])
    for answers in (by_json(zoned, [row]), by_parquet(zoned, typed, tmp_path)):
        assert "called_at" in answers.loc[0, "error"] + answers.loc[0, "warning"]


def test_a_day_is_no_time_of_another_day(iso: Trained) -> None:
    assert moment(iso, date(2024, 2, 12).isoformat()) == np.datetime64("2024-02-12")
    assert "signed" in by_json(iso, [ROW | {"signed": "12.02.2024"}]).loc[0, "error"]
    assert "signed" in by_json(iso, [ROW | {"signed": 20240212}]).loc[0, "error"]
