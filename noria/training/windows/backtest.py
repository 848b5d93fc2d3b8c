"""`data.window: auto`: which rows to learn from, by models of the past that are judged on the cases that came later.

At the start of each of several past periods one model per window learns from what was known then; all of them answer
the cases of that period. Only training rows take part: no test row is seen, so the gate judges the choice like any
other part of the recipe.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.data.window import age_days, age_weights
from noria.engines import engine_of
from noria.metrics.metrics import greater_is_better
from noria.models.candidates import Params, default_params
from noria.models.cross_validation import fold_values
from noria.models.folds import Folds, make_fold
from noria.reporting.formats import number, plural
from noria.system import progress
from noria.training.windows.choice import FEWEST_PERIODS, BetterWindow, better_window
from noria.training.windows.plan import LIGHTER, MANY_TREES, Period, Plan, plan_of, rows_within
from noria.training.windows.results import WindowChoice, WindowTrial

_KINDS = ("xgboost", "forest", "linear", "tree")
"""The kinds that are fitted for the comparison: the first that competes."""
_LARGEST_STEP = 0.3
_ALL_ROWS = "all rows"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def choose_training_window(train: pd.DataFrame, use_case: UseCase) -> WindowChoice:
    """The window that a training learns from: all rows, unless another one was better beyond chance in the past.

    Candidates are spans and half-lives of a half, a quarter and an eighth of the time before the first of up to twelve
    past periods, which hold the newest half of the training rows. In each period one model per window learns the rows
    whose label was known when the period began. All are of one kind, as it is configured, but with a third of the trees
    (of XGBoost: and three times the learning rate, so that they learn as much). `evaluation.metric` on the rows of the
    period says how good each was. `noria.training.windows.choice` has the rule.

    All its fits together cost at most half of what the training fits (or 100,000 rows, where that is more); where they
    would cost more, the models learn from a sample of the rows.

    Args:
        train: n training rows; `data.time` holds dates.
        use_case: metric, candidates, seed, and the delay of labels.

    Raises:
        NoriaError: `data.window_time_not_date`, or as `fit`.
    """
    age_days(train, use_case.data.time)  # refuses what holds no dates
    kind = next((each for each in _KINDS if each in use_case.models.candidates), None)
    if kind is None:
        return _all_rows("no candidate that competes takes weights", use_case)
    plan = plan_of(train, use_case, kind)
    if plan is None:
        return _all_rows("the training rows are too few to compare windows", use_case)
    return _Backtest(train, use_case, kind, plan).choice()


class _Backtest:
    def __init__(self, train: pd.DataFrame, use_case: UseCase, kind: str, plan: Plan) -> None:
        self.train = train
        self.case = use_case.on_one_machine() if engine_of(use_case.engine).is_distributed else use_case
        self.kind, self.params = kind, _lighter(default_params(kind, use_case), kind)
        self.plan, self.times, self.periods = plan, plan.times, plan.periods
        self.windows = {_ALL_ROWS: None, **{str(each): each for each in plan.windows}}
        self.folds = Folds(train, self.case, [(each.known, each.judged) for each in plan.periods])

    def choice(self) -> WindowChoice:
        """Fit, judge and choose."""
        if why := self._hindrance():
            return _all_rows(why, self.case)
        values = self._values()
        counted = np.isfinite(np.array(list(values.values()))).all(axis=0)
        cases = np.array([len(each.judged) for each in self.periods], dtype=np.float64)[counted]
        sign = 1 if greater_is_better(self.case.evaluation.metric) else -1
        worth = {name: sign * one[counted] for name, one in values.items()}
        found = better_window(worth, cases, _ALL_ROWS)
        trials = [
            WindowTrial(
                window=name,
                mean=float(np.average(one[counted], weights=cases)) if len(cases) else 0.0,
                lead=found.lead[name],
                error=found.error[name] if np.isfinite(found.error[name]) else 0.0,
            )
            for name, one in values.items()
        ]
        return WindowChoice(
            window=self.windows[found.name],
            reason=self._reason(found, len(cases)),
            metric=self.case.evaluation.metric,
            kind=self.kind,
            starts=[_EPOCH + timedelta(microseconds=each.start) for each in self.periods],
            rows=int(cases.sum()),
            fits=len(self.periods) * len(self.windows),
            needed=found.needed if np.isfinite(found.needed) else 0.0,
            cost=self.plan.cost,
            share=self.plan.share,
            trials=trials,
        )

    def _hindrance(self) -> str:
        if self.case.problem.task == "regression":
            return ""
        wanted = len(self.folds.classes) if self.case.problem.task == "binary" else 2
        for period in self.periods:
            for window in self.windows.values():
                rows = rows_within(window, period.known, self.times)
                if len(np.unique(self.folds.target[rows])) < wanted:
                    return "in some past period a window held one class only"
        return ""

    def _values(self) -> dict[str, NDArray[np.float64]]:
        """Window → (periods,) the metric of its models."""
        answers = {name: self._empty() for name in self.windows}
        for place, period in enumerate(self.periods):
            progress.tick(f"windows: period {place + 1} of {len(self.periods)}, {len(self.windows)} models")
            for name, scores in self._scores(period).items():
                answers[name][period.judged] = scores
        judged: Sequence[NDArray[np.intp]] = [each.judged for each in self.periods]
        return {name: np.array(fold_values(self.folds, judged, oof)) for name, oof in answers.items()}

    def _scores(self, period: Period) -> dict[str, NDArray[np.float64]]:
        """Window → scores of the judged rows of a period."""
        whole = make_fold(self.train, period.known, period.judged, **self.folds.known)
        found = {}
        for name, window in self.windows.items():
            fold = whole
            if window is not None and window.days is not None:
                rows = rows_within(window, period.known, self.times)
                fold = make_fold(self.train, rows, period.judged, **self.folds.known)
            elif window is not None:
                weights = age_weights(self.train.iloc[period.known], window, self.case.data.time)
                fold = replace(whole, rows=replace(whole.rows, weights=weights))
            found[name] = fold.fit(self.kind, self.params).scores
        return found

    def _empty(self) -> NDArray[np.float64]:
        rows, classes = len(self.train), len(self.folds.classes)
        return np.full((rows, classes) if self.case.problem.task == "multiclass" else rows, np.nan)

    def _reason(self, found: BetterWindow, periods: int) -> str:
        metric, judged = self.case.evaluation.metric, plural(periods, "past period")
        if periods < FEWEST_PERIODS:
            return f"{_ALL_ROWS}: {metric} is defined in too few past periods to compare windows"
        best = max((name for name in self.windows if name != _ALL_ROWS), key=lambda name: found.lead[name])
        if found.name != _ALL_ROWS:
            lead = _lead(found, found.name)
            return f"{found.name}: better than {_ALL_ROWS} by {lead} in {metric}, in {judged} with {self.kind}"
        if found.lead[best] <= 0:
            return f"{_ALL_ROWS}: none of {len(self.windows) - 1} other windows was better in {judged}"
        return (
            f"{_ALL_ROWS}: no other window was better beyond chance in {judged}; the best of {len(self.windows) - 1}, "
            f"{best}, led by {_lead(found, best)} in {metric}, and a lead needs {found.needed:.1f} standard errors"
        )


def _lighter(params: Params, kind: str) -> Params:
    """The parameters with a third of the trees; boosted ones each take a larger step."""
    if kind not in MANY_TREES:
        return params
    trees = {"n_estimators": max(int(params.get("n_estimators") or 100) // LIGHTER, 1)}
    rate = params.get("learning_rate")
    step = {"learning_rate": min(LIGHTER * rate, max(rate, _LARGEST_STEP))} if kind == "xgboost" and rate else {}
    return {**params, **trees, **step}


def _lead(found: BetterWindow, name: str) -> str:
    return f"{number(found.lead[name], 2)} ± {number(found.error[name], 2)}"


def _all_rows(why: str, use_case: UseCase) -> WindowChoice:
    return WindowChoice(window=None, reason=f"{_ALL_ROWS}: {why}", metric=use_case.evaluation.metric)
