"""Cases happen when `data.time` says, labels say when they became known, and no disagreement of labels is lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from noria.config.serving import PrivacyConfig
from noria.predictions import Feedback, PredictionStore
from noria.predictions.retention import retain
from noria.predictions.spool.codec import decode_frame, encode_frame
from noria.predictions.spool.events import PredictionEvent
from tests.errors_raised import raises
from tests.predictions.conftest import Direct
from tests.predictions.events import NOON, answered
from tests.predictions.test_migrations import make_old

MARCH = datetime(2013, 3, 1, tzinfo=UTC)


def test_windows_go_by_the_time_of_the_case_and_by_the_clock_where_there_is_none(store: PredictionStore) -> None:
    later = MARCH + timedelta(days=2)
    store.ingest([answered("a", "b", "c", event_times=[MARCH.timestamp(), later.timestamp(), None])])

    assert store.window(MARCH, MARCH + timedelta(days=7))["prediction_id"].tolist() == ["a", "b"]
    assert store.window(later)["prediction_id"].tolist() == ["b", "c"]
    window = store.window(MARCH).set_index("prediction_id")
    assert window["event_at"].tolist() == [MARCH, later, NOON]
    assert (window["at"] == NOON).all()


def test_how_long_cases_have_come_goes_by_their_time(store: PredictionStore) -> None:
    later = MARCH + timedelta(days=2)
    store.ingest([answered("a", "b", event_times=[MARCH.timestamp(), later.timestamp()])])
    count, first, last = store.case_span(store.window(MARCH)["version"].iloc[0])
    assert (count, first, last) == (2, MARCH, later)
    assert store.case_span("none") == (0, None, None)


def test_times_before_1970_are_kept(store: PredictionStore) -> None:
    moment = datetime(1912, 4, 14, 23, 40, tzinfo=UTC)
    store.ingest([answered("a", event_times=[moment.timestamp()])])
    assert store.window(datetime(1900, 1, 1, tzinfo=UTC))["event_at"].tolist() == [moment]


def test_retention_goes_by_the_clock(store: PredictionStore) -> None:
    store.ingest([answered("a", event_times=[MARCH.timestamp()])])
    assert not retain(store, PrivacyConfig(keep_days=30), NOON + timedelta(days=1))
    assert retain(store, PrivacyConfig(keep_days=30), NOON + timedelta(days=31)).predictions == 1


def test_predictions_of_other_times_are_counted(store: PredictionStore) -> None:
    store.ingest([answered("a", "b", event_times=[MARCH.timestamp(), None])])
    count, first, last = store.outside(NOON - timedelta(days=1), NOON + timedelta(days=1), "1")
    assert (count, first, last) == (1, MARCH, MARCH)


def test_frames_of_an_earlier_version_are_read() -> None:
    event = answered("a")
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(event))[:-1]
    old = msgspec.convert(fields, PredictionEvent)
    frame = encode_frame(old)
    assert decode_frame(frame, 0, len(frame)) == event


def test_a_label_of_another_value_is_counted_and_the_newest_counts(store: PredictionStore) -> None:
    store.ingest([answered("a", "b", "c", entities=["x", "y", "z"])])
    store.add_labels([Feedback(id="a", label="Yes"), Feedback(id="b", label="Yes"), Feedback(entity="z", label="No")])
    store.add_labels([Feedback(id="a", label="No"), Feedback(id="b", label="Yes"), Feedback(entity="z", label="Yes")])
    window = store.window(NOON).set_index("prediction_id")
    assert window["label"].to_dict() == {"a": "No", "b": "Yes", "c": "Yes"}
    assert window["label_changes"].to_dict() == {"a": 1, "b": 0, "c": 1}


def test_labels_from_the_future_are_refused_and_none_is_kept(store: PredictionStore) -> None:
    store.ingest([answered("a", "b")])
    late = datetime.now(UTC) + timedelta(hours=1)
    with raises("predictions.label_from_future", "a"):
        store.add_labels([Feedback(id="a", label="Yes", at=late), Feedback(id="b", label="Yes")])
    assert store.counts().labelled == 0
    with raises("predictions.label_from_future"):
        store.add_labels([Feedback(id="a", label="Yes", at=NOON)], now=MARCH)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert store.add_labels([Feedback(id="a", label="Yes", at=soon)]) == [True], "clocks differ a little"


def test_a_time_without_a_zone_is_utc(store: PredictionStore) -> None:
    store.ingest([answered("a")])
    store.add_labels([Feedback(id="a", label="Yes", at=datetime(2026, 5, 2))])
    assert store.window(NOON)["labelled_at"].tolist() == [datetime(2026, 5, 2, tzinfo=UTC)]


@pytest.mark.slow
def test_disagreements_from_before_the_upgrade_are_found(tmp_path: Path) -> None:
    url = make_old(tmp_path / "p.db")
    direct = Direct(url)
    for number, label in enumerate(("Yes", "No")):
        values = f"({10 + number}, 'k{number}', 'p1', NULL, '\"{label}\"', '2026-05-01 12:00:00.000000', 0)"
        direct.run(f"INSERT INTO labels VALUES {values}")  # noqa: S608
    direct.close()
    store = PredictionStore(url)
    assert store.window(NOON)["label_changes"].tolist() == [1]
    assert store.window(NOON)["event_at"].tolist() == [NOON]
    store.close()
