"""The same figures for parts of the test rows, where an average may hide a group that is served badly."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import MetricValue
from noria.config import UseCase
from noria.evaluation.results import SliceResult
from noria.evaluation.scored_predictions import ScoredPredictions
from noria.metrics.bootstrap import bootstrap, percentile_interval

_FEW_VALUES = 10
_MOST_SLICES = 12
_RESAMPLES = 200
_MISSING = "(missing)"


def slices(judged: ScoredPredictions, rules: ScoredPredictions | None) -> list[SliceResult]:
    """One slice per value of each column of `evaluation.slices`; numbers of many values are cut into quarters.

    Of a column with more than 12 values the rarest are put together. Intervals come from 200 resamples.
    """
    return [
        _slice(judged.only(rows), column, value, rules)
        for column in judged.use_case.evaluation.slices
        for value, rows in _parts(judged.frame[column])
    ]


def _parts(series: "pd.Series[Any]") -> Iterator[tuple[str, NDArray[np.bool_]]]:
    values = _quarters(series) if _is_spread_out(series) else _kept(series)
    for value in dict.fromkeys(values.cat.categories):
        rows = (values == value).to_numpy()
        if rows.any():
            yield str(value), rows


def _is_spread_out(series: "pd.Series[Any]") -> bool:
    number = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    return bool((number or pd.api.types.is_datetime64_any_dtype(series)) and series.nunique() > _FEW_VALUES)


def _quarters(series: "pd.Series[Any]") -> "pd.Series[Any]":
    cut = pd.qcut(series, 4, duplicates="drop")
    names = []
    for interval in cut.cat.categories:
        inside = series[(cut == interval).to_numpy()]
        names.append(f"{_text(inside.min())} to {_text(inside.max())}")
    return _with_missing(cut.cat.rename_categories(names))


def _kept(series: "pd.Series[Any]") -> "pd.Series[Any]":
    known = series.dropna()
    frequent = known.value_counts().index[:_MOST_SLICES]
    # numbers in their own order, words the most frequent first
    order = sorted(frequent) if pd.api.types.is_numeric_dtype(series) else list(frequent)
    names = [_text(value) for value in order]
    categories = names if series.nunique() <= _MOST_SLICES else [*names, "(others)"]
    written = dict(zip(order, names, strict=True))
    distinct = {value: written.get(value, "(others)") for value in known.unique()}
    texts = series.map(distinct, na_action="ignore")
    return _with_missing(texts.astype(pd.CategoricalDtype(list(dict.fromkeys(categories)))))


def _with_missing(values: "pd.Series[Any]") -> "pd.Series[Any]":
    return values.cat.add_categories(_MISSING).fillna(_MISSING)


def _text(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def _slice(part: ScoredPredictions, column: str, value: str, rules: ScoredPredictions | None) -> SliceResult:
    same = rules.only(np.isin(rules.places, part.places)) if rules is not None else None
    return SliceResult(
        column=column,
        value=value,
        rows=len(part.truth),
        metric=_metric(part),
        rules_metric=None if same is None or not len(same.truth) else _value(same, part.use_case.evaluation.metric),
        worth=_value(part, "worth") or 0.0,
        truth=_truth(part, part.use_case),
    )


def _value(part: ScoredPredictions, metric: str) -> float | None:
    value = float(part.statistics()[metric](np.ones((1, len(part.truth))))[0])
    return value if np.isfinite(value) else None


def _metric(part: ScoredPredictions) -> MetricValue | None:
    judging, seed = part.use_case.evaluation, part.use_case.split.seed
    value = _value(part, judging.metric)
    resamples = min(_RESAMPLES, judging.bootstrap)
    drawn = bootstrap([part.statistics()[judging.metric]], len(part.truth), resamples, seed, part.blocks)
    low, high = percentile_interval(drawn[0], judging.confidence)
    return (
        MetricValue(value=value, low=low, high=high) if value is not None and np.isfinite([low, high]).all() else None
    )


def _truth(part: ScoredPredictions, use_case: UseCase) -> float:
    if use_case.problem.task == "regression":
        return float(part.truth.astype(np.float64).mean())
    if use_case.problem.task == "binary":
        return float(np.mean(part.truth == str(use_case.problem.positive)))
    return float(np.mean(part.truth == part.table["prediction"].to_numpy(dtype=str)))
