"""Short trials of `benchmarks/endurance.py`: one fault at a time under load, and nothing lost."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.endured import stores, trials
from benchmarks.endured.trials import Field, Slow, Trial, TrialTimes
from tests.service.endured import small_bundle

pytestmark = pytest.mark.e2e
_TIMES = TrialTimes(saturation=1.0, usual=1.0, fault=2.5, after=2.5, flush=60.0, kill_every=1.0)
_SLOW = Slow(half_open=0, trickling=20, trickle_s=1.0)
_PLACES = 512
"""Requests that both workers together work on at once, by default."""
_RATE = 200.0


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """A service with two workers and a disk of its own for its spool."""
    folder = tmp_path_factory.mktemp("faults")
    bundle = small_bundle(folder / "bundle")
    with (
        stores.sqlite(folder / "predictions.db") as store,
        trials.running(folder, bundle, store, _TIMES, workers=2, slow=_SLOW, disk_mb=32) as running,
    ):
        yield running


def attempt(key: str, field: Field) -> Trial:
    """One trial, which must have had something to lose, and lost nothing."""
    trial = trials.attempt(key, field, _RATE)
    assert trial.answered > 200
    # times are told by the benchmark, on a machine that does nothing else
    assert [goal for goal, met in trial.goals.items() if not met and "p99" not in goal] == []
    return trial


def test_nothing_is_lost_or_twice_when_flushers_are_killed(field: Field) -> None:
    assert "0 flushers killed" not in attempt("flushers", field).done


def test_nothing_is_lost_or_twice_when_the_whole_service_is_killed(field: Field) -> None:
    assert attempt("service", field).cut > 0


def test_what_is_answered_after_the_database_was_removed_is_in_the_new_one(field: Field) -> None:
    assert attempt("database", field).by_nature > 0


def test_a_full_disk_refuses_what_it_cannot_keep_and_loses_nothing(field: Field) -> None:
    assert attempt("disk", field).refused["503"] > 0


@pytest.mark.parametrize(
    "half_open",
    [100, _PLACES + 188],
)
def test_others_are_answered_beside_slow_and_half_open_clients(field: Field, half_open: int) -> None:
    trial = attempt("slow", replace(field, slow=replace(_SLOW, half_open=half_open)))
    assert f"{half_open} half-open" in trial.done


def test_what_is_answered_after_the_spool_was_removed_is_in_the_store(field: Field) -> None:
    assert attempt("spool", field).last_answers > 0
