"""What a run tells: what it found, to prove that both sides did the same work, and how long it took."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.overhead.clock import Clock
from noria.config.section import Section

if TYPE_CHECKING:
    from noria.evaluation.evaluate import Evaluation
    from noria.evaluation.promotion_gate import Verdict
    from noria.training.leaderboard import Leaderboard
    from noria.training.selection import Selection


class Outcome(Section):
    """What training found."""

    scores: dict[str, float]
    """Candidate → its cross-validated score after tuning."""
    chosen: str
    metrics: dict[str, float]
    """Metric → its value on the test rows."""
    promoted: str

    @classmethod
    def of(
        cls, leaderboard: "Leaderboard", selection: "Selection", evaluation: "Evaluation", verdict: "Verdict"
    ) -> "Outcome":
        """Everything that the same work must give again, and no timings."""
        return cls(
            scores={score.kind: score.mean for score in leaderboard.scores},
            chosen=selection.kind,
            metrics={name: metric.value for name, metric in evaluation.metrics.items()},
            promoted=verdict.promote,
        )


class Told(Section):
    """What a finished process tells of itself."""

    outcome: Outcome
    began: float
    """When Python and Noria's modules were loaded, in seconds since 1970."""
    ended: float
    """When the work was done."""
    left: float
    """When the process had told everything and was about to exit."""
    phases: dict[str, float]
    """Phase → seconds, from `began` to `ended`."""
    cpu: float
    """Seconds of all cores together, from the start of the process to `ended`."""


def finish(path: Path, began: float, clock: Clock, outcome: Callable[[], Outcome]) -> None:
    """Stop the clock, then look up the outcome and write everything to `path`."""
    phases, ended, cpu = clock.seconds(), time.time(), time.process_time()
    found = outcome()
    told = Told(outcome=found, began=began, ended=ended, left=time.time(), phases=phases, cpu=cpu)
    path.write_text(told.model_dump_json(), encoding="utf-8")
