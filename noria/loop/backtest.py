"""What newer models would have brought in: trials with the champion's recipe, judged on the cases that came after.

Each trial learns what was known when a period began, and decides the cases of that period and the later ones, beside
the champion. All decide the same cases, so that what differs between them is due to their age.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.config import UseCase
from noria.config.loop import LoopConfig
from noria.evaluation.champion_trial import fit_again
from noria.evaluation.scored_predictions import ScoredPredictions, score_rows
from noria.loop.evidence import ExpectedGain
from noria.loop.retraining_gain import decide_retraining
from noria.loop.trial_history import TrialHistory
from noria.metrics.decision_value import binary_worth, multiclass_worth, regression_worth
from noria.system import progress
from noria.tabular.types import without_zone

Floats = NDArray[np.float64]
FEWEST_CASES = 50
"""Cases of a period that a comparison needs."""
_MOST_KEPT = 104
"""Periods of earlier looks that are looked at again."""
FEWEST_KNOWN = 200
"""Cases with a label that a trial needs to learn from."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUANTILE = 1.96
"""Of the normal distribution, for an interval of 95 %."""


@dataclass(frozen=True)
class Backtest:
    """The champion and its trials on the newest p periods whose labels are known."""

    starts: tuple[datetime, ...]
    """When each period began (UTC)."""
    length: timedelta
    """Of a period."""
    worth: Floats
    """(p, p) mean worth of a case of period `t`, decided by the model learned when period `s` began, at `worth[s, t]`,
    in `problem.unit`; NaN where it was not judged."""
    cases: Floats
    """(p,) cases with a label in each period."""
    labels: Floats
    """(p + 1,) labels known when each period began; the last: at the end of the newest."""
    champion: int
    """The period at whose start the champion had learned, a row of `worth`; p: it knows all of them."""
    lead: tuple[float, float]
    """What the newest trial brings in per case more than the champion in the newest period, and its standard error."""
    fits: int
    """How many models were fitted for trial."""


@dataclass
class TrialCache:
    """Trials of earlier looks, so that each period costs one fit in a process that goes on."""

    models: dict[datetime, Bundle] = field(default_factory=dict)
    """When a period began → the model that was learned then."""
    brought: dict[tuple[str, datetime, datetime, int], Floats] = field(default_factory=dict)
    """Version, start of its period, start of the judged period, cases → what the decisions on them brought in."""

    def reach(self, newest: datetime, length: timedelta, most: int) -> int:
        """How many periods to look at: those of earlier looks, too."""
        oldest = min(self.models, default=newest)
        return max(most, min((newest - oldest) // length + 1, _MOST_KEPT))


def backtest(
    champion: Bundle,
    table: pd.DataFrame,
    use_case: UseCase,
    now: datetime,
    *,
    length: timedelta,
    most: int = 6,
    cache: TrialCache | None = None,
) -> Backtest | None:
    """Judge the champion and trials with its recipe on the newest periods.

    Args:
        champion: what is in service.
        table: n validated rows with their target; `data.time` tells when each case happened.
        use_case: gives the delay of labels and the worth of decisions.
        now: the moment of asking, with a zone; what was not known by then is not used.
        length: of a period.
        most: periods that are looked at, at most; each costs a fit.
        cache: trials of earlier looks; they are not fitted again, and their periods are looked at, too.

    Returns:
        None if this cannot be compared: the cases have no time, the champion is no fitted model or knows the newest
        period, or too few cases are labelled.

    Raises:
        NoriaError: the recipe cannot be fitted, or a model cannot answer the cases.
    """
    times, learned_until = _times(table, use_case), _learned_until(champion)
    if times is None or learned_until is None:
        return None
    delay = timedelta(days=use_case.problem.label_delay_days)
    cache = cache or TrialCache()
    newest_start = _periods(now - delay, length, 1)[0]
    starts = _periods(now - delay, length, cache.reach(newest_start, length, most))
    first = next((place for place, start in enumerate(starts) if _plain(start) > learned_until), len(starts))
    parts = [table[(times >= _plain(start)) & (times < _plain(start + length))] for start in starts]
    known = [table[times < _plain(start - delay)] for start in starts]
    if first >= len(starts) - 1 or len(parts[-1]) < FEWEST_CASES or len(known[-1]) < FEWEST_KNOWN:
        return None
    models, fits = {first: champion}, 0
    for place, start in enumerate(starts):
        if place != first and start in cache.models:
            models[place] = cache.models[start]
        elif place > first and len(known[place]) >= FEWEST_KNOWN:
            progress.tick(f"trial of {start:%Y-%m-%d}: {len(known[place]):,} rows")
            models[place] = cache.models[start] = fit_again(champion, known[place].reset_index(drop=True), use_case)
            fits += 1
    brought = {}
    for place, period in ((s, t) for s in sorted(models) for t in range(s, len(starts))):
        if len(parts[period]) >= FEWEST_CASES:
            version = champion.manifest.version if place == first else ""
            key = version, starts[place], starts[period], len(parts[period])
            if key not in cache.brought:
                rows = parts[period].reset_index(drop=True)
                cache.brought[key] = case_worth(score_rows(models[place], rows, use_case))
            brought[place, period] = cache.brought[key]
    newest = len(starts) - 1
    return Backtest(
        starts=tuple(starts),
        length=length,
        worth=_means(brought, len(starts)),
        cases=np.array([len(part) for part in parts], dtype=np.float64),
        labels=np.array([*(len(rows) for rows in known), (times < _plain(now - delay)).sum()], dtype=np.float64),
        champion=first,
        lead=_lead(brought[first, newest], brought[newest, newest]),
        fits=fits,
    )


def planned_gain(found: Backtest, version: str, loop: LoopConfig, retrainings_left: int) -> ExpectedGain:
    """What a retraining is expected to bring in, and whether now is the moment for it (`decide_retraining`).

    Where the trials are too few to say how the regret of a model grows with its age, the lead of the newest trial is
    compared with the price, as in `gain_of`.

    Args:
        found: the trials.
        version: of the champion.
        loop: price and horizon.
        retrainings_left: of the budget.
    """
    plain = gain_of(found, version, loop.horizon_days)
    periods = max(round(timedelta(days=loop.horizon_days) / found.length), 1)
    history = TrialHistory(found.worth, found.cases, np.maximum(found.labels, 1.0), found.champion)
    decision = decide_retraining(history, loop.price, periods, retrainings_left)
    gain = decision.gain
    if gain is None or not np.isfinite([gain.low, gain.high]).all():
        return plain
    why = f"{decision.why.rstrip('.')}: {gain.why}; {plain.why}"
    return ExpectedGain(total=gain.total, low=gain.low, high=gain.high, why=why, pays=decision.retrain)


def gain_of(found: Backtest, version: str, horizon_days: float) -> ExpectedGain:
    """What a retraining is expected to bring in until the horizon: the lead of the newest trial, for all its cases.

    It takes the lead as it was in the newest period, though it grows as the champion ages.

    Args:
        found: the trials.
        version: of the champion.
        horizon_days: for how long the gain counts.
    """
    cases = float(found.cases[-1]) * (timedelta(days=horizon_days) / found.length)
    lead, error = found.lead
    compared = f"on the {found.cases[-1]:,.0f} cases from {found.starts[-1]:%Y-%m-%d} on"
    why = (
        f"{compared}, the same recipe, learned on what was known by then, brings in {1000 * lead:,.4g} more per 1,000 "
        f"decisions than version {version}; about {cases:,.0f} decisions are expected in {horizon_days:g} days "
        f"({found.fits} trials)"
    )
    low, high = (cases * (lead + side * _QUANTILE * error) for side in (-1, 1))
    return ExpectedGain(total=cases * lead, low=low, high=high, why=why)


def newest_period(use_case: UseCase, now: datetime, length: timedelta) -> datetime:
    """When the newest period began whose labels are known (UTC)."""
    return _periods(now - timedelta(days=use_case.problem.label_delay_days), length, 1)[0]


def case_worth(judged: ScoredPredictions) -> Floats:
    """(n,) what the decision on each case brings in, in `problem.unit`."""
    problem = judged.use_case.problem
    if problem.task == "regression":
        return regression_worth(problem.worth, judged.truth.astype(np.float64), judged.scores)
    truth = judged.truth.astype(str)
    if problem.task == "binary":
        return binary_worth(problem.worth, np.asarray(truth == str(problem.positive)), judged.decisions)
    return multiclass_worth(problem.worth, truth, judged.table["prediction"].to_numpy(dtype=str))


def _times(table: pd.DataFrame, use_case: UseCase) -> "pd.Series[pd.Timestamp] | None":
    """When each case happened, in UTC without a zone; None where the use case does not say that as a moment."""
    column = use_case.data.time
    if column is None or column not in table or not pd.api.types.is_datetime64_any_dtype(table[column]):
        return None
    return without_zone(table[column])


def _learned_until(champion: Bundle) -> pd.Timestamp | None:
    """The latest case that the champion has learned; None: it is no fitted model, or that is not known."""
    learned = champion.manifest.learned
    if champion.manifest.kind == "rules" or learned is None or not isinstance(learned.until, datetime):
        return None
    return _plain(learned.until)


def _periods(until: datetime, length: timedelta, most: int) -> list[datetime]:
    """Starts of the newest periods that have ended, the oldest first; a period begins at a multiple of its length."""
    last = _EPOCH + ((until - _EPOCH) // length) * length
    return [last - place * length for place in range(most, 0, -1)]


def _plain(moment: datetime) -> pd.Timestamp:
    """In UTC without a zone; what has none is in UTC."""
    stamp = pd.Timestamp(moment)
    return stamp if stamp.tzinfo is None else stamp.tz_convert("UTC").tz_localize(None)


def _means(brought: dict[tuple[int, int], Floats], periods: int) -> Floats:
    worth = np.full((periods, periods), np.nan)
    for place, each in brought.items():
        worth[place] = each.mean()
    return worth


def _lead(champion: Floats, trial: Floats) -> tuple[float, float]:
    """Mean and standard error of the paired difference; cases that only one of them could answer are compared as means.

    The same cases are decided by both, so what is common to them cancels.
    """
    if len(champion) != len(trial):
        error = np.hypot(*(each.std(ddof=1) / np.sqrt(len(each)) for each in (champion, trial)))
        return float(trial.mean() - champion.mean()), float(error)
    difference = trial - champion
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))
