"""What the service relies on when it keeps an answer before sending it."""

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from noria.predictions.spool.flusher import Flusher
from noria.predictions.spool.journal import Journal
from noria.predictions.spool.segments import segments, writers_live
from noria.predictions.spool.spool_errors import SpoolFailed, SpoolFull
from noria.predictions.spool.writer import SpoolWriter
from noria.system.workspace import PROJECT
from tests.errors_raised import raises
from tests.spool.spooled import Memory, answered, eventually, flushed, settings, small_disk, writing


def test_what_is_appended_comes_out_again_whole_and_in_order(tmp_path: Path) -> None:
    sent = [answered(f"r{n}", rows=n % 3 + 1, text="ü\x00\uffff\U0001f600" * n) for n in range(50)]
    with writing(tmp_path) as writer:
        positions = [writer.append(event) for event in sent]
    store = Memory()
    Flusher(tmp_path, store).flush()
    assert store.events == sent
    assert positions == sorted(set(positions))


def test_it_is_with_the_system_when_append_returns(tmp_path: Path) -> None:
    with writing(tmp_path, sync_interval_ms=10_000) as writer:
        writer.append(answered("a"))
        assert flushed(tmp_path) == ["a-0"]


def test_strict_waits_for_the_disk_and_many_wait_for_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = []
    real = os.fsync
    gate = threading.Event()

    def slow(handle: int) -> None:
        gate.wait(10)
        syncs.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fsync", slow)

    async def requests(writer: SpoolWriter) -> list[bool]:
        waiting = [asyncio.ensure_future(writer.durable(writer.append(answered(f"r{n}")))) for n in range(100)]
        await asyncio.sleep(0.05)
        before = [future.done() for future in waiting]
        gate.set()
        await asyncio.gather(*waiting)
        return before

    with writing(tmp_path, durability="strict") as writer:
        assert not any(asyncio.run(requests(writer)))
        assert len(syncs) < 20
        writer.wait_durable(writer.append(answered("last")), timeout=10)


def test_interval_does_not_wait_but_syncs_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda handle: synced.set())

    async def request(writer: SpoolWriter) -> None:
        await writer.durable(writer.append(answered("a")))

    with writing(tmp_path, sync_interval_ms=50) as writer:
        asyncio.run(request(writer))
        assert synced.wait(10)


def test_strict_says_when_the_disk_did_not_take_it_and_goes_on_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(handle: int) -> None:
        raise OSError(5, "Input/output error")

    async def request(writer: SpoolWriter, name: str) -> None:
        await writer.durable(writer.append(answered(name)))

    with writing(tmp_path, durability="strict") as writer:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", broken)
            with pytest.raises(SpoolFailed, match="Input/output error"):
                asyncio.run(request(writer, "a"))
            with pytest.raises(SpoolFailed, match="Input/output error"):
                writer.wait_durable(writer.append(answered("b")), timeout=10)
            assert "Input/output error" in writer.failing
        asyncio.run(request(writer, "c"))
        assert eventually(lambda: writer.failing == "")
    assert flushed(tmp_path) == ["a-0", "b-0", "c-0"]  # what was not synced is with the system all the same


def test_a_full_spool_is_refused_and_taken_again_when_there_is_room(tmp_path: Path) -> None:
    event = answered("a", text="x" * 100_000)
    with writing(tmp_path, max_mb=1) as writer:
        with pytest.raises(SpoolFull, match="1 MB wait for the prediction store") as caught:
            for _ in range(100):
                writer.append(event)
        assert "max_mb" in caught.value.fix
        assert 900_000 < writer.backlog_bytes <= 1_000_000
        assert len(flushed(tmp_path)) == 9
        assert eventually(lambda: writer.backlog_bytes == 0)
        assert not writer.full
        writer.append(event)


def test_an_entry_that_is_longer_than_the_bound_is_kept_when_nothing_waits(tmp_path: Path) -> None:
    event = answered("a", text="x" * 1_500_000)
    with writing(tmp_path, max_mb=1) as writer:
        writer.append(event)
        assert writer.full
        with pytest.raises(SpoolFull):
            writer.append(answered("b"))
        assert flushed(tmp_path) == ["a-0"]


def test_the_bound_is_on_all_writers_together_and_holds_after_a_restart(tmp_path: Path) -> None:
    event = answered("a", text="x" * 300_000)
    with writing(tmp_path, max_mb=1) as first, writing(tmp_path, max_mb=1) as second:
        for _ in range(3):
            first.append(event)
        assert eventually(lambda: second.backlog_bytes > 900_000)
        with pytest.raises(SpoolFull):
            second.append(event)
    with writing(tmp_path, max_mb=1) as third, pytest.raises(SpoolFull):
        third.append(event)


def test_refuse_and_drop(tmp_path: Path) -> None:
    event = answered("a", text="x" * 600_000)
    with writing(tmp_path / "r", max_mb=1, when_full="refuse") as refusing:
        assert refusing.offer(event) is not None
        with pytest.raises(SpoolFull):
            refusing.offer(event)
        assert refusing.dropped == 0
    with writing(tmp_path / "d", max_mb=1, when_full="drop") as dropping:
        assert [dropping.offer(event) is None for _ in range(3)] == [False, True, True]
        assert dropping.dropped == 2
        assert flushed(tmp_path / "d") == ["a-0"]
        assert eventually(lambda: dropping.backlog_bytes == 0)
        assert dropping.offer(answered("b")) is not None
    store = Memory()
    Flusher(tmp_path / "d", store).flush()
    assert store.ids == ["b-0"]
    assert [(event.kind, event.count) for event in store.audit_events] == [("dropped", 2)]
    assert "full" in store.audit_events[0].detail


_LIMITED = """
import resource, sys, time
from pathlib import Path
from noria.predictions.spool.spool_errors import SpoolFailed
from noria.predictions.spool.writer import SpoolWriter
from tests.spool.spooled import answered, settings
writer = SpoolWriter(Path(sys.argv[1]), settings())
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
number, failed = 0, 0
while failed < 3:
    number += 1
    try:
        writer.append(answered(f"r{number}", text="x" * 700))
        print(f"r{number}-0", flush=True)
    except SpoolFailed as error:
        failed += 1
        assert writer.failing == "File too large", writer.failing
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
writer.append(answered("after"))
print("after-0", flush=True)
while writer.failing:
    time.sleep(0.05)
"""


def test_an_entry_that_does_not_fit_on_the_disk_leaves_no_half(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    said = done.stdout.split()
    store = Memory()
    report = Flusher(tmp_path, store).flush()
    assert store.ids == said
    assert said[-1] == "after-0"
    assert report.dead_letters == []


def test_a_disk_that_the_spool_has_filled_is_freed_by_reading(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "256k") as disk, writing(disk / "spool") as writer:
        kept: list[str] = []
        with pytest.raises(SpoolFailed, match="No space left on device"):
            for number in range(10_000):
                writer.append(answered(f"r{number}", text="x" * 700))
                kept.append(f"r{number}-0")
        assert writer.failing == "No space left on device"
        assert flushed(disk / "spool") == kept  # though there is no room to say how far it is
        assert eventually(lambda: _room(writer, disk / "spool"))
        assert eventually(lambda: writer.failing == "")  # without another request: they may wait until it is ready
        assert flushed(disk / "spool") == ["again-0"]


def _room(writer: SpoolWriter, folder: Path) -> bool:
    flushed(folder)
    try:
        writer.append(answered("again"))
    except SpoolFailed:
        return False
    return True


def test_segments_follow_each_other_by_size_not_by_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noria.predictions.spool.journal.SEGMENT_BYTES", 1_000)
    hour = iter(range(100, 0, -1))
    monkeypatch.setattr(time, "time", lambda: 3600.0 * next(hour))  # the clock goes back with every look
    sent = [f"r{number}-0" for number in range(40)]
    with writing(tmp_path) as writer:
        for number in range(40):
            writer.append(answered(f"r{number}", at=time.time()))
            for path in segments(tmp_path):
                os.utime(path, (0, 0))
        assert len(segments(tmp_path)) > 3
    assert flushed(tmp_path) == sent


def test_a_writer_that_is_idle_leaves_its_segment_once_it_is_read(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        writer.append(answered("a"))
        store = Memory()

        def gone() -> bool:
            Flusher(tmp_path, store).flush()
            return segments(tmp_path) == []

        assert eventually(gone)
        writer.append(answered("b"))
    Flusher(tmp_path, store).flush()
    assert store.ids == ["a-0", "b-0"]


def test_while_nobody_reads_a_segment_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noria.predictions.spool.journal._MIN_SEGMENT_AGE_S", 0.0)
    journal = Journal(tmp_path)
    for number in range(10):
        journal.append(b"x" * number)
        assert not journal.tidy()
    assert len(segments(tmp_path)) == 1


def test_several_threads_and_writers_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noria.predictions.spool.journal.SEGMENT_BYTES", 5_000)
    store = Memory()
    ended = threading.Event()

    def flush() -> None:
        while not ended.is_set():
            Flusher(tmp_path, store).flush()

    def append(writer: SpoolWriter, name: str) -> None:
        for number in range(300):
            writer.append(answered(f"{name}{number}"))

    reader = threading.Thread(target=flush)
    reader.start()
    with writing(tmp_path) as one, writing(tmp_path, durability="strict") as two:
        pairs = [(one, "a"), (two, "b"), (one, "c"), (two, "d")]
        jobs = [threading.Thread(target=append, args=pair) for pair in pairs]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    ended.set()
    reader.join()
    Flusher(tmp_path, store).flush()
    assert sorted(store.ids) == sorted(f"{name}{number}-0" for name in "abcd" for number in range(300))


def remove(spool: Path) -> None:
    shutil.rmtree(spool)


def move(spool: Path) -> None:
    spool.rename(spool.with_name("moved"))


def unlink_segments(spool: Path) -> None:
    for path in segments(spool):
        path.unlink()


@pytest.mark.parametrize("durability", ["interval", "strict"])
@pytest.mark.parametrize("lose", [remove, move, unlink_segments])
def test_what_was_appended_to_a_folder_that_is_gone_is_written_again(
    lose: Callable[[Path], None], durability: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    with writing(spool, durability=durability) as writer:
        for number in range(50):
            writer.append(answered(f"a{number}"))
        lose(spool)
        for number in range(50):
            writer.wait_durable(writer.append(answered(f"b{number}")), 10)
        expected = sorted(f"{name}{number}-0" for name in "ab" for number in range(50))
        store = Memory()

        def has_all() -> bool:
            if spool.is_dir():
                Flusher(spool, store).flush()
            return sorted(set(store.ids)) == expected

        assert eventually(has_all, 10)
        assert eventually(lambda: writers_live(spool), 10), "no flusher would know that somebody writes"
        assert writer.failing == ""


def test_an_idle_writer_makes_the_folder_anew(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with writing(spool) as writer:
        writer.append(answered("a"))
        shutil.rmtree(spool)
        assert eventually(spool.is_dir)
        assert eventually(lambda: flushed(spool) == ["a-0"])


def test_while_there_can_be_no_folder_nothing_is_taken_and_later_nothing_is_lost(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with writing(spool) as writer:
        writer.append(answered("a"))
        shutil.rmtree(spool)
        spool.write_text("a file")
        assert eventually(lambda: bool(writer.failing))
        with pytest.raises(SpoolFailed):
            writer.append(answered("b"))
        spool.unlink()
        assert eventually(lambda: not writer.failing)
        writer.append(answered("c"))
        assert eventually(lambda: len(segments(spool)) > 0)
    assert {"a-0", "c-0"} <= set(flushed(spool))


def test_what_is_kept_is_not_for_others_to_read(tmp_path: Path) -> None:
    with writing(tmp_path / "spool") as writer:
        writer.append(answered("a"))
        modes = {path.stat().st_mode & 0o077 for path in [tmp_path / "spool", *segments(tmp_path / "spool")]}
        assert modes == {0}


def test_a_closed_writer_and_a_folder_that_cannot_be(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "spool", settings())
    writer.close()
    writer.close()
    with pytest.raises(SpoolFailed, match="closed"):
        writer.append(answered("a"))
    (tmp_path / "file").write_text("")
    with raises("spool.unwritable") as caught:
        SpoolWriter(tmp_path / "file" / "spool", settings())
    assert "NORIA_SPOOL_DIR" in caught.value.fix


def test_a_worker_loads_nothing_heavy_for_it() -> None:
    heavy = "{'pandas', 'numpy', 'sklearn', 'pydantic', 'sqlalchemy', 'bentoml'}"
    modules = "noria.predictions.spool.writer, service.flusher.flusher_launcher"
    code = f"import sys, {modules}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
