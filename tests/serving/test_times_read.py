"""Requests carry the time of the case, whether it is an input or not."""

import json
from datetime import UTC, datetime
from typing import Any

import mixed
import pytest

from noria.config.column_reading import ColumnReading
from noria.schema import InputSchema
from noria.serving.event_time import EventClock
from noria.serving.row_reader import RequestRows, RowReader
from noria.tabular.column_reader import ColumnReader

SCHEMA: InputSchema = mixed.fitted("dummy", "binary").schema
ROW: dict[str, Any] = {
    "age": 40,
    "amount": 80.5,
    "visits": 3,
    "region": "north",
    "code": 3,
    "member": True,
    "joined": "2024-02-03",
}
MARCH = datetime(2013, 3, 1, 6, tzinfo=UTC).timestamp()


def reader(column: str, id: str | None = "customer", **reading: Any) -> RowReader:
    clock = EventClock(column, ColumnReader(ColumnReading(type="date", **reading)))
    return RowReader(SCHEMA, id, max_rows=1000, max_text=10_000, clock=clock)


def read(how: RowReader, *rows: dict[str, Any]) -> RequestRows:
    return how.read(json.dumps({"rows": rows}).encode())


@pytest.mark.parametrize("column", ["departs", "departs at", "class"])
@pytest.mark.parametrize("id", ["customer", None])
def test_a_time_that_is_no_input_is_an_optional_field(column: str, id: str | None) -> None:
    own = {} if id is None else {id: "c1"}
    rows = read(reader(column, id), ROW | own | {column: "2013-03-01T06:00"}, ROW, ROW | {column: None})
    assert rows.times == [MARCH, None, None]
    assert rows.entities == [None if id is None else "c1", None, None]
    assert rows.values == [tuple(ROW.values())] * 3
    assert rows.ignored == [] and not any(rows.warnings)
    assert rows.take([1, 0]).times == [None, MARCH]


def test_a_time_that_is_an_input_is_read_from_there() -> None:
    rows = read(reader("joined"), ROW, ROW | {"joined": None})
    assert rows.times == [datetime(2024, 2, 3, tzinfo=UTC).timestamp(), None]


@pytest.mark.parametrize(
    ("value", "reading"),
    [
        ("2013-03-01T08:00:00+02:00", {}),
        ("01/03/2013 06:00", {"format": "%d/%m/%Y %H:%M"}),
        (int(MARCH), {"format": "epoch_s"}),
    ],
)
def test_times_are_read_by_the_rule_of_the_column(value: Any, reading: dict[str, Any]) -> None:
    assert read(reader("departs", **reading), ROW | {"departs": value}).times == [MARCH]


@pytest.mark.parametrize("value", ["soon", 17, True])
def test_an_unreadable_time_is_told_and_the_request_goes_on(value: Any) -> None:
    rows = read(reader("departs"), ROW | {"departs": value}, ROW | {"departs": "2013-03-01T06:00"})
    assert rows.times == [None, MARCH]
    assert rows.warnings[0].startswith("departs: ") and not rows.warnings[1]


def test_without_a_clock_nothing_changes() -> None:
    plain = RowReader(SCHEMA, "customer", max_rows=1000, max_text=10_000)
    assert read(plain, ROW).times is None
    assert read(plain, ROW | {"departs": "2013-03-01"}).ignored == ["departs"]
