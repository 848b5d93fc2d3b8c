"""A short run of `benchmarks/endurance.py`: workers killed, the store locked, a new model, and nothing lost."""

from pathlib import Path

import pytest

from benchmarks.endured import report, stores
from benchmarks.endured.measure import Times, endure
from tests.service.endured import small_bundle

pytestmark = pytest.mark.e2e
_TIMES = Times(load=25.0, saturation=2.0, kill_every=7.0, outage=6.0, flush=120.0)


def test_nothing_is_lost_while_workers_die_the_store_stops_and_a_new_model_comes(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "bundle")
    with stores.sqlite(tmp_path / "predictions.db") as store:
        found = endure(tmp_path, bundle, store, _TIMES, workers=2, say=lambda _: None)
    assert [goal for goal, met in report.goals(found, memory=False).items() if not met] == []
    assert found.answered > 100
    done = [event.what.partition(" ")[0] for event in found.events]
    assert done.count("killed") >= 2
    assert {"store", "new"} <= set(done)
