"""What has been kept for long enough is erased, and nothing else."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from noria.config.serving import PrivacyConfig
from noria.predictions import Feedback, PredictionStore, retention
from noria.predictions.records import EntityRecords
from noria.predictions.spool.events import AuditEvent
from tests.predictions.conftest import Direct
from tests.predictions.events import EPOCH, NOON, answered, failed, labelled

pytestmark = pytest.mark.slow

DAY = 86_400.0
A_WEEK = PrivacyConfig(keep_days=7)
NOW = NOON + timedelta(days=10)


def test_old_predictions_go_with_their_labels_and_shadows(store: PredictionStore, direct: Direct) -> None:
    store.ingest(
        [
            answered("old", "late", entities=["c1", "c2"]),
            answered("shadow", variant="new", shadow_of=["old"], entities=["c1"]),
            answered("young", entities=["c3"], second=5 * DAY),
            labelled("Yes", id="old"),
            labelled("No", entity="c2", second=8 * DAY),  # a label that came lately, of an old prediction
            labelled("No", id="young", second=8 * DAY),
            labelled("No", id="unknown", second=1),
            labelled("No", id="unknown as well", second=9 * DAY),
        ]
    )
    assert retention.retain(store, A_WEEK, NOW) == EntityRecords(predictions=3, labels=3)
    window = store.window(datetime(2000, 1, 1, tzinfo=UTC), shadows=True)
    assert window[["prediction_id", "label"]].to_numpy().tolist() == [["young", "No"]]
    assert direct.rows("SELECT prediction_id FROM labels ORDER BY seq") == [("young",), ("unknown as well",)]


def test_what_events_tell_of_rows_goes_and_the_record_of_changes_stays(store: PredictionStore, direct: Direct) -> None:
    change = AuditEvent("k", EPOCH, "traffic", "new", "2", "0.1 of the cases")
    store.ingest([failed("new"), failed("new", second=9 * DAY), change])
    assert retention.retain(store, A_WEEK, NOW) == EntityRecords(events=1)
    assert direct.rows("SELECT kind FROM events ORDER BY at") == [("traffic",), ("error",)]


def test_without_a_limit_nothing_is_erased(store: PredictionStore) -> None:
    store.ingest([answered("a"), labelled("Yes", id="a")])
    assert not retention.retain(store, PrivacyConfig(), NOW + timedelta(days=10_000))
    assert store.counts().labelled == 1


def test_more_than_one_batch(store: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_BATCH", 10)
    store.ingest([answered(*(f"p{n}" for n in range(95))), answered("young", second=9 * DAY)])
    assert retention.retain(store, A_WEEK, NOW).predictions == 95
    assert store.counts().predictions == 1


def test_writers_get_their_turn_meanwhile(store: PredictionStore, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_BATCH", 10)
    store.ingest([answered(*(f"p{n}" for n in range(300)))])
    erasing = threading.Thread(target=retention.retain, args=(store, A_WEEK, NOW))
    other = PredictionStore(url)
    erasing.start()
    for number in range(20):
        other.ingest([answered(f"new{number}", second=9 * DAY)])
    erasing.join()
    other.close()
    assert sorted(store.window(NOON)["prediction_id"]) == sorted(f"new{number}" for number in range(20))


def test_erased_bytes_are_gone_from_the_files(tmp_path: Path) -> None:
    store = PredictionStore(f"sqlite:///{tmp_path / 'p.db'}")
    rows = [["a secret of theirs", float(n)] for n in range(500)]
    ids = [f"p{n}" for n in range(500)]
    store.ingest([answered(*ids, features=rows), answered("young", second=9 * DAY)])
    store.add_labels([Feedback(id="p1", label="Yes", at=NOON)])
    assert any(b"a secret of theirs" in file.read_bytes() for file in store.files)
    retention.retain(store, A_WEEK, NOW)
    assert not any(b"a secret of theirs" in file.read_bytes() for file in store.files)
    assert store.counts().predictions == 1
