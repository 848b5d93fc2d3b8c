"""What a user of the prediction store relies on: nothing lost, labels find their prediction, clear errors."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy

from noria.predictions import SMOKE, Feedback, PredictionStore, ids, inputs_of
from noria.predictions.spool.events import PredictionEvent
from noria.system.errors import NoriaError
from tests.errors_raised import raises
from tests.predicted import prediction_event
from tests.predictions.conftest import Direct

PROJECT = Path(__file__).parents[2]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def event(hour: int = 0, **changes: Any) -> PredictionEvent:
    given: dict[str, Any] = {"features": {"tenure": 3, "contract": "One year"}, "at": NOON + timedelta(hours=hour)}
    return prediction_event(**(given | changes))


def test_a_window_gives_back_what_was_answered(store: PredictionStore) -> None:
    store.ingest([event(hour, entity=f"c{hour}") for hour in range(5)])
    window = store.window(NOON + timedelta(hours=1), NOON + timedelta(hours=4))
    assert window["entity"].tolist() == ["c1", "c2", "c3"]
    assert window["at"].tolist() == [pd.Timestamp(NOON + timedelta(hours=hour)) for hour in (1, 2, 3)]
    assert window.columns.tolist() == [
        *("prediction_id", "at", "event_at", "version", "variant", "entity", "tenure", "contract"),
        *("prediction", "probability", "decision", "latency_ms", "label", "labelled_at", "label_changes"),
    ]
    assert window.loc[0, ["tenure", "contract", "prediction", "probability"]].tolist() == [3, "One year", "Yes", 0.7]
    assert window["label"].isna().all()


def test_times_of_other_zones_are_the_same_instant(store: PredictionStore) -> None:
    store.ingest([event(at=datetime.fromisoformat("2026-05-01T14:00:00+02:00"))])
    assert len(store.window(NOON, NOON + timedelta(seconds=1))) == 1


def test_an_empty_window_still_has_its_columns(store: PredictionStore) -> None:
    window = store.window(NOON)
    assert len(window) == 0
    assert {"at", "prediction", "label"} <= set(window.columns)


def test_missing_and_numpy_values_are_kept_as_json_can_hold_them(store: PredictionStore) -> None:
    features = {
        "a": float("nan"),
        "b": np.float64(1.5),
        "c": np.int64(2),
        "d": pd.Timestamp("2026-01-02"),
        "e": pd.NaT,
        "f": None,
        "g": "ü",
    }
    store.ingest([event(features=features, prediction=np.float64(12.5), probability=float("nan"))])
    kept = store.window(NOON).iloc[0]
    assert kept[["b", "c", "d", "g", "prediction"]].tolist() == [1.5, 2, "2026-01-02T00:00:00", "ü", 12.5]
    assert kept[["a", "e", "f", "probability"]].isna().all()


def test_an_input_column_named_like_one_of_ours_is_not_lost(store: PredictionStore) -> None:
    store.ingest([event(features={"version": "premium", "tenure": 3})])
    window = store.window(NOON)
    assert window["version"].tolist() == ["1"]
    assert inputs_of(window).to_dict("records") == [{"version": "premium", "tenure": 3}]


def test_a_limited_window_is_a_sample_over_the_whole_time_and_always_the_same(store: PredictionStore) -> None:
    store.ingest([event(hour) for hour in range(400)])
    sample = store.window(NOON, limit=100)
    assert len(sample) == 100
    assert sample["at"].is_monotonic_increasing
    assert sample["at"].min() < NOON + timedelta(hours=100)
    assert sample["at"].max() > NOON + timedelta(hours=300)
    pd.testing.assert_frame_equal(sample, store.window(NOON, limit=100))


def test_a_sample_of_what_was_answered_over_weeks_is_over_all_of_it(
    store: PredictionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered(hour: int) -> PredictionEvent:
        monkeypatch.setattr("time.time_ns", lambda: int((NOON.timestamp() + 3600 * hour) * 1e9))
        return event(hour, id=ids.new_id())

    store.ingest([answered(hour) for hour in range(400)])
    sample = store.window(NOON, limit=100)
    assert sample["at"].min() < NOON + timedelta(hours=100)
    assert sample["at"].max() > NOON + timedelta(hours=300)


def test_labels_find_their_prediction_by_id_and_by_case(store: PredictionStore) -> None:
    first, second, third = event(), event(entity="c2"), event(entity="c3")
    store.ingest([first, second, third])
    known = store.add_labels([Feedback(id=first.ids[0], label="Yes"), Feedback(entity="c2", label="No", at=NOON)])
    assert known == [True, True]
    window = store.window(NOON, labelled=True).set_index("prediction_id")
    assert window["label"].to_dict() == {first.ids[0]: "Yes", second.ids[0]: "No"}
    assert window.loc[second.ids[0], "labelled_at"] == pd.Timestamp(NOON)
    assert store.window(NOON, labelled=False)["prediction_id"].tolist() == [third.ids[0]]


def test_a_label_that_comes_before_its_prediction_waits_for_it(store: PredictionStore) -> None:
    early = event()
    assert store.add_labels([Feedback(id=early.ids[0], label="No"), Feedback(entity="c9", label="Yes")]) == [
        False,
        False,
    ]
    assert store.counts().unmatched_labels == 2
    store.ingest([event(), early, event(entity="c9")])
    assert store.window(NOON)["label"].fillna("").tolist() == ["", "No", "Yes"]
    assert store.counts().unmatched_labels == 0


def test_a_repeated_label_replaces_and_the_old_one_is_kept(store: PredictionStore, direct: Direct) -> None:
    store.ingest([event(entity="c1")])
    store.add_labels([Feedback(entity="c1", label="No")])
    store.add_labels([Feedback(entity="c1", label="Yes")])
    assert store.window(NOON)["label"].tolist() == ["Yes"]
    assert store.counts().labelled == 1
    assert direct.rows("select cast(label as text) from labels order by seq") == [('"No"',), ('"Yes"',)]


def test_a_case_predicted_again_gets_its_own_later_label(store: PredictionStore) -> None:
    store.ingest([event(0, entity="c1"), event(1, entity="c1")])
    store.add_labels([Feedback(entity="c1", label="No")])
    store.ingest([event(2, entity="c1")])
    assert store.window(NOON)["label"].fillna("").tolist() == ["No", "No", ""]
    store.add_labels([Feedback(entity="c1", label="Yes")])
    assert store.window(NOON)["label"].tolist() == ["No", "No", "Yes"]
    store.add_labels([Feedback(entity="c1", label="No")])
    assert store.window(NOON)["label"].tolist() == ["No", "No", "No"]


@pytest.mark.parametrize(
    "given", [{"label": "Yes"}, {"label": "Yes", "id": "1", "entity": "2"}, {"label": float("nan"), "id": "1"}]
)
def test_a_label_of_nothing_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(NoriaError):
        Feedback(**given)  # type: ignore[arg-type]


def test_counts_per_version(store: PredictionStore) -> None:
    store.ingest([event(request_id="a"), event(request_id="a"), event(1, request_id="b", version="2")])
    everything, second = store.counts(), store.counts("2")
    assert (everything.requests, everything.predictions) == (2, 3)
    assert (everything.first_at, everything.last_at) == (NOON, NOON + timedelta(hours=1))
    assert (second.requests, second.predictions, second.labelled) == (1, 1, 0)


def test_smoke_tests_are_kept_but_left_out(store: PredictionStore, direct: Direct) -> None:
    store.ingest([event(variant=SMOKE), event()])
    assert (store.counts().predictions, len(store.window(NOON))) == (1, 1)
    assert direct.rows("select count(*) from predictions") == [(2,)]


def test_an_ingest_is_all_or_nothing(store: PredictionStore) -> None:
    with pytest.raises(NoriaError):
        store.ingest([event(), event(decision=None)])
    assert store.counts().predictions == 0


_WRITER = """
import sys
from datetime import UTC, datetime
from noria.predictions import Feedback, PredictionStore
from tests.predicted import prediction_event
store = PredictionStore(sys.argv[1])
for number in range(60):
    event = prediction_event(datetime.now(UTC), {"n": number}, request_id=f"{sys.argv[2]}-{number}")
    store.ingest([event])
    store.add_labels([Feedback(id=event.ids[0], label="No")])
    print(event.ids[0], flush=True)
"""


def test_several_processes_and_threads_write_at_once_and_nothing_is_lost(store: PredictionStore, url: str) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, url, str(n)], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        for n in range(2)
    ]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda hour: store.ingest([event(hour)]), range(60)))
    said = [line for writer in writers for line in writer.communicate(timeout=60)[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(said) == 120
    assert set(said) <= set(store.window(datetime(2026, 1, 1, tzinfo=UTC))["prediction_id"])
    assert (store.counts().predictions, store.counts().labelled) == (180, 120)


def test_what_ingest_returned_for_survives_a_killed_process(url: str) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, url, "0"], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    said = [writer.stdout.readline().strip() for _ in range(20)]
    writer.kill()
    said += writer.communicate(timeout=10)[0].split()
    kept = set(PredictionStore(url).window(datetime(2026, 1, 1, tzinfo=UTC))["prediction_id"])
    assert set(said) <= kept


def test_a_store_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    with raises("predictions.store_failed", "unable to open database file") as caught:
        PredictionStore(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    assert "folder.db" in caught.value.where
    with raises("predictions.url_invalid"):
        PredictionStore("not a url")
    (tmp_path / "text.db").write_text("this is not a database, though it is long enough to look like one" * 20)
    with raises("predictions.store_failed", "not a database"):
        PredictionStore(f"sqlite:///{tmp_path / 'text.db'}")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+nodriver://me:s3cr3t@localhost:1/db",
        "postgresql+psycopg://me:s3cr3t@127.0.0.1:1/db",
        "postgresql+psycopg://me:s3cr3t@no.such.host.invalid/db",
        "postgresql+psycopg://me:s3cr3t@127.0.0.1/db?sslmode=s3cr3t",
        "postgresql+psycopg://me:/s3cr3t@127.0.0.1/db",
        "postgresql+psycopg://me:x@127.0.0.1:s3cr3t/db",
        "postgresql//me:s3cr3t@localhost/db",
    ],
)
def test_a_database_that_cannot_be_reached_does_not_show_its_password(url: str) -> None:
    with pytest.raises(NoriaError) as caught:
        PredictionStore(url)
    assert "s3cr3t" not in str(caught.value)


def test_a_refused_password_is_not_shown(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = sqlalchemy.make_url(postgres).set(database="no_such_database", password="s3cr3t")  # noqa: S106
    with raises("predictions.store_failed", "no_such_database") as caught:
        PredictionStore(given.render_as_string(hide_password=False))
    assert "s3cr3t" not in str(caught.value)
    monkeypatch.setenv("STORE_PASSWORD", "s3cr3t")
    from_environment = given.set(password="PASSWORD").render_as_string(hide_password=False)  # noqa: S106
    with raises("predictions.store_failed", "no_such_database") as caught:
        PredictionStore(from_environment.replace("PASSWORD", "${env:STORE_PASSWORD}"))
    assert "s3cr3t" not in str(caught.value)


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "predictions.db"
    before = os.umask(0o022)
    try:
        store = PredictionStore(f"sqlite:///{file}")
        store.ingest([event()])
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        store.close()
        file.chmod(0o640)  # whoever wants others to read it is left alone
        PredictionStore(f"sqlite:///{file}").close()
    finally:
        os.umask(before)
    assert modes == {f"predictions.db{ending}": 0o600 for ending in ("", "-wal", "-shm")}
    assert file.stat().st_mode & 0o777 == 0o640
