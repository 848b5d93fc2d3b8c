"""What the flusher does beside flushing, and that flushing goes on whatever becomes of it."""

import json
import os
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from noria.config.serving import PrivacyConfig
from noria.predictions.spool.flusher import Flusher, FlushResult
from noria.predictions.spool.heartbeat import read_heartbeat
from noria.predictions.store import PredictionStore
from noria.system.errors import NoriaError
from service.flusher.flusher_worker import FlusherWorker
from service.flusher.scheduled_tasks import ScheduledTask, scheduled_tasks
from tests.spool.spooled import answered, eventually, ids_in, writing


@pytest.fixture
def store(tmp_path: Path) -> PredictionStore:
    return PredictionStore(f"sqlite:///{tmp_path / 'p.db'}")


def keep_until_drained(folder: Path, privacy: dict[str, object]) -> None:
    environment = {
        "NORIA_PREDICTIONS_URL": f"sqlite:///{folder / 'p.db'}",
        "NORIA_SERVICE_DIR": str(folder),
        "NORIA_SERVING": json.dumps({"privacy": privacy}),
    }
    FlusherWorker.of(folder / "spool", environment, threading.Event()).run()


def test_a_duty_is_done_when_it_is_due(store: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    done: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    task = ScheduledTask("count", 10.0, lambda _: done.append(clock[0]))
    for clock[0] in (1000.0, 1001.0, 1009.9, 1010.1, 1015.0, 1100.0):
        task.run_if_due(store)
    assert done == [1000.0, 1010.1, 1100.0]


def test_a_duty_that_fails_is_told_until_it_works(store: PredictionStore, caplog: pytest.LogCaptureFixture) -> None:
    errors: list[Exception] = [
        NoriaError("no order", code="test.example"),
        NoriaError("no order", code="test.example"),
        ZeroDivisionError("by zero"),
    ]

    def work(_: PredictionStore) -> None:
        if errors:
            raise errors.pop(0)

    task = ScheduledTask("canary", 0.0, work)
    told = []
    for _ in range(4):
        task.run_if_due(store)
        told.append(task.error)
    assert told == ["no order", "no order", "an unexpected error: by zero", ""]
    assert caplog.text.count("canary: no order") == 1


def test_a_long_duty_holds_nothing_up_and_runs_once_at_a_time(store: PredictionStore) -> None:
    go, begun = threading.Event(), []

    def work(_: PredictionStore) -> None:
        begun.append(1)
        go.wait(60)
        raise NoriaError("it took long", code="test.example")

    task = ScheduledTask("retention", 0.0, work, in_thread=True)
    for _ in range(3):
        task.run_if_due(store)
    assert eventually(lambda: bool(begun))  # in a thread of its own
    task.run_if_due(store)
    assert task.error == ""
    go.set()
    assert eventually(lambda: task.error == "it took long")
    assert len(begun) == 1


def test_without_a_service_folder_and_an_age_there_is_none(tmp_path: Path) -> None:
    assert scheduled_tasks(None, tmp_path, PrivacyConfig()) == []


def test_an_order_that_cannot_be_read_is_told_and_flushing_goes_on(tmp_path: Path) -> None:
    (tmp_path / "active.json").write_text("no JSON")
    with writing(tmp_path / "spool") as writer:
        writer.append(answered("a"))
    keep_until_drained(tmp_path, {})
    report = read_heartbeat(tmp_path / "spool")
    assert report is not None
    assert "cannot be read" in report.task_errors["canary"]
    assert ids_in(tmp_path / "p.db") == ["a-0"]


def test_what_is_old_enough_is_erased(tmp_path: Path, store: PredictionStore) -> None:
    spool, now = tmp_path / "spool", datetime.now(UTC)
    with writing(spool) as writer:
        writer.append(answered("old", at=(now - timedelta(days=40)).timestamp()))
        writer.append(answered("new", at=(now - timedelta(days=20)).timestamp()))
    for name, days in (("000000000001-24-old.dead-letter", 40), ("000000000002-24-new.dead-letter", 20)):
        (spool / name).write_text("what somebody sent")
        then = (now - timedelta(days=days)).timestamp()
        os.utime(spool / name, (then, then))
    retention = scheduled_tasks(None, spool, PrivacyConfig(keep_days=30))
    keep_until_drained(tmp_path, {})
    assert ids_in(tmp_path / "p.db") == ["new-0", "old-0"]
    [task] = retention
    task.run_if_due(store)
    assert eventually(lambda: ids_in(tmp_path / "p.db") == ["new-0"])
    assert eventually(
        lambda: [path.name for path in spool.glob("*.dead-letter")] == ["000000000002-24-new.dead-letter"]
    )
    assert task.error == ""


def test_the_flusher_does_not_flush_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = iter(range(10**6, 0, -1))
    monkeypatch.setattr(time, "time", lambda: 3600.0 * next(hours))  # it goes back with every look
    with writing(tmp_path / "spool") as writer:
        for number in range(20):
            writer.append(answered(f"r{number}", at=time.time() % 1e9))
    keep_until_drained(tmp_path, {})
    with sqlite3.connect(tmp_path / "p.db") as direct:
        assert direct.execute("select count(*), count(distinct id) from predictions").fetchone() == (20, 20)


def test_what_comes_during_the_round_in_which_a_stop_is_requested_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, flush = threading.Event(), Flusher.flush
    with writing(tmp_path / "spool") as writer:
        writer.append(answered("early"))

        def flush_while_more_comes(flusher: Flusher, result: FlushResult) -> None:
            flush(flusher, result)
            if not stop.is_set():
                writer.append(answered("late"))
                stop.set()

        monkeypatch.setattr(Flusher, "flush", flush_while_more_comes)
        environment = {"NORIA_PREDICTIONS_URL": f"sqlite:///{tmp_path / 'p.db'}", "NORIA_SERVICE_DIR": str(tmp_path)}
        FlusherWorker.of(tmp_path / "spool", environment, stop).run()
    assert ids_in(tmp_path / "p.db") == ["early-0", "late-0"]
