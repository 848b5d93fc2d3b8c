"""All predictions of a time, part by part."""

import json
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from noria.predictions import Feedback, PredictionStore
from noria.predictions.feature_columns import FeatureReader
from noria.predictions.ids import new_id
from noria.predictions.scan import ScanQuery, StoredPart, drawn_first
from tests.predictions.conftest import Direct
from tests.predictions.test_store import NOON, event

DAY = timedelta(days=1)


def scanned(store: PredictionStore, **changes: Any) -> list[StoredPart]:
    given: dict[str, Any] = {
        "since": NOON,
        "until": NOON + DAY,
        "version": "1",
        "answer": "probability",
        "young_since": NOON,
    }
    return list(store.scan(ScanQuery(**(given | changes))))


def tenures(parts: list[StoredPart]) -> list[int]:
    return [json.loads(line)["tenure"] for part in parts for line in part.features.split("\n")]


def test_a_scan_has_the_predictions_of_a_window(store: PredictionStore) -> None:
    asked = [event(hour, features={"tenure": hour}, probability=hour / 100) for hour in range(-3, 30)]
    others = [
        event(1, features={"tenure": 90}, variant="smoke"),
        event(1, features={"tenure": 91}, is_test=True),
        event(1, features={"tenure": 92}, shadow_of=["x"]),
        event(1, features={"tenure": 93}, version="2"),
        event(1, features={"tenure": 94}, variant="rules"),
        event(90, features={"tenure": 95}, event_times=[(NOON + timedelta(hours=2)).timestamp()]),
        event(2, features={"tenure": 96}, event_times=[(NOON - DAY).timestamp()]),
    ]
    store.ingest([*asked, *others])
    window = store.window(NOON, NOON + DAY, version="1", variants=["champion"])

    parts = scanned(store, without=["rules"])

    assert sorted(tenures(parts)) == sorted(window["tenure"]) == [*range(24), 95]
    lines = [(part.times.split("\n"), part.answers.split("\n")) for part in parts]
    times = pd.to_datetime([time for found, _ in lines for time in found], utc=True, format="ISO8601")
    assert sorted(times) == sorted(window["event_at"])
    assert sorted(float(answer) for _, found in lines for answer in found) == sorted(window["probability"])


def test_missing_answers_and_labels_are_counted(store: PredictionStore) -> None:
    events = [event(hour, prediction=f"a\nb {hour}", probability=None) for hour in range(6)]
    store.ingest(events)
    store.add_labels([Feedback(id=events[0].ids[0], label="Yes"), Feedback(id=events[4].ids[0], label="No")])

    (part,) = scanned(store, young_since=NOON + timedelta(hours=3))
    (named,) = scanned(store, answer="prediction")

    assert part.answers.split("\n") == ["null"] * 6
    assert (part.rows, part.unlabelled, part.young) == (6, 4, 1)
    assert [json.loads(line) for line in named.answers.split("\n")] == [f"a\nb {hour}" for hour in range(6)]


@pytest.mark.parametrize("timed", [False, True])
def test_what_is_drawn_is_the_sample_of_a_window(store: PredictionStore, timed: bool) -> None:
    events = []
    for number in range(600):
        at = NOON + timedelta(hours=number % 24)
        events.append(event(number % 24, id=new_id(), event_times=[at.timestamp()] if timed else None))
    store.ingest(events)
    parts = scanned(store, draw=100)
    drawn = [each for part in parts for each in part.drawn]

    sample = store.rows_of(drawn_first(drawn, 100))

    assert 100 <= len(drawn) < 200
    pd.testing.assert_frame_equal(sample, store.window(NOON, NOON + DAY, limit=100))
    assert store.most_rows(NOON) >= 600


def test_long_rows_make_small_parts(store: PredictionStore) -> None:
    for _ in range(6):
        store.ingest([event(0, features={"text": "x" * 100_000}) for _ in range(60)])
    sizes = [part.rows for part in scanned(store)]
    assert sum(sizes) == 360
    assert max(sizes[1:]) < sizes[0]


def test_a_store_without_predictions_has_no_parts(store: PredictionStore) -> None:
    assert scanned(store) == []


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, None],
        [1.5, 2, None],
        ["a", "b", None],
        [True, False, None],
        ["2026-01-02", "2026-01-03T00:00:00", None],
        [1, "one", None],
        [None, None, 7],
        [True, 1, 1.5],
        ["1", 2**60, [3]],
    ],
)
@pytest.mark.parametrize("kind", ["number", "category", "datetime"])
def test_inputs_are_read_as_they_were_stored(values: list[Any], kind: str) -> None:
    reader = FeatureReader({"a": kind, "absent": "category"})
    lines = "\n".join(json.dumps({"other": 0, "a": value}) for value in values)
    for _ in range(2):
        found = reader.read(lines, len(values))
        read, absent = ([*column] if isinstance(column, list) else column.to_pylist() for column in found.values())
        assert read == values
        assert absent == [None] * len(values)


def test_objects_over_several_lines_and_lone_surrogates_are_read() -> None:
    reader = FeatureReader({"a": "category"})
    lines = '{"a":\n"x"}\n{"a": "\\ud800"}'
    assert reader.read(lines, 2) == {"a": ["x", "\ud800"]}


def test_rows_that_were_stored_past_the_service_are_read(store: PredictionStore, direct: Direct) -> None:
    store.ingest([event(0), event(0)])
    direct.run("UPDATE predictions SET features = '{\"tenure\":\n  5}'")
    (part,) = scanned(store)
    found = FeatureReader({"tenure": "number"}).read(part.features, part.rows)["tenure"]
    assert list(found) == [5, 5]
