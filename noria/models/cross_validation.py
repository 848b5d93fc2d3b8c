"""Cross-validation: how good a candidate is on rows it has not seen, and what it costs to use."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.metrics.metrics import compute_metrics, primary_metric
from noria.models.candidate_score import CandidateScore
from noria.models.candidates import Params
from noria.models.fitted_model import FittedModel
from noria.models.folds import Folds, FoldsLike
from noria.models.model_storage import dump_model
from noria.models.policy_choice import choose_policy
from noria.system.errors import NoriaError

Report = Callable[[int, float], None]
"""Called after each fold with its number and the mean so far; what it raises ends the run."""
_CALLS = 20


@dataclass(frozen=True)
class CrossValidationRun:
    """One pass over the folds."""

    values: list[float]
    """The metric on each fold."""
    oof: NDArray[np.float64]
    """(n,) or (n, k) scores of each training row by a model that had not seen it; NaN for rows never validated on."""
    fitted: FittedModel
    """The model of the last fold."""
    fit_seconds: float

    @property
    def mean(self) -> float:
        """The mean over the folds in which the metric is defined."""
        return mean_value(self.values)


def cross_validate(
    kind: str,
    params: Params,
    train: pd.DataFrame,
    use_case: UseCase,
    report: Report | None = None,
    *,
    folds: FoldsLike | None = None,
) -> tuple[CandidateScore, NDArray[np.float64]]:
    """Cross-validate one candidate on the training rows.

    Args:
        kind: one of `noria.models.candidates.KINDS`.
        params: its parameters.
        train: n training rows.
        use_case: gives folds, metric, roles of columns and cores.
        report: hears of each fold.
        folds: the folds of `train`, where several candidates share them.

    Returns:
        The score, and (n,) or (n, k) out-of-fold scores; NaN for rows that are in no validation fold.

    Raises:
        NoriaError: the folds, the schema, a rule or a parameter is wrong, or the metric is defined in no fold.
    """
    folds = folds or Folds(train, use_case)
    run = run_folds(kind, params, folds, report)
    return score_of(run, train, use_case), run.oof


def run_folds(kind: str, params: Params, folds: FoldsLike, report: Report | None = None) -> CrossValidationRun:
    """Fit and score every fold."""
    shape = (
        (len(folds.target), len(folds.classes)) if folds.use_case.problem.task == "multiclass" else len(folds.target)
    )
    oof = np.full(shape, np.nan)
    places, values, seconds = [], [], 0.0
    fitted = None
    for number, fold in enumerate(folds):
        fit = fold.fit(kind, params)
        fitted, oof[fold.places] = fit.fitted, fit.scores
        seconds += fit.seconds
        places.append(fold.places)
        values = fold_values(folds, places, oof)
        if report is not None:
            report(number, mean_value(values))
    assert fitted is not None  # noqa: S101 - there are at least two folds
    return CrossValidationRun(values, oof, fitted, seconds / len(folds))


def fold_values(folds: FoldsLike, places: Sequence[NDArray[np.intp]], oof: NDArray[np.float64]) -> list[float]:
    """The primary metric on each of these folds.

    For `worth` all folds share one decision policy, chosen on their out-of-fold scores together, as the final one is.
    """
    use_case, so_far = folds.use_case, np.concatenate(places)
    truth = np.array(folds.classes)[folds.target] if folds.classes else folds.target
    policy = choose_policy(use_case, truth[so_far], oof[so_far])
    classes = folds.classes or None
    return [
        primary_metric(use_case, truth[rows], oof[rows], policy.decide(oof[rows]), classes=classes) for rows in places
    ]


def mean_value(values: Sequence[float]) -> float:
    """The mean of the values that are defined.

    Raises:
        NoriaError: none is.
    """
    known = [value for value in values if not np.isnan(value)]
    if not known:
        raise NoriaError(
            "the metric is defined in no fold",
            code="evaluation.metric_undefined",
            where="models.folds",
            fix="lower models.folds",
        )
    return float(np.mean(known))


def score_of(run: CrossValidationRun, train: pd.DataFrame, use_case: UseCase) -> CandidateScore:
    """The score of a run over all folds, with the cost of the last fold's model."""
    known = [value for value in run.values if not np.isnan(value)]
    error = float(np.std(known, ddof=1) / np.sqrt(len(known))) if len(known) > 1 else 0.0
    return CandidateScore(
        kind=run.fitted.kind,
        params=run.fitted.params,
        metric=use_case.evaluation.metric,
        mean=run.mean,
        standard_error=error,
        fold_scores=[None if np.isnan(value) else value for value in run.values],
        worth=_worth(run, train, use_case),
        latency_ms=_latency_ms(run.fitted, train.head(1)),
        size_mb=sum(len(content) for content in dump_model(run.fitted).values()) / 1e6,
        fit_seconds=run.fit_seconds,
    )


def _worth(run: CrossValidationRun, train: pd.DataFrame, use_case: UseCase) -> float:
    """What 1,000 decisions on out-of-fold scores bring in, with the policy that is chosen on the same scores."""
    known = ~np.isnan(run.oof.reshape(len(run.oof), -1)).any(axis=1)
    truth, scores = train[use_case.data.target].to_numpy()[known], run.oof[known]
    decisions = choose_policy(use_case, truth, scores).decide(scores)
    return compute_metrics(use_case, truth, scores, decisions, classes=run.fitted.classes or None)["worth"]


def _latency_ms(fitted: FittedModel, row: pd.DataFrame) -> float:
    fitted.scores(row)
    times = []
    for _ in range(_CALLS):
        start = time.perf_counter()
        fitted.scores(row)
        times.append(time.perf_counter() - start)
    return float(np.median(times) * 1000)
