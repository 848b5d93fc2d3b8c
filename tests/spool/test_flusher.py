"""From the spool to a real store: everything, once, whatever happens on the way."""

import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from noria.predictions import Feedback, PredictionStore
from noria.predictions.spool.flusher import Flusher, drain
from noria.predictions.spool.offsets import waiting_bytes
from noria.predictions.spool.segments import segments
from noria.system.workspace import PROJECT
from tests.errors_raised import raises
from tests.spool.spooled import Memory, answered, ids_in, labelled, small_disk, writing

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "predictions.db"


@pytest.fixture
def store(database: Path) -> PredictionStore:
    return PredictionStore(f"sqlite:///{database}")


def test_requests_of_several_rows_reach_the_store(tmp_path: Path, store: PredictionStore) -> None:
    with writing(tmp_path / "spool") as writer:
        for number in range(30):
            writer.append(answered(f"r{number}", rows=100))
        done = Flusher(tmp_path / "spool", store).flush()
    assert (done.events, done.predictions, waiting_bytes(tmp_path / "spool")) == (30, 3000, 0)
    counts = store.counts()
    assert (counts.requests, counts.predictions) == (30, 3000)
    row = store.window(LONG_AGO, limit=1).iloc[0]
    assert row[["version", "contract", "prediction", "probability"]].tolist() == ["1", "One year", "Yes", 0.7]


_KILLED = """
import os, signal, sys
from pathlib import Path
from noria.predictions import PredictionStore
from noria.predictions.spool import flusher, segment_reader
store = PredictionStore(sys.argv[2])
if sys.argv[3] == "before the commit":
    store.ingest = lambda entries: os.kill(os.getpid(), signal.SIGKILL)
elif sys.argv[3] == "before the offset":
    segment_reader.write_offset = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
else:
    Path.unlink = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
flusher.Flusher(Path(sys.argv[1]), store).flush()
"""


@pytest.mark.parametrize("moment", ["before the commit", "before the offset", "before the removal"])
def test_a_flusher_that_is_killed_moves_nothing_twice(tmp_path: Path, database: Path, moment: str) -> None:
    spool, url = tmp_path / "spool", f"sqlite:///{database}"
    with writing(spool) as writer:
        writer.append(labelled("r3-0"))
        for number in range(10):
            writer.append(answered(f"r{number}"))
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(spool), url, moment], cwd=PROJECT, check=False)
    assert killed.returncode == -9
    store = PredictionStore(url)
    assert store.counts().predictions == (0 if moment == "before the commit" else 10)
    Flusher(spool, store).flush()
    assert ids_in(database) == sorted(f"r{number}-0" for number in range(10))
    with sqlite3.connect(database) as direct:
        assert direct.execute("select count(*) from labels").fetchone() == (1,)
    assert segments(spool) == []


def test_two_services_share_a_store(tmp_path: Path, database: Path) -> None:
    spools = [tmp_path / "one", tmp_path / "two"]

    def serve(spool: Path, name: str) -> None:
        store = PredictionStore(f"sqlite:///{database}")
        with writing(spool) as writer:
            for number in range(200):
                writer.append(answered(f"{name}{number}"))
                if number % 20 == 0:
                    Flusher(spool, store).flush()
        Flusher(spool, store).flush()

    services = [threading.Thread(target=serve, args=pair) for pair in zip(spools, "ab", strict=True)]
    for service in services:
        service.start()
    for service in services:
        service.join()
    assert ids_in(database) == sorted(f"{name}{number}-0" for name in "ab" for number in range(200))


def test_a_label_that_comes_before_its_prediction_was_moved(tmp_path: Path, store: PredictionStore) -> None:
    with writing(tmp_path / "spool") as first, writing(tmp_path / "spool") as second:
        second.append(labelled("by key-0", key="k1"))  # this worker's segment is read first
        first.append(answered("by key"))
        first.append(answered("directly"))
        first.append(answered("by case"))
        first.append(answered("without"))
        known = store.add_labels([Feedback(id="directly-0", label="No"), Feedback(entity="case by case", label="No")])
        assert known == [False, False]
        Flusher(tmp_path / "spool", store).flush()
        second.append(labelled("by key-0", key="k1"))  # sent again
        Flusher(tmp_path / "spool", store).flush()
    labels = store.window(LONG_AGO).set_index("prediction_id")["label"].fillna("").to_dict()
    assert labels == {"by key-0": "No", "directly-0": "No", "by case-0": "No", "without-0": ""}
    assert store.counts().unmatched_labels == 0


def test_while_the_database_is_locked_all_wait(tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noria.predictions.database.BUSY_TIMEOUT_MS", 100)
    store = PredictionStore(f"sqlite:///{database}")
    with writing(tmp_path / "spool") as writer:
        writer.append(answered("a"))
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("begin immediate")
        with raises("predictions.store_failed", "locked"):
            Flusher(tmp_path / "spool", store).flush()
        writer.append(answered("b"))
        other.execute("rollback")
        assert Flusher(tmp_path / "spool", store).flush().predictions == 2
    assert ids_in(database) == ["a-0", "b-0"]


def test_while_the_database_is_read_only_or_its_disk_is_full_all_wait(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, writing(tmp_path / "spool") as writer:
        store = PredictionStore(f"sqlite:///{disk / 'p.db'}")
        writer.append(answered("a"))
        store.close()  # a disk that is written to cannot be mounted anew
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with raises("predictions.store_failed"):
            Flusher(tmp_path / "spool", store).flush()
        store.close()
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(b"\0" * 4096)
        for number in range(2000):
            writer.append(answered(f"r{number}"))
        with raises("predictions.store_failed", "full"):
            Flusher(tmp_path / "spool", store).flush()
        filler.unlink()
        Flusher(tmp_path / "spool", store).flush()
        store.close()
        assert ids_in(disk / "p.db") == sorted(["a-0", *(f"r{number}-0" for number in range(2000))])


def test_what_the_store_refuses_for_good_holds_nothing_up(tmp_path: Path) -> None:
    store = Memory()
    store.refuses = lambda event: getattr(event, "request_id", "") == "r7"
    with writing(tmp_path) as writer:
        for number in range(20):
            writer.append(answered(f"r{number}"))
    done = Flusher(tmp_path, store).flush()
    assert store.ids == [f"r{number}-0" for number in range(20) if number != 7]
    assert "rejected by the store (year 99999 is out of range)" in done.dead_letters[0]
    assert [event.detail for event in store.audit_events] == done.dead_letters
    [aside] = tmp_path.glob("*.dead-letter")
    assert b"r7-0" in aside.read_bytes()


def test_drain_leaves_nothing_of_what_was_there(tmp_path: Path) -> None:
    store = Memory()
    with writing(tmp_path) as writer:
        writer.append(answered("secret name"))
        assert drain(tmp_path, store, timeout_s=20)
        assert not [path for path in tmp_path.iterdir() if b"secret name" in path.read_bytes()]
        store.down = True
        writer.append(answered("b"))
        with raises("predictions.store_failed", "it is down"):
            drain(tmp_path, store, timeout_s=20)
    assert store.ids == ["secret name-0"]


def test_drain_says_when_the_time_was_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noria.predictions.spool.journal._MIN_SEGMENT_AGE_S", 3600.0)
    with writing(tmp_path) as writer:
        writer.append(answered("a"))
        assert not drain(tmp_path, Memory(), timeout_s=0.3)
