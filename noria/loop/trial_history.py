"""What models of different age have brought in on the same cases: the ground on which a retraining is decided."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.system.errors import NoriaError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrialHistory:
    """Models with the champion's recipe, each learned at the start of a period, judged on the labels of later ones.

    At each look one more model is fitted for trial on the labels known when the newest period with labels began. It is
    judged on that period, beside the champion and the trials before it. All of them decide the same cases, so that what
    differs between them is due to their age, and not to the cases.

    >>> history = TrialHistory(
    ...     worth=np.array([[0.70, 0.66], [np.nan, 0.69]]),
    ...     cases=np.array([1000.0, 1200.0]),
    ...     labels=np.array([5000.0, 6000.0, 7200.0]),
    ...     champion=0,
    ... )
    >>> history.periods
    2
    """

    worth: Floats
    """(periods, periods) mean worth of a case in period `t` as the model learned at the start of period `s` decides it,
    at `worth[s, t]`, in `problem.unit`; NaN where there was no such model or it was not judged."""
    cases: Floats
    """(periods,) cases with a label in each period."""
    labels: Floats
    """(periods + 1,) labels known at the start of each period; the last: now."""
    champion: int
    """The period at whose start the champion had learned."""

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        periods = len(self.cases)
        if self.worth.shape != (periods, periods) or len(self.labels) != periods + 1:
            raise _unfit("its parts are of different lengths")
        if np.isinf(self.worth).any() or not np.isfinite(self.cases).all() or not np.isfinite(self.labels).all():
            raise _unfit("a worth or a count is not finite")
        if (self.cases < 0).any() or (self.labels < 1).any() or (np.diff(self.labels) < 0).any():
            raise _unfit("counts of cases are negative, or known labels become fewer")
        if np.isfinite(self.worth[np.tri(periods, k=-1, dtype=bool)]).any():
            raise _unfit("a model is judged on a period that had ended before it was learned")
        if not 0 <= self.champion <= periods:
            raise _unfit(f"the champion's period {self.champion} is not among the {periods} periods")

    @property
    def periods(self) -> int:
        """How many periods have ended."""
        return len(self.cases)

    @property
    def compared(self) -> NDArray[np.int_]:
        """The periods with cases in which two models or more were judged."""
        several = np.isfinite(self.worth).sum(axis=0) > 1
        return np.flatnonzero(several & (self.cases > 0))


def _unfit(what: str) -> NoriaError:
    return NoriaError(
        f"the history of trials does not fit together: {what}",
        code="loop.history",
        fix="give a square matrix of worth per case, with one count of cases per period and one of labels more",
    )
