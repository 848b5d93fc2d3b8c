"""The history survives what happens to files."""

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from listening import listen

from noria.monitoring import verdict_history
from noria.monitoring.results import PerformanceResult
from noria.monitoring.verdict import MonitoringVerdict
from tests.errors_raised import raises
from tests.monitoring.served import NOW


def verdict(version: str) -> MonitoringVerdict:
    return MonitoringVerdict(
        use_case="telco_churn",
        version=version,
        at=NOW,
        since=NOW - timedelta(days=30),
        verdict="ok",
        confident=False,
        reasons=["It is too early to tell: “Ähm”\u2028"],
        next_action="Wait.",
        next_command="true",
        drift=None,
        performance=PerformanceResult(labels=0, unusable=0, waiting=0, overdue=0, metric=None, worth=None, target=None),
    )


def versions(file: Path) -> list[str]:
    return [found.version for found in verdict_history.read(file)]


def test_verdicts_come_back_as_they_were_and_in_order(tmp_path: Path) -> None:
    file = tmp_path / "new" / "history.jsonl"
    assert verdict_history.read(file) == []
    for version in "123":
        verdict_history.append(file, verdict(version))
    assert verdict_history.read(file) == [verdict(version) for version in "123"]


def test_a_line_that_a_crash_cut_short_costs_that_line_only(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    for version in "12":
        verdict_history.append(file, verdict(version))
    file.write_bytes(file.read_bytes()[:-40])
    heard: list[str] = []
    listen(lambda kind, text: heard.append(f"{kind}: {text}"))

    assert versions(file) == ["1"]
    assert heard == [f"warn: 1 unreadable line(s) in {file} left out"]
    verdict_history.append(file, verdict("3"))
    assert versions(file) == ["1", "3"]


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    threads = [threading.Thread(target=verdict_history.append, args=(file, verdict(str(i)))) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions(file), key=int) == [str(i) for i in range(20)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").symlink_to("/dev/full")
    with raises("monitoring.history_unwritable", "No space left"):
        verdict_history.append(tmp_path / "history.jsonl", verdict("1"))
    assert os.path.lexists(tmp_path / "history.jsonl")
