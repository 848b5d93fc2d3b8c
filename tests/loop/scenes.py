"""Evidence, verdicts and journals for the tests of the loop."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from noria.loop import Evidence, ExpectedGain, Journal
from noria.monitoring.results import MetricChange, PerformanceResult
from noria.monitoring.verdict import MonitoringVerdict

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


def evidence(verdict: str = "retrain", **more: Any) -> Evidence:
    known = {"at": NOW, "version": "1", "confident": True, "reasons": ["It is worse."], "new_data": True}
    return Evidence(verdict=verdict, **(known | more))


def gain(total: float, low: float | None = None) -> ExpectedGain:
    return ExpectedGain(total=total, low=total / 2 if low is None else low, high=2 * total, why="so it was measured")


def worth(now: float, before: float = 1000.0) -> MetricChange:
    return MetricChange(
        name="worth",
        now=now,
        low=now - 50,
        high=now + 50,
        before=before,
        worse_by=before - now,
        beyond_chance=now + 50 < before,
    )


def verdict(
    level: str = "retrain", version: str = "1", balance: MetricChange | None = None, **more: Any
) -> MonitoringVerdict:
    performance = PerformanceResult(
        labels=500, unusable=0, waiting=0, overdue=0, metric=None, worth=balance, target=None
    )
    return MonitoringVerdict(
        use_case="churn",
        version=version,
        at=NOW,
        since=NOW - timedelta(days=30),
        verdict=level,
        confident=True,
        reasons=["It is worse."],
        next_action="Train again.",
        next_command="python run.py cycle",
        drift=None,
        performance=performance,
        **more,
    )


def journal(folder: Path, clock: Clock | None = None) -> Journal:
    return Journal(folder / "loop" / "journal.jsonl", clock or Clock())
