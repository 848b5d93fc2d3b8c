"""The metrics of each task, vectorised over resamples so that a bootstrap of them takes about a second.

Truths are compared as text (`str(value)`) for classification and as numbers for regression. Scores are (n,)
probabilities of the positive class, (n, k) probabilities of the classes, or (n,) predicted numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noria.config import UseCase
from noria.config.use_case import METRICS
from noria.metrics import weighted_statistics
from noria.metrics.bootstrap import Floats, Statistic, bootstrap, percentile_interval
from noria.metrics.decision_value import binary_worth, break_even_decisions, multiclass_worth, regression_worth
from noria.system.errors import NoriaError
from noria.tabular.label_text import as_labels

Values = Sequence[Any] | NDArray[Any] | Any
_BINS = 10
_LESS_IS_BETTER = frozenset({"log_loss", "brier", "mae", "rmse"})


def greater_is_better(metric: str) -> bool:
    """Whether a larger value of the metric is the better one."""
    return metric not in _LESS_IS_BETTER


def compute_metrics(
    use_case: UseCase,
    truth: Values,
    scores: Values,
    decisions: Values = None,
    *,
    classes: Sequence[str] | None = None,
    predictions: Values = None,
) -> dict[str, float]:
    """Every metric of the task; `worth` is what 1,000 rows bring in, in `problem.unit`.

    Args:
        use_case: names the task, the positive class and the worths.
        truth: (n,) true labels or numbers, none missing.
        scores: (n,) or (n, k), see the module.
        decisions: (n,) "act", "ask" or "leave". None: binary cases are acted on where the probability makes it pay.
        classes: multiclass: the class of each score column; None: the sorted labels of `truth`.
        predictions: multiclass: (n,) the class that was answered; None: the likeliest.

    Returns:
        Metric → value; NaN where it is undefined (no rows, or one class only for a ranking metric).

    Raises:
        NoriaError: the lengths differ, or the classes do not match the scores' columns.
    """
    found = metric_statistics(use_case, truth, scores, decisions, classes=classes, predictions=predictions)
    once = np.ones((1, len(truth)))
    return {metric: float(statistic(once)[0]) for metric, statistic in found.items()}


def calibration_error(positive: Floats, probability: Floats) -> float:
    """Expected calibration error: the mean gap of probability and share of positives, in ten bins of equal size.

    Source: M. Naeini, G. Cooper and M. Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI
    2015, here with bins of equal size.

    Args:
        positive: (n,) 1 for the positive class, else 0; n > 0.
        probability: (n,) of the positive class.
    """
    bins = np.array_split(np.argsort(probability), _BINS)
    off = (len(rows) * abs(probability[rows].mean() - positive[rows].mean()) for rows in bins if len(rows))
    return float(sum(off) / len(probability))


def primary_metric(
    use_case: UseCase,
    truth: Values,
    scores: Values,
    decisions: Values = None,
    *,
    classes: Sequence[str] | None = None,
    predictions: Values = None,
) -> float:
    """The value of `evaluation.metric`; arguments and errors as for `compute_metrics`."""
    found = metric_statistics(use_case, truth, scores, decisions, classes=classes, predictions=predictions)
    return float(found[use_case.evaluation.metric](np.ones((1, len(truth))))[0])


def metric_interval(
    use_case: UseCase,
    metric: str,
    truth: Values,
    scores: Values,
    decisions: Values = None,
    *,
    classes: Sequence[str] | None = None,
    predictions: Values = None,
    blocks: NDArray[np.int64] | None = None,
) -> tuple[float, float]:
    """Percentile bootstrap interval of one metric at `evaluation.confidence`, see `noria.metrics.bootstrap`.

    Args and errors as for `compute_metrics`; `blocks` (n,) numbers rows that are drawn together. About a second for
    1,000 resamples of 20,000 rows. (NaN, NaN) where the metric is undefined.
    """
    found = metric_statistics(use_case, truth, scores, decisions, classes=classes, predictions=predictions)
    return bootstrap_intervals({metric: found[metric]}, use_case, len(truth), blocks)[metric]


def metric_statistics(
    use_case: UseCase,
    truth: Values,
    scores: Values,
    decisions: Values = None,
    *,
    classes: Sequence[str] | None = None,
    predictions: Values = None,
) -> dict[str, Statistic]:
    """Metric → its weighted form, to be given to `bootstrap`; arguments and errors as for `compute_metrics`."""
    problem = use_case.problem
    numbers = np.asarray(scores, dtype=np.float64)
    if len(truth) != len(numbers) or (decisions is not None and len(decisions) != len(numbers)):
        raise NoriaError(
            f"{len(truth)} truths, {len(numbers)} scores and {_count(decisions)} decisions cannot be compared",
            code="evaluation.lengths_differ",
            fix="give one of each per row",
        )
    if problem.task == "regression":
        wanted = np.asarray(truth, dtype=np.float64)
        worth = regression_worth(problem.worth, wanted, numbers)
        found = weighted_statistics.regression(wanted, numbers)
    elif problem.task == "binary":
        positive = as_labels(truth) == str(problem.positive)
        chosen = break_even_decisions(problem.worth, numbers) if decisions is None else np.asarray(decisions, dtype=str)
        worth = binary_worth(problem.worth, positive, chosen)
        found = weighted_statistics.binary(positive, numbers)
    else:
        labels = as_labels(truth)
        names = np.asarray(sorted(set(labels.tolist())) if classes is None else classes, dtype=str)
        if numbers.ndim != 2 or numbers.shape[1] != len(names):
            raise NoriaError(
                f"scores of shape {numbers.shape} for {len(names)} classes",
                code="evaluation.shape_mismatch",
                fix="give one column of scores per class",
            )
        answered = names[numbers.argmax(axis=1)] if predictions is None else as_labels(predictions)
        worth = multiclass_worth(problem.worth, labels, answered)
        found = weighted_statistics.multiclass(labels, numbers, answered, names)
    found["worth"] = weighted_statistics.mean(1000 * worth)
    return {metric: found[metric] for metric in METRICS[problem.task]}


def bootstrap_intervals(
    found: Mapping[str, Statistic], use_case: UseCase, rows: int, blocks: NDArray[np.int64] | None
) -> dict[str, tuple[float, float]]:
    """`interval` for each of these statistics of the same rows."""
    if rows == 0:
        return {metric: (float("nan"), float("nan")) for metric in found}
    judged = use_case.evaluation
    values: Floats = bootstrap(list(found.values()), rows, judged.bootstrap, use_case.split.seed, blocks)
    return {metric: percentile_interval(line, judged.confidence) for metric, line in zip(found, values, strict=True)}


def _count(decisions: Values) -> str:
    return "no" if decisions is None else str(len(decisions))
