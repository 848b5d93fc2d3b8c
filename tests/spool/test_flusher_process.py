"""The flusher as a process: one per spool, started by any worker, ended by nobody's need."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from noria.predictions.spool.heartbeat import FlusherHeartbeat, read_heartbeat, waiting_s
from noria.predictions.spool.segments import segments
from noria.system.workspace import PROJECT
from service.flusher import flusher_launcher
from service.flusher.flusher_launcher import ensure_flusher, flusher_runs
from tests.spool.postgres_server import ids, stoppable
from tests.spool.spooled import answered, eventually, ids_in, writing

pytestmark = pytest.mark.e2e


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a service whose flushers are ended with the test."""
    monkeypatch.setenv("NORIA_SERVICE_DIR", str(tmp_path))
    monkeypatch.setenv("NORIA_PREDICTIONS_URL", f"sqlite:///{tmp_path / 'store' / 'p.db'}")
    monkeypatch.setenv("NORIA_SERVING", json.dumps({"spool": {"flush_interval_ms": 20}}))
    monkeypatch.delenv("NORIA_SPOOL_DIR", raising=False)
    (tmp_path / "store").mkdir()
    (tmp_path / "spool").mkdir()
    yield tmp_path
    for process in flushers(tmp_path / "spool"):
        process.kill()
        process.wait(10)


@pytest.fixture
def start(service: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a flusher by hand."""
    started = []

    def flusher_process(**environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "service.flusher.flusher_launcher"]
        changed = os.environ | environment
        process = subprocess.Popen(command, cwd=PROJECT, env=changed, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield flusher_process
    for process in started:
        process.kill()
        process.communicate()


def flushers(spool: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = process.environ().get("NORIA_SPOOL_DIR") == str(spool) if _is_flusher(process) else False
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _is_flusher(process: psutil.Process) -> bool:
    return process.cmdline()[-2:] == ["-m", "service.flusher.flusher_launcher"]


def report(spool: Path) -> FlusherHeartbeat:
    found = read_heartbeat(spool)
    assert found is not None
    return found


def test_what_workers_append_arrives_and_the_flusher_ends_after_the_last_worker(service: Path) -> None:
    spool, database = service / "spool", service / "store" / "p.db"
    with writing(spool) as first, writing(spool) as second:
        for number in range(100):
            first.append(answered(f"a{number}"))
            ensure_flusher(spool)
        assert eventually(lambda: len(ids_in(database)) == 100)
        assert eventually(lambda: report(spool).predictions == 100)
        told = report(spool)
        assert (told.events, told.error, told.failing_since, told.dead_letters) == (100, "", None, 0)
        assert [process.pid for process in flushers(spool)] == [told.pid]
        assert psutil.Process(told.pid).nice() > 0
        second.append(answered("b"))
        second.close()
        assert eventually(lambda: "b-0" in ids_in(database))
        assert flusher_runs(spool)
        first.append(answered("last"))
    assert eventually(lambda: not flusher_runs(spool))
    assert len(ids_in(database)) == 102
    assert segments(spool) == []
    assert report(spool).backlog_bytes == 0


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux lets a process choose its processors")
def test_it_leaves_the_processor_of_a_worker_if_there_is_another(service: Path) -> None:
    spool, database = service / "spool", service / "store" / "p.db"
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("there is one processor only")
    with writing(spool) as writer:
        try:
            for number, mine in enumerate(sorted(allowed)[:2] * 2):
                os.sched_setaffinity(0, allowed)
                ensure_flusher(spool)
                os.sched_setaffinity(0, {mine})
                writer.append(answered(f"r{number}"))
                assert eventually(lambda number=number: f"r{number}-0" in ids_in(database))
                writer.append(answered(f"s{number}"))
                assert eventually(lambda number=number: f"s{number}-0" in ids_in(database))
                assert set(psutil.Process(report(spool).pid).cpu_affinity() or []) == allowed - {mine}
        finally:
            os.sched_setaffinity(0, allowed)


def test_of_several_that_start_at_once_one_works(service: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    with writing(service / "spool") as writer:
        writer.append(answered("a"))
        started = [start() for _ in range(4)]
        assert eventually(lambda: [each.poll() for each in started].count(0) == 3)
        assert eventually(lambda: read_heartbeat(service / "spool") is not None)
        working = next(each for each in started if each.poll() is None)
        assert report(service / "spool").pid == working.pid
    assert eventually(lambda: working.poll() == 0)


def test_a_flusher_that_is_killed_is_replaced_and_nothing_comes_twice(
    service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flusher_launcher, "_RESTART_S", 0.0)
    spool, database = service / "spool", service / "store" / "p.db"
    sent: list[str] = []
    with writing(spool) as writer:

        def answer() -> None:
            writer.append(answered(f"r{len(sent)}", rows=20))
            sent.extend([f"r{len(sent)}-{row}" for row in range(20)])
            ensure_flusher(spool)

        for _ in range(4):
            moved = len(ids_in(database))
            assert eventually(lambda: bool(answer()) or len(ids_in(database)) > moved)  # noqa: B023
            for process in flushers(spool):
                process.send_signal(signal.SIGKILL)
                process.wait(10)
        ensure_flusher(spool)
        assert eventually(lambda: len(ids_in(database)) >= len(sent))
    assert ids_in(database) == sorted(sent)


def test_while_the_store_is_down_all_wait_and_arrive_once_it_is_back(service: Path) -> None:
    spool, database = service / "spool", service / "store" / "p.db"
    database.parent.rmdir()
    with writing(spool) as writer:
        for number in range(50):
            writer.append(answered(f"r{number}"))
        ensure_flusher(spool)
        assert eventually(lambda: read_heartbeat(spool) is not None and report(spool).error != "")
        told = report(spool)
        assert "unable to open database file" in told.error
        assert str(service) not in told.error  # it may be shown to clients
        assert told.failing_since is not None
        assert eventually(lambda: report(spool).backlog_bytes > 5_000)
        assert waiting_s(spool, told.started_at + 90) == pytest.approx(90), "how long it waits is told from then on"
        database.parent.mkdir()
        assert eventually(lambda: len(ids_in(database)) == 50)
        assert eventually(lambda: report(spool).error == "")
        assert eventually(lambda: waiting_s(spool, told.started_at + 90) == 0)


def test_two_services_share_a_store(service: Path) -> None:
    spools, database = [service / "one", service / "two"], service / "store" / "p.db"
    with writing(spools[0]) as first, writing(spools[1]) as second:
        for spool in spools:
            ensure_flusher(spool)
        for number in range(300):
            first.append(answered(f"a{number}"))
            second.append(answered(f"b{number}"))
        assert eventually(lambda: len(ids_in(database)) == 600)
        assert len({report(spool).pid for spool in spools}) == 2
    assert eventually(lambda: not any(flusher_runs(spool) for spool in spools))
    assert ids_in(database) == sorted(f"{name}{number}-0" for name in "ab" for number in range(300))


def test_a_database_that_is_moved_away_gets_nothing_more(service: Path) -> None:
    spool, database = service / "spool", service / "store" / "p.db"
    with writing(spool) as writer:
        writer.append(answered("a"))
        ensure_flusher(spool)
        assert eventually(lambda: ids_in(database) == ["a-0"])
        database.parent.rename(service / "away")
        database.parent.mkdir()
        writer.append(answered("b"))
        assert eventually(lambda: ids_in(database) == ["b-0"])


def test_while_postgresql_is_stopped_all_wait_and_arrive_once_it_is_back(
    service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = service / "spool"
    with stoppable() as server:
        monkeypatch.setenv("NORIA_PREDICTIONS_URL", server.url)
        with writing(spool) as writer:
            writer.append(answered("before"))
            ensure_flusher(spool)
            assert eventually(lambda: ids(server.url) == ["before-0"])
            server.stop()
            for number in range(500):
                writer.append(answered(f"r{number}"))
            assert eventually(lambda: report(spool).error != "")
            assert eventually(lambda: report(spool).backlog_bytes > 50_000)
            server.start()
            assert eventually(lambda: len(ids(server.url)) == 501)
            assert eventually(lambda: report(spool).error == "")
        assert ids(server.url) == sorted(["before-0", *(f"r{number}-0" for number in range(500))])


def test_without_workers_and_store_it_ends_and_the_next_start_takes_what_is_left(
    service: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    spool, database = service / "spool", service / "store" / "p.db"
    with writing(spool) as writer:
        writer.append(answered("a"))
    database.parent.rmdir()
    failed = start()
    assert failed.wait(60) == 0
    assert failed.stderr is not None
    assert "unable to open database file" in failed.stderr.read()
    assert len(segments(spool)) == 1
    database.parent.mkdir()
    assert start().wait(60) == 0
    assert ids_in(database) == ["a-0"]
    assert segments(spool) == []


def test_sigterm_moves_what_is_there_and_ends(service: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    spool = service / "spool"
    slow = json.dumps({"spool": {"flush_interval_ms": 60_000}})
    with writing(spool) as writer:
        process = start(NORIA_SERVING=slow)
        assert eventually(lambda: read_heartbeat(spool) is not None and report(spool).flushed_at is not None)
        writer.append(answered("a"))
        process.terminate()
        assert process.wait(60) == 0
        assert ids_in(service / "store" / "p.db") == ["a-0"]


def test_what_a_damaged_segment_has_lost_is_told(service: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    spool = service / "spool"
    with writing(spool) as writer:
        writer.append(answered("a"))
        writer.append(answered("b"))
    [segment] = segments(spool)
    segment.write_bytes(segment.read_bytes()[:-10])
    assert start().wait(60) == 0
    assert report(spool).dead_letters == 1
    with sqlite3.connect(service / "store" / "p.db") as direct:
        [(kind, detail)] = direct.execute("select kind, detail from events").fetchall()
    assert kind == "corrupt"
    assert "bytes of 000000000001.segment" in detail
    assert ids_in(service / "store" / "p.db") == ["a-0"]


@pytest.mark.parametrize(
    ("missing", "said"),
    [("NORIA_PREDICTIONS_URL", "set NORIA_PREDICTIONS_URL"), ("NORIA_SERVICE_DIR", "set NORIA_SPOOL_DIR")],
)
def test_it_says_what_it_needs(
    service: Path, start: Callable[..., subprocess.Popen[str]], missing: str, said: str
) -> None:
    process = start(**{missing: ""})
    _, error = process.communicate(timeout=60)
    assert process.returncode != 0
    assert said in error
    assert "Traceback" not in error


def test_it_stays_light(service: Path) -> None:
    heavy = "{'pandas', 'sklearn', 'scipy', 'pyarrow', 'bentoml', 'onnxruntime', 'mlflow', 'zenml'}"
    code = f"""
import os, sys, threading
from pathlib import Path
from service.flusher.flusher_worker import FlusherWorker
FlusherWorker.of(Path(sys.argv[1]), os.environ, threading.Event()).run()
print({heavy} & set(sys.modules))
"""
    with writing(service / "spool") as writer:
        writer.append(answered("a"))
    command = [sys.executable, "-c", code, str(service / "spool")]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert ids_in(service / "store" / "p.db") == ["a-0"]
