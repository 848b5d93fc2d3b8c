"""Requests are read exactly as a table of the same values is."""

import json
import tracemalloc
from typing import Any

import mixed
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from noria.schema import InputSchema
from noria.serving.http_errors import HTTPError
from noria.serving.row_reader import RequestRows, RowReader

SCHEMA: InputSchema = mixed.fitted("dummy", "binary").schema
READER = RowReader(SCHEMA, "customer", max_rows=1000, max_text=10_000)
ROW: dict[str, Any] = {
    "age": 40,
    "amount": 80.5,
    "visits": 3,
    "region": "north",
    "code": 3,
    "member": True,
    "joined": "2024-02-03",
}
_NUMBERS_AS_TEXT = st.sampled_from(
    ["1", "2.5", " 7 ", "1e3", "-0", "nan", "NaN", "inf", "-Infinity", "1_000", "1,5", "0x10", "٣", "1e400", "+5", "."]
)
_DATES = st.sampled_from(
    [
        "2024-02-03", "2024-02-30", "2024-2-3", "03/02/2024", "2024-02-03T10:11:12Z", "2024-02-03T10:11:12+05:30",
        "2024-02-03 10:11", "9999-12-31", "0001-01-01", "1677-01-01", "20240203", "3 Feb 2024", "today", "now", "NaT",
        "2024-W05", "2024", "12:30", "2024-02-03T24:00", "2262-04-12", "1970-01-01T00:00:00.123456789",
    ]
)  # fmt: skip
_CATEGORIES = st.sampled_from(
    ["north", "North", " north", "3", "3.0", "03", "True", "true", "yes", "no", "1", "0", "False", "the moon", "; x: y"]
)
_BLANKS = st.sampled_from(["", " ", "\t\n", "\u00a0", "\u2003", "\u200b"])
_WHOLE = st.one_of(st.integers(), st.integers(-(10**400), 10**400), st.sampled_from([2**53 + 1, 2**64, -(2**63) - 1]))
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_VALUES = st.one_of(
    st.none(), st.booleans(), _WHOLE, _FLOATS, st.text(max_size=20), _NUMBERS_AS_TEXT, _DATES, _CATEGORIES, _BLANKS
)
_ENTITIES = st.one_of(st.none(), st.integers(-(2**70), 2**70), st.text(max_size=20))
_ROWS = st.lists(
    st.fixed_dictionaries(
        {name: st.one_of(st.just(ROW[name]), _VALUES) for name in SCHEMA.names}, optional={"customer": _ENTITIES}
    ),
    min_size=1,
    max_size=4,
)


def read(rows: list[dict[str, Any]]) -> RequestRows | dict[int, str]:
    """The rows, or row → what is wrong with it."""
    try:
        return READER.read(json.dumps({"rows": rows}).encode())
    except HTTPError as wrong:
        assert wrong.status == 422
        return {problem.row: problem.problem for problem in wrong.body.rows}


def assert_read_as_a_table(rows: list[dict[str, Any]]) -> None:
    found = read(rows)
    wanted = SCHEMA.check(pd.DataFrame(rows, dtype=object))
    errors = {row: error for row, error in enumerate(wanted.errors) if error}
    if errors or not isinstance(found, RequestRows):
        assert found == errors
        return
    assert np.array_equal(found.matrix, wanted.matrix, equal_nan=True)
    assert found.warnings == wanted.warnings
    assert [list(row) for row in found.values] == [[row[name] for name in SCHEMA.names] for row in rows]
    entities = [row.get("customer") for row in rows]
    assert found.entities == [None if entity is None else str(entity) or None for entity in entities]
    typed = READER.typed(found)
    for name, values in wanted.values.items():
        assert pd.Series(typed[name]).equals(pd.Series(values)), name


@settings(max_examples=250, deadline=None, derandomize=True)
@given(_ROWS)
@example([ROW, ROW | {"age": "44", "region": "  ", "member": "yes", "code": 3.0}])
@example([ROW | {"amount": 10**400}])
@example([ROW | {"visits": True, "member": 1, "code": True}])
@example([ROW | {"joined": 20240203}])
@example([ROW | {"region": "a; b: c"}, ROW | {"age": 2**64}])
def test_any_rows_are_read_as_a_table_of_them_is(rows: list[dict[str, Any]]) -> None:
    assert_read_as_a_table(rows)


@pytest.mark.parametrize("column", SCHEMA.names)
def test_each_odd_value_in_each_column(column: str) -> None:
    odd = [None, True, False, 0, 1, -1, 3, 3.0, -0.0, 2.5, 1e-320, 3.5e38, -1e300, 2**53 + 1, 2**64, 10**30, 10**400]
    odd += ["", " ", "\u00a0", "1", "1.0", "nan", "inf", "yes", "NO", "true", "north", "x" * 300, "'; --", "2024-02-30"]
    odd += ["2024-02-03T10:00:00Z", "0", "5,5", "1_0", "\x00", "\u0661", "2024-01-01", "NaT", "None", "null"]
    for value in odd:
        assert_read_as_a_table([ROW, ROW | {column: value}, ROW])


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00north"])
@pytest.mark.parametrize("column", ["region", "age", "joined", "customer"])
def test_half_a_character_is_refused_or_read_and_never_breaks(text: str, column: str) -> None:
    body = json.dumps({"rows": [ROW | {column: text}]}).encode()
    assert b"\\ud" in body
    with pytest.raises(HTTPError) as refused:
        READER.read(body)
    assert refused.value.status in {400, 422}
    refused.value.body.model_dump_json()


def test_rows_of_tables_are_read_as_requests_are() -> None:
    rows = [ROW, ROW | {"age": None, "region": "the moon"}, ROW | {"visits": 900, "joined": "2024-05-06T07:08:09"}]
    asked = read(rows)
    columns = [[row[name] for row in rows] for name in SCHEMA.names]
    found = READER.read_columns(columns, [None] * len(rows), [])
    assert isinstance(asked, RequestRows)
    assert np.array_equal(found.matrix, asked.matrix, equal_nan=True)
    assert found.warnings == asked.warnings


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (5, "must be an object"),
        ({"age": 1}, "missing"),
        (ROW | {"age": [1]}, "age: must be"),
        (ROW | {"age": {}}, "age: must be"),
        (ROW | {"customer": 1.5}, "customer: must be"),
        (ROW | {"customer": "c" * 256}, "customer: longer"),
        (ROW | {"region": "x" * 10_001}, "region: longer"),
        (ROW | {"more": [1, {"a": 2}]}, "more: must be"),
    ],
)
def test_what_is_no_row_is_named(row: object, problem: str) -> None:
    said = read([ROW, row])  # type: ignore[list-item]
    assert isinstance(said, dict)
    assert list(said) == [1]
    assert problem in said[1]


def test_millions_of_empty_rows_are_refused_before_they_fill_the_memory() -> None:
    body = b'{"rows":[' + b"{}," * 500_000 + b"{}]}"
    tracemalloc.start()
    try:
        with pytest.raises(HTTPError) as caught:
            READER.read(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.status == 413
    assert peak < 3 * len(body)


def test_braces_in_texts_are_no_rows() -> None:
    rows = [ROW | {"region": '{"{\\' * 20, "unknown": None} for _ in range(100)]
    assert len(READER.read(json.dumps({"rows": rows}).encode()).values) == 100
