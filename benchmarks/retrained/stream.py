"""A stream as those who decide about retraining see it: what is known at each look, and what everything brought in."""

from dataclasses import dataclass

import numpy as np

from benchmarks.retrained.cases import Case
from benchmarks.retrained.models import worth_matrix
from noria.loop.trial_history import TrialHistory


@dataclass(frozen=True)
class Stream:
    """What models brought in, by the period at whose start they had learned and the period of the cases."""

    worth: np.ndarray
    """(periods, periods) of all cases; NaN before the model was learned."""
    worth_known: np.ndarray
    """(periods, periods) of the cases whose label is known when their period ends."""
    cases: np.ndarray
    """(periods,) cases."""
    cases_known: np.ndarray
    """(periods,) cases whose label is known when their period ends."""
    labels: np.ndarray
    """(periods,) labels known at the start of each period."""

    @property
    def periods(self) -> int:
        """How many periods there are."""
        return len(self.cases)

    def history(self, now: int, champion: int) -> TrialHistory:
        """What is known at the start of period `now`: of the newest period only the labels that came in time."""
        counts, brought = self.cases[:now].astype(float), self.worth[:now, :now].copy()
        if now:
            counts[-1], brought[:, -1] = self.cases_known[now - 1], self.worth_known[:now, now - 1]
        return TrialHistory(brought / np.maximum(counts, 1), counts, self.labels[: now + 1].astype(float), champion)

    def since(self, start: int) -> "Stream":
        """The stream as it is for a service that begins at a later period."""
        return Stream(
            self.worth[start:, start:],
            self.worth_known[start:, start:],
            self.cases[start:],
            self.cases_known[start:],
            self.labels[start:],
        )


def stream_of(case: Case, found: np.ndarray) -> Stream:
    """The stream of a case with the scores of its models."""
    periods = np.arange(case.periods)
    in_time = case.known <= case.period + 1
    seen = Case(**(vars(case) | {"period": np.where(in_time, case.period, -1)}))
    return Stream(
        worth_matrix(case, found),
        worth_matrix(seen, found),
        np.array([(case.period == each).sum() for each in periods]),
        np.array([(seen.period == each).sum() for each in periods]),
        np.array([(case.known <= each).sum() for each in periods]),
    )
