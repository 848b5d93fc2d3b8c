"""Tuning by Optuna on the training rows: seeded, pruned fold by fold, starting from the defaults.

Sources: T. Akiba et al., Optuna, KDD 2019; the sampler is the tree-structured Parzen estimator of J. Bergstra et al.,
Algorithms for Hyper-Parameter Optimization, NeurIPS 2011.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.config.modelling import SearchRange
from noria.config.section import Section
from noria.metrics.metrics import greater_is_better
from noria.models.candidate_score import CandidateScore
from noria.models.candidates import Params, default_params, search_space
from noria.models.cross_validation import CrossValidationRun, Report, run_folds, score_of
from noria.models.folds import Folds, FoldSource
from noria.system import progress


class TrialRecord(Section):
    """One trial."""

    number: int
    kind: str
    params: dict[str, Any]
    value: float
    """Mean of the primary metric over the folds that were run."""
    state: Literal["complete", "pruned"]
    """pruned: stopped early, as it fell behind the median of the trials before it, or time was up."""
    seconds: float


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
    if tuner.planned == 1:
        tuner.single()
    elif use_case.engine.name == "ray":
        from noria.engines.ray.tuning import search

        search(tuner)
    else:
        tuner.search()
    assert tuner.best is not None  # noqa: S101 - the first trial is never pruned
    return TuningResult(score_of(tuner.best, train, use_case), tuner.best.oof, tuner.trials)


class Tuner:
    """The trials of one kind; keeps the best run whole, so that nothing is fitted twice."""

    def __init__(self, kind: str, use_case: UseCase, folds: FoldSource, on_trial: OnTrial | None) -> None:
        self.kind = kind
        self.use_case = use_case
        self.folds = folds
        self.on_trial = on_trial
        self.start = default_params(kind, use_case)
        self.space = search_space(kind, use_case)
        self.planned = max(use_case.models.trials, 1) if self.space else 1
        self.metric = use_case.evaluation.metric
        self.sign = 1 if greater_is_better(self.metric) else -1
        self.best: CrossValidationRun | None = None
        self.trials: list[TrialRecord] = []

    def single(self) -> None:
        """The start parameters alone."""
        self.run(0, self.start, None)

    @property
    def first(self) -> Params:
        """What the first trial takes of the search space."""
        return _start_values(self.start, self.space)

    @property
    def direction(self) -> str:
        """Whether the metric is to be maximized or minimized, as Optuna says it."""
        return "maximize" if self.sign > 0 else "minimize"

    def search(self) -> None:
        """Optuna's search, from the start parameters on."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        models, began = self.use_case.models, time.perf_counter()
        study = optuna.create_study(
            direction=self.direction,
            sampler=optuna.samplers.TPESampler(seed=models.seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
        )
        study.enqueue_trial(self.first)

        def objective(trial: Any) -> float:
            params = suggested(self.start, self.space, trial)

            def report(fold: int, mean: float) -> None:
                trial.report(mean, fold)
                last.append(mean)
                late = models.timeout_s is not None and time.perf_counter() - began > models.timeout_s
                if trial.number > 0 and fold + 1 < len(self.folds) and (late or trial.should_prune()):
                    raise optuna.TrialPruned

            last: list[float] = []
            start = time.perf_counter()
            try:
                return self.run(trial.number, params, report)
            except optuna.TrialPruned:
                self.record(trial.number, params, last[-1], "pruned", time.perf_counter() - start)
                raise

        study.optimize(objective, n_trials=self.planned, timeout=models.timeout_s)

    def run(self, number: int, params: Params, report: Report | None) -> float:
        """One trial over all folds."""
        start = time.perf_counter()
        run = run_folds(self.kind, params, self.folds.ahead(self.kind, params), report)
        if self.best is None or self.sign * run.mean > self.sign * self.best.mean:
            self.best = run
        self.record(number, params, run.mean, "complete", time.perf_counter() - start)
        return run.mean

    def record(
        self, number: int, params: Params, value: float, state: Literal["complete", "pruned"], seconds: float
    ) -> None:
        """Keep a finished trial and tell of it."""
        trial = TrialRecord(number=number, kind=self.kind, params=params, value=value, state=state, seconds=seconds)
        self.trials.append(trial)
        best = f", best {self.best.mean:.4g}" if self.best is not None else ""
        pruned = " (stopped early)" if state == "pruned" else ""
        progress.tick(f"{self.kind}: trial {number + 1} of {self.planned}, {self.metric} {value:.4g}{pruned}{best}")
        if self.on_trial is not None:
            self.on_trial(trial)


def suggested(start: Params, space: Mapping[str, SearchRange], trial: Any) -> Params:
    """The parameters that a trial of Optuna's is to take."""
    return {**start, **{name: _suggest(trial, name, span) for name, span in space.items()}}


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
