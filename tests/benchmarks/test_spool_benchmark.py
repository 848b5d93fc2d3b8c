"""The spool benchmark: every way keeps what it says it keeps, and the goals compare what they name."""

import asyncio
import importlib.util
from pathlib import Path

import pytest

from benchmarks.spooled import report
from benchmarks.spooled.found import Case, Measured, Results
from benchmarks.spooled.measure import measure
from benchmarks.spooled.ways import NOTHING, QUEUES, SPOOL, WAYS, Durability, Way, prepare
from benchmarks.spooled.worker import Load

pytestmark = pytest.mark.slow

PAIRS = [(way, durability) for way in WAYS if way is not NOTHING for durability in way.durabilities]
PACED = Case(durability="strict", rows=1, paced=True)


@pytest.mark.parametrize(("way", "durability"), PAIRS, ids=lambda each: each.key if isinstance(each, Way) else each)
def test_every_way_keeps_what_it_says(way: Way, durability: Durability, tmp_path: Path) -> None:
    if way.key in QUEUES and not importlib.util.find_spec("persistqueue"):
        pytest.skip("persist-queue is not installed")
    prepare(tmp_path)

    async def keep() -> Load:
        keeping = way.opened(tmp_path, durability)
        load = Load(keeping, rows=2)
        await load.pace(rate=1000, seconds=0.05)
        await load.saturate(clients=3, seconds=0.02)
        keeping.close()
        return load

    load = asyncio.run(keep())
    assert load.refused == 0
    assert len(load.took) == way.kept(tmp_path) > 50


@pytest.mark.parametrize("paced", [True, False])
def test_workers_are_measured_together(tmp_path: Path, *, paced: bool) -> None:
    case = Case(durability="strict", rows=100, paced=paced)
    found = measure(SPOOL, case, 1, 0.2, tmp_path)
    assert found.entries_per_s > 0
    assert 0 < found.p50_ms <= found.p99_ms
    assert not list(tmp_path.iterdir())


def test_a_worker_that_fails_says_why(tmp_path: Path) -> None:
    broken = Way("no such way", "", SPOOL.opened, SPOOL.kept)
    with pytest.raises(RuntimeError, match="no such way"):
        measure(broken, PACED, 1, 0.2, tmp_path)


def results(**cpu_us: float) -> Results:
    measured = [
        Measured(
            way=way, round=1, case=PACED, entries_per_s=9_999, cpu_us=cpu, loop_us=cpu, p50_ms=1, p99_ms=2, refused=0
        )
        for way, cpu in {key.replace("_", "-"): cpu for key, cpu in cpu_us.items()}.items()
    ]
    return Results(
        date="today",
        machine={},
        versions={},
        rounds=1,
        seconds=1,
        workers=2,
        clients=32,
        sync_ms=0.1,
        stolen=0,
        missing="",
        measured=measured,
        to_store={},
    )


def test_goals_are_set_against_the_best_way_without_the_cost_of_the_load() -> None:
    found = results(nothing=10, spool=20, sqlite_each=50, sqlite_turn=35, queue_files=10.1)
    cpu, _, p99 = report.goals(found)
    assert cpu.times == {WAYS[2]: 4, WAYS[3]: 2.5}
    assert cpu.met is False
    assert "2.50 (SQLite, commit shared on the loop), goal at least 3: NOT MET; without" in cpu.said
    assert "4.00 (SQLite, commit per request)" in cpu.said
    assert set(p99.times.values()) == {1}
    assert next(report.goals(results(nothing=10, spool=20, sqlite_each=50))).met is True
    assert next(report.goals(results(nothing=10, spool=20))).met is None


def test_the_page_tells_which_ways_promise_less() -> None:
    page = report.page(results(nothing=10, spool=20, sqlite_each=50, queue_files=60))
    assert "| persist-queue, Queue * | 9,999 | 50.0 |" in page
    assert "| SQLite, commit per request | 9,999 | 40.0 |" in page
    assert "Goals: 1 of 3 met" not in page  # CPU and the loop are met, p99 is not
    assert "Goals: 2 of 3 met" in page
