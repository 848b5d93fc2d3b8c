"""The ways to keep an answer before it is sent. All of them pack an entry alike, and none has a reader meanwhile."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from noria.config.serving import SpoolConfig
from noria.predictions.spool.events import PredictionEvent
from noria.predictions.spool.flusher import Flusher
from noria.predictions.spool.group_commit import DONE
from noria.predictions.spool.writer import SpoolWriter

Durability = Literal["interval", "strict"]
INTERVAL_S = SpoolConfig().sync_interval_ms / 1000
_FILE = "answers.db"
_INSERT = "INSERT INTO answers (entry) VALUES (?)"
_NO_BOUND_MB = 1_000_000
_BUSY_S = 60.0
_CHUNK = 10_000
_pack = msgspec.msgpack.Encoder().encode


class Keeping(Protocol):
    """One worker's way to keep answers."""

    def keep(self, entry: PredictionEvent) -> Awaitable[None]:
        """Called on the event loop; what it returns resolves when the answer may be sent."""
        ...

    def close(self) -> None:
        """Keep what is left, and let go."""
        ...


class Nothing:
    """What the load itself costs."""

    def keep(self, _: PredictionEvent) -> Awaitable[None]:
        """Nothing is kept."""
        return DONE

    def close(self) -> None:
        """There is nothing."""


class Spooled:
    """Noria's spool, as the service uses it."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        self._writer = SpoolWriter(folder, SpoolConfig(durability=durability, max_mb=_NO_BOUND_MB))

    def keep(self, entry: PredictionEvent) -> Awaitable[None]:
        """One write; with `strict` a thread syncs for all who wait."""
        position = self._writer.offer(entry)
        return DONE if position is None else self._writer.durable(position)

    def close(self) -> None:
        """Sync once more."""
        self._writer.close()


class SqliteEach:
    """SQLite, a transaction per request, on the event loop."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        self._base = _opened(folder, durability)
        self._synced = _Synced(folder, durability)

    def keep(self, entry: PredictionEvent) -> Awaitable[None]:
        """Insert and commit."""
        self._base.execute(_INSERT, (_pack(entry),))
        return DONE

    def close(self) -> None:
        """Close the file."""
        self._synced.end()
        self._base.close()


class SqliteTurn:
    """SQLite, on the event loop: the requests of one turn of the loop share a transaction."""

    def __init__(self, folder: Path, durability: Durability, *, own: bool = False) -> None:
        """`own`: a file for each worker."""
        if own:
            folder = folder / f"worker-{os.getpid()}"
            folder.mkdir()
            prepare(folder)
        self._base = _opened(folder, durability)
        self._synced = _Synced(folder, durability)
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[PredictionEvent, asyncio.Future[None]]] = []

    def keep(self, entry: PredictionEvent) -> Awaitable[None]:
        """Wait for the end of the turn."""
        if not self._waiting:
            self._loop.call_soon(self._commit)
        future = self._loop.create_future()
        self._waiting.append((entry, future))
        return future

    def close(self) -> None:
        """Close the file."""
        self._synced.end()
        self._base.close()

    def _commit(self) -> None:
        due, self._waiting = self._waiting, []
        _insert(self._base, [entry for entry, _ in due])
        for _, future in due:
            future.set_result(None)


class SqliteThread:
    """SQLite, in a thread: all who wait when it begins a transaction share it."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        self._base = _opened(folder, durability)
        self._synced = _Synced(folder, durability)
        self._loop = asyncio.get_running_loop()
        self._turn = threading.Lock()
        self._waiting: list[tuple[PredictionEvent, asyncio.Future[None]]] = []
        self._there, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def keep(self, entry: PredictionEvent) -> Awaitable[None]:
        """Wait for the thread."""
        future = self._loop.create_future()
        with self._turn:
            self._waiting.append((entry, future))
        if not self._there.is_set():
            self._there.set()
        return future

    def close(self) -> None:
        """End the thread and close the file."""
        self._ended.set()
        self._there.set()
        self._thread.join()
        self._synced.end()
        self._base.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._there.wait()
            self._there.clear()
            with self._turn:
                due, self._waiting = self._waiting, []
            if due:
                _insert(self._base, [entry for entry, _ in due])
                self._loop.call_soon_threadsafe(_resolve, [future for _, future in due])


class SqliteLater:
    """SQLite, a transaction per interval, in a thread; nobody waits, so a killed process loses what it holds."""

    def __init__(self, folder: Path, _: Durability) -> None:
        self._base = _opened(folder, "strict")
        self._held: list[PredictionEvent] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def keep(self, entry: PredictionEvent) -> Awaitable[None]:
        """Hold it in memory."""
        self._held.append(entry)
        return DONE

    def close(self) -> None:
        """End the thread and close the file."""
        self._ended.set()
        self._thread.join()
        self._base.close()

    def _run(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._ended.wait(INTERVAL_S)
            due, self._held = self._held, []
            if due:
                _insert(self._base, due)


class QueueInSqlite:
    """persist-queue's SQLiteQueue, a file per worker: it is not made for several processes."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        from persistqueue import SQLiteQueue

        own = folder / f"worker-{os.getpid()}"
        self._queue = SQLiteQueue(str(own), auto_commit=True, multithreading=True, serializer=_Packing)
        if durability == "interval":  # it has no setting for this
            self._queue._putter.execute("PRAGMA synchronous=NORMAL")  # type: ignore[attr-defined]
        self._synced = _Synced(own, durability, "data.db-wal")

    def keep(self, entry: PredictionEvent) -> Awaitable[None]:
        """Insert and commit."""
        self._queue.put(entry)
        return DONE

    def close(self) -> None:
        """Close the file."""
        self._synced.end()
        self._queue.close()


class QueueInFiles:
    """persist-queue's Queue, a folder per worker: a kill loses nothing, a power cut what the system had not written."""

    def __init__(self, folder: Path, _: Durability) -> None:
        from persistqueue import Queue

        own = folder / f"worker-{os.getpid()}"
        own.mkdir()
        self._queue = Queue(str(own), chunksize=_CHUNK, tempdir=str(own), serializer=_Packing)

    def keep(self, entry: PredictionEvent) -> Awaitable[None]:
        """Append to a file, and replace another one that says how much is there."""
        self._queue.put(entry)
        return DONE

    def close(self) -> None:
        """Close the files."""
        del self._queue


@dataclass(frozen=True)
class Way:
    """One of them."""

    key: str
    title: str
    opened: Callable[[Path, Durability], Keeping]
    kept: Callable[[Path], int]
    """How many entries the folder holds."""
    durabilities: tuple[Durability, ...] = ("interval", "strict")
    promises: bool = True
    """Does it survive what the spool survives?"""
    shares: bool = False
    """Do requests share a commit?"""
    waits: bool = True
    """Does it make requests wait where it cannot follow, so that it can be asked as much as it takes?"""


def prepare(folder: Path) -> None:
    """Make the one file that all workers write to."""
    base = sqlite3.connect(folder / _FILE)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("CREATE TABLE answers (number INTEGER PRIMARY KEY, entry BLOB)")
    base.close()


def _opened(folder: Path, durability: Durability) -> sqlite3.Connection:
    base = sqlite3.connect(folder / _FILE, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    base.execute(f"PRAGMA synchronous={'FULL' if durability == 'strict' else 'NORMAL'}")
    return base


def _insert(base: sqlite3.Connection, entries: list[PredictionEvent]) -> None:
    base.execute("BEGIN IMMEDIATE")
    base.executemany(_INSERT, [(_pack(entry),) for entry in entries])
    base.execute("COMMIT")


def _resolve(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


class _Synced:
    """With `interval`, syncs SQLite's log as often as the spool is synced: SQLite alone does it at a checkpoint."""

    def __init__(self, folder: Path, durability: Durability, name: str = f"{_FILE}-wal") -> None:
        self._path = folder / name
        self._ended = threading.Event()
        if durability == "interval":
            threading.Thread(target=self._run, daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            try:
                handle = os.open(self._path, os.O_RDONLY)
            except FileNotFoundError:  # nobody has written yet
                continue
            os.fsync(handle)
            os.close(handle)


class _Packing:
    """persist-queue's serializer: as everybody packs, and with a length before it where several lie in a file."""

    loads = staticmethod(msgspec.msgpack.decode)

    @staticmethod
    def dumps(entry: Any) -> bytes:
        return _pack(entry)

    @staticmethod
    def dump(entry: Any, file: Any) -> None:
        packed = _pack(entry)
        file.write(len(packed).to_bytes(4, "little") + packed)

    @staticmethod
    def load(file: Any) -> Any:
        return msgspec.msgpack.decode(file.read(int.from_bytes(file.read(4), "little")))


class _Counting:
    def __init__(self) -> None:
        self.entries = 0

    def ingest(self, entries: Any) -> int:
        self.entries += sum(isinstance(entry, PredictionEvent) for entry in entries)
        return len(entries)


def _in_spool(folder: Path) -> int:
    found = _Counting()
    Flusher(folder, found).flush()
    return found.entries


def _in_sqlite(folder: Path) -> int:
    return _count(folder / _FILE, "answers")


def _in_own_sqlite(folder: Path) -> int:
    return sum(_count(own / _FILE, "answers") for own in folder.glob("worker-*"))


def _in_queue_files(folder: Path) -> int:
    return sum(msgspec.msgpack.decode((own / "info").read_bytes()[4:])["size"] for own in folder.glob("worker-*"))


def _in_queue_sqlite(folder: Path) -> int:
    return sum(_count(own / "data.db", "queue_default") for own in folder.glob("worker-*"))


def _count(path: Path, table: str) -> int:
    base = sqlite3.connect(path)
    (found,) = base.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    base.close()
    return int(found)


NOTHING = Way("nothing", "nothing kept", lambda _, __: Nothing(), lambda _: 0, promises=False)
SPOOL = Way("spool", "Noria's spool", Spooled, _in_spool)
_ALTERNATIVES = (
    Way("sqlite-each", "SQLite, commit per request", SqliteEach, _in_sqlite),
    Way("sqlite-turn", "SQLite, commit shared on the loop", SqliteTurn, _in_sqlite, shares=True),
    Way("sqlite-thread", "SQLite, commit shared in a thread", SqliteThread, _in_sqlite, shares=True),
    Way(
        "sqlite-own",
        "SQLite, a file per worker, commit shared on the loop",
        partial(SqliteTurn, own=True),
        _in_own_sqlite,
        shares=True,
    ),
    Way("queue-sqlite", "persist-queue, SQLiteQueue", QueueInSqlite, _in_queue_sqlite),
    Way("queue-files", "persist-queue, Queue", QueueInFiles, _in_queue_files, ("interval",), promises=False),
    Way(
        "sqlite-later",
        "SQLite, commit per 100 ms",
        SqliteLater,
        _in_sqlite,
        ("interval",),
        promises=False,
        shares=True,
        waits=False,
    ),
)
WAYS = (NOTHING, SPOOL, *_ALTERNATIVES)
QUEUES = ("queue-sqlite", "queue-files")
