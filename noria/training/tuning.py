"""Tuning by Optuna on the training rows: seeded, pruned fold by fold, starting from the defaults.

Sources: T. Akiba et al., Optuna, KDD 2019; the sampler is the tree-structured Parzen estimator of J. Bergstra et al.,
Algorithms for Hyper-Parameter Optimization, NeurIPS 2011.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.config.modelling import SearchRange
from noria.engines import engine_of
from noria.metrics.metrics import greater_is_better
from noria.models.candidate_score import CandidateScore
from noria.models.candidates import Params, default_params, search_space
from noria.models.cross_validation import CrossValidationRun, Report, run_folds, score_of
from noria.models.folds import Folds, FoldsLike, FoldSource
from noria.system import progress
from noria.training.results import TrialRecord

OnTrial = Callable[[TrialRecord], None]


@dataclass(frozen=True)
class TuningResult:
    """The best trial of a candidate."""

    score: CandidateScore
    oof: NDArray[np.float64]
    """(n,) or (n, k) out-of-fold scores of the best trial; NaN for rows in no validation fold."""
    trials: list[TrialRecord]


def tune(
    kind: str,
    train: pd.DataFrame,
    use_case: UseCase,
    on_trial: OnTrial | None = None,
    *,
    folds: FoldSource | None = None,
) -> TuningResult:
    """Find the best parameters of one candidate by cross-validation on the training rows.

    Trial 0 takes the default parameters. Kinds without a search space, and `models.trials: 0`, get that one alone.

    Args:
        kind: one of `noria.models.candidates.KINDS`.
        train: n training rows.
        use_case: its `models` section gives trials, time limit, seed, folds and search space.
        on_trial: hears of each finished trial.
        folds: the folds of `train`, where several candidates share them.

    Raises:
        NoriaError: as `cross_validate`, or a parameter to search does not exist.
    """
    tuner = Tuner(kind, use_case, folds or Folds(train, use_case), on_trial)
    if tuner.trials == 1:
        tuner.single()
    else:
        engine_of(use_case.engine).search(tuner)
        tuner.refit_best()
    assert tuner.best is not None  # noqa: S101 - the first trial is never pruned
    return TuningResult(score_of(tuner.best, train, use_case), tuner.best.oof, tuner.records)


class Tuner:
    """The trials of one kind, a `noria.engines.Search`; keeps the best run whole, so that nothing is fitted twice."""

    def __init__(self, kind: str, use_case: UseCase, folds: FoldSource, on_trial: OnTrial | None) -> None:
        self.kind = kind
        self.use_case = use_case
        self.folds = folds
        self.on_trial = on_trial
        self.start = default_params(kind, use_case)
        self.space = search_space(kind, use_case)
        self.trials = max(use_case.models.trials, 1) if self.space else 1
        self.owner, self.name, self.steps = use_case.name, kind, len(folds)
        self.seed, self.timeout_s = use_case.models.seed, use_case.models.timeout_s
        self.metric = use_case.evaluation.metric
        self.sign = 1 if greater_is_better(self.metric) else -1
        self.first = _start_values(self.start, self.space)
        self.direction = "maximize" if self.sign > 0 else "minimize"
        self.best: CrossValidationRun | None = None
        self.records: list[TrialRecord] = []

    def single(self) -> None:
        """The start parameters alone."""
        self.run(0, self.start, None)

    def suggest(self, trial: Any) -> Params:
        """The parameters that a trial of Optuna's is to take."""
        return {**self.start, **{name: _suggest(trial, name, span) for name, span in self.space.items()}}

    def objective(self) -> Callable[[Params, Callable[[int, float], None]], None]:
        """One trial in another process, where the folds are."""
        return partial(_trial, kind=self.kind, folds=self.folds.remote(self.kind))

    def run(self, number: int, params: Params, report: Report | None) -> float:
        """One trial over all folds."""
        start = time.perf_counter()
        run = run_folds(self.kind, params, self.folds.submit(self.kind, params), report)
        if self.best is None or self.sign * run.mean > self.sign * self.best.mean:
            self.best = run
        self.record(number, params, run.mean, "complete", time.perf_counter() - start)
        return run.mean

    def refit_best(self) -> None:
        """Fit the folds of the best trial once more, if its models and scores have stayed in another process."""
        if self.best is not None:
            return
        complete = [trial for trial in self.records if trial.state == "complete"]
        best = max(complete, key=lambda trial: self.sign * trial.value, default=None)
        params = best.params if best else self.start
        self.best = run_folds(self.kind, params, self.folds.submit(self.kind, params))

    def record(
        self, number: int, params: Params, value: float, state: Literal["complete", "pruned"], seconds: float
    ) -> None:
        """Keep a finished trial and tell of it."""
        trial = TrialRecord(number=number, kind=self.kind, params=params, value=value, state=state, seconds=seconds)
        self.records.append(trial)
        best = f", best {self.best.mean:.4g}" if self.best is not None else ""
        pruned = " (stopped early)" if state == "pruned" else ""
        progress.tick(f"{self.kind}: trial {number + 1} of {self.trials}, {self.metric} {value:.4g}{pruned}{best}")
        if self.on_trial is not None:
            self.on_trial(trial)


def _trial(params: Params, report: Report, *, kind: str, folds: FoldsLike) -> None:
    run_folds(kind, params, folds, report)


def _suggest(trial: Any, name: str, span: SearchRange) -> Any:
    if span.choices is not None:
        return trial.suggest_categorical(name, span.choices)
    if span.integer:
        return trial.suggest_int(name, int(_low(span)), int(_high(span)), log=span.log)
    return trial.suggest_float(name, _low(span), _high(span), log=span.log)


def _start_values(start: Mapping[str, Any], space: Mapping[str, SearchRange]) -> Params:
    """The start parameters that tuning may change, moved into their ranges; Optuna draws those without a start."""
    values: Params = {}
    for name, span in space.items():
        given = start.get(name)
        if span.choices is not None:
            values[name] = given if given in span.choices else span.choices[0]
        elif isinstance(given, int | float):
            inside = min(max(given, _low(span)), _high(span))
            values[name] = int(inside) if span.integer else float(inside)
    return values


def _low(span: SearchRange) -> float:
    return 0.0 if span.low is None else span.low


def _high(span: SearchRange) -> float:
    return 0.0 if span.high is None else span.high
