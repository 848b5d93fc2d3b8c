"""What each way to retrain comes to on the same cases: worth, quality, calibration, retrainings, labels, total."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.retrained.cases import Case
from benchmarks.retrained.policies import by_calendar, on_drifted_columns, on_errors, when_it_pays
from benchmarks.retrained.stream import Stream
from noria.loop.hindsight import best_plan, plan_of
from noria.loop.replay.worlds import CALENDARS
from noria.metrics.metrics import calibration_error

MOST = 5
NEVER, NORIA, NORIA_FEW, HINDSIGHT = "never", "Noria", f"Noria, at most {MOST}", "hindsight, by price"


@dataclass(frozen=True)
class World:
    """One way to retrain on one case."""

    name: str
    is_hindsight: bool
    moments: tuple[int, ...]
    trials: int
    """Models fitted for trial only."""
    worth: float
    """What all decisions brought in."""
    total: float
    """That less the price of the retrainings."""
    share: float
    """Of what retraining each period gains over never."""
    quality: float
    """ROC AUC of all answers, or their mean absolute error."""
    calibration: float
    """Expected calibration error in ten bins of equal size, or the mean of prediction less truth."""
    labels: int
    """Labels that the last model has learned."""


@dataclass(frozen=True)
class Ground:
    """What all worlds of a case have in common."""

    case: Case
    stream: Stream
    found: np.ndarray
    """(periods, n) scores of the models."""
    price: float
    """Of a retraining."""


def worlds(ground: Ground) -> list[World]:
    """Every world on one case."""
    case, stream, price = ground.case, ground.stream, ground.price
    priced, priced_trials = when_it_pays(stream, price)
    few, few_trials = when_it_pays(stream, price, MOST)
    causal = {
        NEVER: (),
        **{f"calendar, each {every}": by_calendar(stream.periods, every) for every in CALENDARS},
        "alarm: ADWIN on the errors": on_errors(case, ground.found),
        "alarm: half of the columns drifted": on_drifted_columns(case),
    }
    bounds = {f"hindsight, at most {count}": best_plan(stream.worth, 0.0, count) for count in range(1, MOST + 1)}
    bounds[HINDSIGHT] = best_plan(stream.worth, price)
    return [
        *(_world(ground, name, moments) for name, moments in causal.items()),
        _world(ground, NORIA, priced, trials=priced_trials),
        _world(ground, NORIA_FEW, few, trials=few_trials),
        *(_world(ground, name, plan.moments, is_hindsight=True) for name, plan in bounds.items()),
    ]


def share_of_gain(stream: Stream, moments: tuple[int, ...]) -> float:
    """The part of what retraining each period gains over never."""
    never = float(stream.worth[0].sum())
    return (plan_of(stream.worth, moments).worth - never) / (float(np.trace(stream.worth)) - never)


def totals(stream: Stream, price: float, budget: int | None = None) -> dict[str, float]:
    """The total of Noria, of the best calendar among five and never, and of hindsight, less that of never."""
    never = plan_of(stream.worth, ()).total
    moments, _ = when_it_pays(stream, price, budget)
    calendars = [plan_of(stream.worth, by_calendar(stream.periods, every), price).total for every in CALENDARS]
    return {
        "noria": plan_of(stream.worth, moments, price).total - never,
        "calendar": max(*calendars, never) - never,
        "hindsight": best_plan(stream.worth, price, budget).total - never,
        "retrainings": len(moments),
        "share": share_of_gain(stream, moments),
    }


def _world(
    ground: Ground, name: str, moments: tuple[int, ...], *, trials: int = 0, is_hindsight: bool = False
) -> World:
    case, stream = ground.case, ground.stream
    plan = plan_of(stream.worth, moments, ground.price)
    serving = np.zeros(stream.periods, dtype=int)
    for moment in moments:
        serving[moment:] = moment
    rows = np.flatnonzero(case.period >= 0)
    answers, truth = ground.found[serving[case.period[rows]], rows].astype(np.float64), case.truth[rows]
    quality, calibration = _quality(case.binary)(answers, truth)
    return World(
        name,
        is_hindsight,
        moments,
        trials,
        plan.worth,
        plan.total,
        share_of_gain(stream, moments),
        quality,
        calibration,
        int(stream.labels[serving[-1]]),
    )


def _quality(binary: bool) -> Callable[[np.ndarray, np.ndarray], tuple[float, float]]:
    from sklearn.metrics import roc_auc_score

    def of_classes(answers: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
        return float(roc_auc_score(truth, answers)), calibration_error(truth, answers)

    def of_numbers(answers: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
        return float(np.abs(answers - truth).mean()), float((answers - truth).mean())

    return of_classes if binary else of_numbers
