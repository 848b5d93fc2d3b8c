"""`kill -9` of a process that answers: what it acknowledged is there, once."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from noria.predictions import PredictionStore
from noria.predictions.spool.flusher import Flusher
from noria.predictions.spool.offsets import waiting_bytes
from noria.system.workspace import PROJECT
from tests.spool.spooled import ids_in

pytestmark = pytest.mark.slow

_ANSWERS = """
import asyncio, sys
from pathlib import Path
from noria.predictions.spool.writer import SpoolWriter
from tests.spool.spooled import answered, settings

async def serve(name, durability):
    writer = SpoolWriter(Path(sys.argv[1]), settings(durability=durability, sync_interval_ms=5))
    number = 0
    while True:
        number += 1
        await writer.durable(writer.append(answered(f"{name}{number}", rows=2)))
        sys.stdout.write(f"{name}{number}-0 {name}{number}-1\\n")
        sys.stdout.flush()

asyncio.run(serve(sys.argv[2], sys.argv[3]))
"""


@pytest.mark.parametrize("durability", ["interval", "strict"])
def test_every_acknowledged_entry_arrives_once(
    tmp_path: Path, durability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, database = tmp_path / "spool", tmp_path / "p.db"
    store = PredictionStore(f"sqlite:///{database}")
    spool.mkdir()
    said: set[str] = set()
    for life in "abc":
        command = [sys.executable, "-c", _ANSWERS, str(spool), life, durability]
        log = tmp_path / life
        with log.open("w") as output:
            process = subprocess.Popen(command, cwd=PROJECT, stdout=output)
            while log.stat().st_size < 20_000 and process.poll() is None:
                Flusher(spool, store).flush()  # as the flusher does meanwhile
                time.sleep(0.01)
            process.kill()
            assert process.wait(10) == -signal.SIGKILL
        said |= {
            each for line in log.read_text().splitlines(keepends=True) if line.endswith("\n") for each in line.split()
        }
    done = Flusher(spool, store).flush()
    kept = ids_in(database)
    assert len(said) > 1000
    assert said <= set(kept)
    assert len(kept) == len(set(kept))
    assert len(set(kept) - said) <= 2 * 3  # answered, but killed before it could say so
    assert (done.dead_letters, waiting_bytes(spool)) == ([], 0)
