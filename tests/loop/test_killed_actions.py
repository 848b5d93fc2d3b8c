"""A process that is killed at any place of an action, and started again, ends where one ends that was not."""

import multiprocessing
import signal
from pathlib import Path
from typing import NamedTuple

import pytest
from world import Service, Trainer, turn

from noria.loop import Journal, LoopState

_MOST_TURNS = 20
_PROCESSES = multiprocessing.get_context("fork")


class End(NamedTuple):
    """Where a service and its loop have come to."""

    champion: str
    registered: str
    variants: int
    trainings: int
    outcomes: list[tuple[str, str]]


def end_of(folder: Path, how: tuple[str, str, str], *, kill_at: int = 0) -> tuple[End, int]:
    """Look again and again, each time in a new process, until nothing is left to do; and how many were killed."""
    folder.mkdir()
    killed = 0
    for _ in range(_MOST_TURNS):
        process = _PROCESSES.Process(target=turn, args=(folder, kill_at, *how))
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        killed += process.exitcode != 0
        if (folder / "at rest").exists():
            break
    else:
        raise AssertionError("it does not come to rest")
    service = Service(folder, fails=how[1] == "fails")
    plan, actions = service.plan(), LoopState.of(Journal(folder / "journal.jsonl")).actions
    outcomes = [(each.name, each.outcome) for each in actions]
    trainings = len(Trainer(folder).trained)
    return End(plan.champion.version, service.registered, len(plan.variants), trainings, outcomes), killed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (("challenger", "goes well", "retrain"), End("2", "2", 1, 1, [("retrain", "done"), ("introduce", "done")])),
        (("challenger", "fails", "retrain"), End("1", "1", 1, 1, [("retrain", "done"), ("introduce", "lost")])),
        (("none", "goes well", "retrain"), End("1", "1", 1, 1, [("retrain", "lost")])),
        (("none", "goes well", "roll_back"), End("0", "0", 1, 0, [("roll_back", "done")])),
        (("none", "goes well", "fall_back_to_rules"), End("rules", "rules", 1, 0, [("fall_back_to_rules", "done")])),
    ],
    ids=["new champion", "failing canary", "lost retraining", "rollback", "rules"],
)
def test_a_kill_between_any_two_steps_changes_nothing_of_the_end(
    tmp_path: Path, how: tuple[str, str, str], expected: End
) -> None:
    assert end_of(tmp_path / "untouched", how) == (expected, 0)
    points = int((tmp_path / "untouched" / "points").read_text())
    for kill_at in range(1, points + 1):
        end, killed = end_of(tmp_path / str(kill_at), how, kill_at=kill_at)
        assert (end, killed) == (expected, 1), f"killed at place {kill_at} of {points}"
