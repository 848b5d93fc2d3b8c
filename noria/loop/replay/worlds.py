"""Ways to retrain, on the same cases: never, by calendar, on an alarm, as the loop did, and the best in hindsight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.loop.hindsight import best_plan
from noria.loop.replay.alarms import Adwin, half_the_columns_drifted
from noria.loop.replay.models import PeriodModels
from noria.metrics.metrics import calibration_error, primary_metric

Floats = NDArray[np.float64]

CALENDARS = (1, 2, 4, 8, 13)
"""Periods between two retrainings."""
HINDSIGHT = 5
"""Up to so many retrainings, the best moments are looked for."""
_SAMPLE = 5_000


@dataclass(frozen=True)
class ServedAnswers:
    """What the service answered on the n cases of the replay."""

    scores: Floats
    """(n,) binary: the probability; regression: the number. NaN: there was no answer."""
    worth: Floats
    """(n,) what each decision brought in, in `problem.unit`; NaN: there was no answer."""
    moments: tuple[int, ...]
    """The periods at whose start the loop had put a new model into service."""
    retrainings: int
    """Trainings that the loop began, with those that led to no new model."""
    labels: int
    """Labels that the last model has learned."""


@dataclass(frozen=True)
class World:
    """What one way to retrain came to."""

    name: str
    worth: float
    """What all decisions brought in, in `problem.unit`."""
    total: float
    """That, less the price of the retrainings."""
    share: float
    """Of what retraining at each period gains over never; NaN if that gains nothing."""
    metric: float
    """`evaluation.metric` over all answers."""
    calibration: float
    """Binary: expected calibration error in ten bins of equal size; regression: the mean of answer less truth."""
    retrainings: int
    labels: int
    """Labels that the last model has learned."""
    by_period: Floats
    """(p,) what the decisions of each period brought in."""
    moments: tuple[int, ...]
    """The periods at whose start a new model took over."""
    is_bound: bool = False
    """Whether it knows the future."""


def compare_worlds(
    models: PeriodModels,
    served: ServedAnswers,
    use_case: UseCase,
    known: NDArray[np.intp],
    *,
    price: float,
    drifted: tuple[int, ...],
) -> list[World]:
    """Every way to retrain on the same cases.

    Args:
        models: the model of each of p periods, and its answers on n cases.
        served: what the service answered on them.
        use_case: the task and the metric.
        known: (n,) the period at whose start each label is known first.
        price: of one retraining, in `problem.unit`.
        drifted: where `on_drifted_columns` retrains.
    """
    compared = _Comparison(models, use_case, price)
    earned = np.nan_to_num(models.by_period())
    plans: list[tuple[str, tuple[int, ...]]] = [("never", ())]
    plans += [(_calendar(every), tuple(range(every, models.periods, every))) for every in CALENDARS]
    plans += [("alarm: ADWIN on the errors", on_errors(models, known))]
    plans += [("alarm: half of the columns drifted (Evidently)", drifted)]
    best = [(f"hindsight, {most} at most", best_plan(earned, 0.0, most).moments) for most in range(1, HINDSIGHT + 1)]
    best += [("hindsight, by price", best_plan(earned, price).moments)]
    return [
        *(compared.world(name, moments) for name, moments in plans),
        compared.weigh("Noria", served),
        *(compared.world(name, moments, is_bound=True) for name, moments in best),
    ]


def on_errors(models: PeriodModels, known: NDArray[np.intp]) -> tuple[int, ...]:
    """The periods at whose start ADWIN has found that the errors of the model in service have risen.

    Args:
        models: as above.
        known: (n,) the period at whose start each label is known first.
    """
    span = float(np.ptp(models.truth)) or 1.0
    champion, moments, alarm = 0, [], Adwin()
    for now in range(1, models.periods):
        rows = np.flatnonzero((known == now) & np.isfinite(models.scores[champion]))
        errors = np.minimum(np.abs(models.scores[champion, rows] - models.truth[rows]) / span, 1.0)
        if alarm.add(errors):
            moments.append(now)
            champion, alarm = now, Adwin()
    return tuple(moments)


def on_drifted_columns(
    models: PeriodModels, learned: pd.DataFrame, asked: pd.DataFrame, known: NDArray[np.intp]
) -> tuple[int, ...]:
    """The periods at whose start Evidently finds the last period far from what the model in service has learned.

    Args:
        models: as above.
        learned: (m, k) inputs that the first model has learned.
        asked: (n, k) inputs of the cases.
        known: (n,) the period at whose start each label is known first.
    """
    champion, moments = 0, []
    for now in range(1, models.periods):
        reference, current = pd.concat([learned, asked[known <= champion]]), asked[models.period == now - 1]
        few, some = (each.sample(min(len(each), _SAMPLE), random_state=now) for each in (current, reference))
        if len(few) and half_the_columns_drifted(some, few):
            moments.append(now)
            champion = now
    return tuple(moments)


@dataclass(frozen=True)
class _Comparison:
    models: PeriodModels
    use_case: UseCase
    price: float

    def world(self, name: str, moments: Sequence[int], *, is_bound: bool = False) -> World:
        """What retraining at the start of these periods would have come to."""
        serving = np.zeros(self.models.periods, dtype=np.intp)
        for moment in sorted(moments):
            serving[moment:] = moment
        at = serving[self.models.period], np.arange(len(self.models.period))
        answers = ServedAnswers(
            scores=self.models.scores[at],
            worth=self.models.worth[at],
            moments=tuple(moments),
            retrainings=len(moments),
            labels=int(self.models.labels[serving[-1]]),
        )
        return self.weigh(name, answers, is_bound=is_bound)

    def weigh(self, name: str, answers: ServedAnswers, *, is_bound: bool = False) -> World:
        """The figures of these answers."""
        scores = answers.scores
        earned = np.nan_to_num(answers.worth)
        never, weekly = self._extremes
        answered = np.isfinite(scores)
        truth, scores = self.models.truth[answered], scores[answered]
        return World(
            name=name,
            worth=float(earned.sum()),
            total=float(earned.sum()) - self.price * answers.retrainings,
            share=(float(earned.sum()) - never) / (weekly - never) if weekly > never else float("nan"),
            metric=_metric(self.use_case, truth, scores),
            calibration=_calibration(self.use_case, truth, scores),
            retrainings=answers.retrainings,
            labels=answers.labels,
            by_period=np.bincount(self.models.period, earned, self.models.periods).astype(np.float64),
            moments=answers.moments,
            is_bound=is_bound,
        )

    @property
    def _extremes(self) -> tuple[float, float]:
        """What never retraining and retraining at each period bring in."""
        earned = np.nan_to_num(self.models.by_period())
        return float(earned[0].sum()), float(np.trace(earned))


def _calendar(every: int) -> str:
    return "calendar, each period" if every == 1 else f"calendar, each {every} periods"


def _metric(use_case: UseCase, truth: Floats, scores: Floats) -> float:
    if use_case.problem.task == "binary":
        positive = str(use_case.problem.positive)
        return primary_metric(use_case, np.where(truth == 1, positive, f"not {positive}"), scores)
    return primary_metric(use_case, truth, scores)


def _calibration(use_case: UseCase, truth: Floats, scores: Floats) -> float:
    if use_case.problem.task != "binary":
        return float((scores - truth).mean())
    return calibration_error(truth, scores)
