"""When a retraining pays: what it is expected to bring in, and the best moment for it, from models tried in the past.

The expected regret of a model by its age (`regret_model`) says what every plan of retrainings would cost until the
horizon. The best plan is found by dynamic programming, and the model is retrained if that plan begins now. At the next
look all of it is done again with one period more (receding horizon). For a regret that grows linearly this comes to the
rule of age replacement: retrain when the regret since the last retraining has reached the price.

Sources: D. Bertsekas, Dynamic programming and optimal control, 2017 (receding horizon); R. Barlow and L. Hunter,
Optimum preventive maintenance policies, Operations Research 1960 (age replacement); I. Žliobaitė, M. Budka and
F. Stahl, Towards cost-sensitive adaptation: when is it worth updating your predictive model?, Neurocomputing 2015 (gain
against cost); B. Efron and R. Tibshirani, An introduction to the bootstrap, 1993 (jackknife).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.loop.hindsight import best_plan
from noria.loop.regret_model import RegretEvidence, RegretModel
from noria.loop.trial_history import TrialHistory
from noria.system.errors import NoriaError

Floats = NDArray[np.float64]
_QUANTILE = 1.96
"""Of the normal distribution, for an interval of 95 %."""


@dataclass(frozen=True)
class GainEstimate:
    """What a model learned now is expected to bring in more than the champion, until the horizon."""

    per_case: float
    """The estimate per case, in `problem.unit`."""
    low: float
    """Lower end of the 95 % interval of `total`."""
    high: float
    """Upper end."""
    cases_expected: float
    """Cases until the horizon."""
    total: float
    """The estimate for all of them, in `problem.unit`."""
    why: str
    """How it was estimated, in a sentence."""


@dataclass(frozen=True)
class RetrainingDecision:
    """Whether to retrain now, and why."""

    retrain: bool
    why: str
    """The reason, in plain sentences."""
    gain: GainEstimate | None
    """Of one retraining now, with an interval by the jackknife over the periods: it holds how much these differ, and
    cannot hold that the world will move otherwise. None: no two models were judged on the same cases."""
    planned: tuple[int, ...]
    """The moments of the best plan, in periods from now: 0 is now."""
    figures: dict[str, float]
    """Price, retrainings left, horizon, the champion's age and its regret beside that of other models of its age."""


def decide_retraining(
    history: TrialHistory, price: float, horizon: int, budget: int | None = None
) -> RetrainingDecision:
    """Whether to retrain now.

    Without a price and a budget each retraining that is expected to bring in anything is made.

    Args:
        history: what models of different age have brought in.
        price: of one retraining, in `problem.unit`.
        horizon: periods until the gain counts no more, or the budget is renewed.
        budget: retrainings left until then; None: no limit.

    Raises:
        NoriaError: `loop.price` if the price is negative, `loop.horizon` if the horizon is.

    >>> worth = np.where(np.tri(8, dtype=bool).T, 1.0 - 0.02 * np.subtract.outer(np.arange(8), np.arange(8)).T, np.nan)
    >>> history = TrialHistory(worth, np.full(8, 1000.0), 9000.0 + 1000 * np.arange(9), champion=0)
    >>> decide_retraining(history, price=300, horizon=20).retrain
    True
    >>> decide_retraining(history, price=300_000, horizon=20).retrain
    False
    """
    _check_horizon(horizon)
    evidence = RegretEvidence(history, horizon)
    model = evidence.fit() if len(evidence) else None
    regret = np.zeros((1, 1)) if model is None else _regret_to_come(history, model, horizon)
    plan = best_plan(-regret, price, budget)  # checks the price, also where nothing is planned
    if model is None:
        return RetrainingDecision(
            False, "No two models were judged on the same cases yet, so the gain is not known.", None, (), {}
        )
    gain = _gain(history, evidence, horizon)
    planned = tuple(moment - 1 for moment in plan.moments)
    figures = {
        "price": float(price),
        "horizon": float(horizon),
        "champion_age": float(history.periods - history.champion),
        "champion_factor": float(model.champion_factor),
    } | ({} if budget is None else {"retrainings_left": float(budget)})
    return RetrainingDecision(
        retrain=planned[:1] == (0,),
        why=_reason(gain, planned, price, budget),
        gain=gain,
        planned=planned,
        figures=figures,
    )


def _regret_to_come(history: TrialHistory, model: RegretModel, horizon: int) -> Floats:
    """(horizon + 1, horizon + 1) the first row is the champion, row 1 + i a model learned i periods from now.

    The first column is the present, in which nothing is lost, so that the champion may be replaced at once.
    """
    now, end = history.periods, history.periods + horizon
    regret = np.zeros((horizon + 1, horizon + 1))
    for row, learned in enumerate([history.champion, *range(now, end)]):
        periods = np.arange(max(learned, now), end)
        regret[row, 1 + periods - now] = model.regret(learned, periods)
    return np.asarray(regret * history.cases.mean())


def _gain(history: TrialHistory, evidence: RegretEvidence, horizon: int) -> GainEstimate:
    model = evidence.fit()
    total = _gain_of(history, model, horizon)
    spread = _jackknife(history, evidence, horizon)
    cases = float(history.cases.mean()) * horizon
    low, high = total - _QUANTILE * spread, total + _QUANTILE * spread
    judged = int(np.isfinite(history.worth[:, history.compared]).any(axis=1).sum())
    why = (
        f"{judged} models of different age were judged on the same cases of {len(evidence)} periods; the champion "
        f"learned {history.periods - history.champion} periods ago and loses {model.champion_factor:.2g} times as much "
        f"as other models of its age"
    )
    return GainEstimate(total / cases if cases else 0.0, low, high, cases, total, why)


def _gain_of(history: TrialHistory, model: RegretModel, horizon: int) -> float:
    periods = np.arange(history.periods, history.periods + horizon)
    kept, renewed = model.regret(history.champion, periods), model.regret(history.periods, periods)
    return float((kept - renewed).sum() * history.cases.mean()) if history.champion < history.periods else 0.0


def _jackknife(history: TrialHistory, evidence: RegretEvidence, horizon: int) -> float:
    """Standard error of the gain, with one period after the other left out; infinite if there is only one."""
    periods = len(evidence)
    if periods < 2:
        return float("inf")
    gains = np.array([_gain_of(history, evidence.fit(without=each), horizon) for each in range(periods)])
    return float(np.sqrt((periods - 1) / periods * ((gains - gains.mean()) ** 2).sum()))


def _reason(gain: GainEstimate, planned: tuple[int, ...], price: float, budget: int | None) -> str:
    expected = (
        f"A model learned now is expected to bring in {gain.total:,.4g} ({gain.low:,.4g} to {gain.high:,.4g}) more "
        f"than the champion over the next {gain.cases_expected:,.0f} cases; a retraining costs {price:,.4g}"
    )
    left = "" if budget is None else f", {budget} are left"
    if budget == 0:
        return f"{expected}{left}."
    if not planned:
        return f"{expected}{left}. No retraining pays until the horizon."
    if planned[0] == 0:
        return f"{expected}{left}. No later moment is better than now."
    return f"{expected}{left}. The best moment is expected in {planned[0]} periods."


def _check_horizon(horizon: int) -> None:
    if horizon < 0:
        raise NoriaError(
            f"a horizon of {horizon} periods has passed", code="loop.horizon", fix="give 0 periods to come or more"
        )
