"""A model for each period, all of one recipe: what any way to retrain could have put into service."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.champion_trial import fit_again
from noria.evaluation.scored_predictions import score_rows
from noria.loop.backtest import case_worth
from noria.loop.replay.schedule import Schedule, utc_stamps
from noria.system import progress

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PeriodModels:
    """p models, the one of period `s` learned when it began, and their answers on n cases."""

    period: NDArray[np.intp]
    """(n,) the period in which each case is asked about."""
    truth: Floats
    """(n,) binary: 1 for the positive class; otherwise the number, or the class's place."""
    scores: Floats
    """(p, n) what each model answered; NaN before it was learned, and where it could not answer."""
    worth: Floats
    """(p, n) what its decision on each case brings in, in `problem.unit`; NaN as above."""
    labels: NDArray[np.intp]
    """(p,) labels that each model learned."""

    @property
    def periods(self) -> int:
        """How many periods there are."""
        return len(self.labels)

    def by_period(self) -> Floats:
        """(p, p) what each model brings in during each period; NaN before it was learned."""
        found = np.full((self.periods, self.periods), np.nan)
        for model in range(self.periods):
            cases = np.nan_to_num(self.worth[model])
            found[model, model:] = np.bincount(self.period, cases, self.periods)[model:]
        return found


def fit_models(
    first: Bundle,
    recipe: Bundle,
    table: pd.DataFrame,
    schedule: Schedule,
    use_case: UseCase,
    *,
    starts: list[datetime],
) -> PeriodModels:
    """Fit a recipe again when each later period begins, on all labels known by then.

    Args:
        first: the model of the first period.
        recipe: the model whose recipe is used: the first, or another one where rules are the first.
        table: the rows that it learned from.
        schedule: n binary or regression cases that are asked about afterwards.
        use_case: the use case.
        starts: (p,) when each period begins (UTC).

    Raises:
        NoriaError: the recipe cannot be fitted, or a model cannot answer.
    """
    moments = utc_stamps(starts)
    period = np.clip(np.searchsorted(moments, schedule.asked, side="right") - 1, 0, None)
    count, cases = len(starts), len(schedule)
    scores, worth = np.full((count, cases), np.nan), np.full((count, cases), np.nan)
    labels = np.zeros(count, dtype=np.intp)
    for place in range(count):
        known = schedule.frame[schedule.known <= moments[place]] if place else schedule.frame[:0]
        rows = pd.concat([table, known], ignore_index=True) if len(known) else table
        progress.tick(f"model {place + 1} of {count}: {len(rows):,} rows")
        model = first if place == 0 else fit_again(recipe, rows, use_case)
        asked = np.flatnonzero(period >= place)
        if not asked.size:
            continue
        scored = score_rows(model, schedule.frame.iloc[asked].reset_index(drop=True), use_case)
        answered = asked[scored.places]
        scores[place, answered], worth[place, answered] = scored.scores, case_worth(scored)
        labels[place] = len(rows)
    progress.stage("models", f"{count} models with the same recipe, one for each period")
    return PeriodModels(period, truth_of(schedule.frame, use_case), scores, worth, labels)


def truth_of(frame: pd.DataFrame, use_case: UseCase) -> Floats:
    """(n,) the labels as numbers: 1 for the positive class, or the number itself."""
    target = frame[use_case.data.target]
    if use_case.problem.task == "binary":
        return np.asarray(target.astype(str) == str(use_case.problem.positive)).astype(np.float64)
    return target.to_numpy(dtype=np.float64)
