"""Worth per day: the decisions on labelled cases beside those of the rules, and beside doing nothing."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.config import UseCase
from noria.metrics.decision_value import decision_worth
from noria.monitoring.data_checks import times_of
from noria.monitoring.results import DailyWorth, DayWorth
from noria.monitoring.rules_comparison import RuleAnswers

_DAY = pd.Timedelta(days=1)


def usual_answer(bundle: Bundle) -> str | float:
    """What is answered without rules or model: of binary the class that is left alone, of several classes the most
    frequent one of the reference rows, and of numbers their median."""
    manifest = bundle.manifest
    if manifest.task == "binary":
        return manifest.classes[0]
    truth = bundle.reference()[manifest.target]
    return float(truth.median()) if manifest.task == "regression" else str(truth.mode().iloc[0])


def worth_by_day(
    bundle: Bundle,
    use_case: UseCase,
    labelled: pd.DataFrame,
    rules: RuleAnswers | None,
    *,
    since: datetime,
    now: datetime,
    share: float = 1.0,
) -> DailyWorth | None:
    """What the decisions of each day brought in, by the day of the case (UTC).

    Args:
        bundle: the model; its reference rows say what the usual answer is.
        use_case: what a decision is worth, and how late labels come.
        labelled: (n, …) predictions with a label that the task allows, with the columns of `PredictionStore.window`.
        rules: what the rules say of the same cases; None: there are none to compare with.
        since: from when `labelled` is complete (with a zone); a day that began before is left out.
        now: the time of the check (with a zone).
        share: share of the labelled predictions that `labelled` holds (0 to 1); sums and counts are scaled by it.

    Returns:
        None if no day has a labelled case.
    """
    if not len(labelled):
        return None
    problem, is_number = use_case.problem, use_case.problem.task == "regression"
    truth = labelled["label"].to_numpy(dtype=np.float64 if is_number else str)
    predicted = labelled["prediction"].to_numpy(dtype=np.float64 if is_number else str)
    usual = np.full(len(truth), usual_answer(bundle))
    leave = np.full(len(truth), "leave")
    columns: dict[str, NDArray[Any]] = {
        "model": decision_worth(problem, truth, predicted, labelled["decision"].to_numpy(dtype=str)) / share,
        "nothing": decision_worth(problem, truth, usual, leave) / share,
    }
    if rules is not None:
        columns["rules"] = decision_worth(problem, truth, rules.predictions, rules.decisions) / share
    if is_number:
        columns["error"] = np.abs(predicted - truth)
        if rules is not None:
            columns["error_rules"] = np.abs(rules.predictions.astype(np.float64) - truth)
    days = times_of(labelled).dt.tz_convert(None).dt.floor("D")
    table = pd.DataFrame(columns).groupby(days.to_numpy())
    begins, known_until = _plain(since), _plain(now) - pd.Timedelta(days=problem.label_delay_days)
    found = []
    for start, rows in table:
        if start < begins:
            continue
        totals = {name: float(rows[name].sum()) for name in ("model", "rules", "nothing") if name in rows}
        errors = {name: float(rows[name].mean()) for name in ("error", "error_rules") if name in rows}
        complete = bool(start + _DAY <= known_until)
        count = round(len(rows) / share)
        found.append(DayWorth(day=f"{start:%Y-%m-%d}", rows=count, complete=complete, **totals, **errors))
    if not found:
        return None
    return DailyWorth(unit=problem.unit, days=found, share=share)


def _plain(moment: datetime) -> pd.Timestamp:
    """In UTC, without its zone."""
    return pd.Timestamp(moment).tz_convert(None)
