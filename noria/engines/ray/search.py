"""Hyper-parameter search by Ray Tune: trials side by side on a cluster, proposed by Optuna as in the local search.

Sources: R. Liaw et al., Tune: A Research Platform for Distributed Model Selection and Training, 2018; trials that fall
behind are stopped by the median rule of D. Golovin et al., Google Vizier, KDD 2017.
"""

import math
from collections.abc import Callable
from typing import Any

import optuna
from ray import tune
from ray.tune.schedulers import MedianStoppingRule
from ray.tune.search.optuna import OptunaSearch

from noria.config.engine import EngineConfig
from noria.engines.engine import Params, Search, TrialState
from noria.engines.ray.cluster import cause_of
from noria.engines.ray.storage import scratch
from noria.system.signals import raise_if_stopped

_BEFORE_PRUNING = 4
_TRIES = 2
"""How often a trial is repeated when its machine is lost."""


def run_search(search: Search, engine: EngineConfig) -> None:
    """Run all trials of a search on a cluster that is connected; each is recorded.

    Raises:
        NoriaError: as a trial; the cluster cannot be used, or has lost a trial for good.
    """
    trial = tune.with_parameters(_trial, objective=search.objective())
    with scratch(engine, search.owner, f"tuning-{search.name}") as folder, raise_if_stopped():
        results = tune.Tuner(
            tune.with_resources(trial, {"cpu": engine.cores}),
            tune_config=_plan(search),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=folder,
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=_TRIES),
                callbacks=[_Listener(search)],
            ),
        ).fit()
    if results.errors:
        raise cause_of(results.errors[0])


def _trial(params: Params, objective: Callable[[Params, Callable[[int, float], None]], None]) -> None:
    objective(params, lambda step, value: tune.report({"mean": value}))


def _plan(search: Search) -> Any:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    mode = "max" if search.direction == "maximize" else "min"
    return tune.TuneConfig(
        search_alg=OptunaSearch(
            search.suggest,
            metric="mean",
            mode=mode,
            points_to_evaluate=[search.first],
            sampler=optuna.samplers.TPESampler(seed=search.seed),
        ),
        scheduler=MedianStoppingRule(
            "training_iteration",
            "mean",
            mode,
            grace_period=1,
            min_samples_required=_BEFORE_PRUNING,
            min_time_slice=math.inf,  # never paused in favour of another: it would start over
        ),
        reuse_actors=True,  # a process takes seconds to start
        num_samples=search.trials,
        time_budget_s=search.timeout_s,
    )


class _Listener(tune.Callback):  # type: ignore[misc]
    """Records every trial that ends, as the local search does."""

    def __init__(self, search: Search) -> None:
        self.search = search

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        last = trial.last_result
        if "mean" not in last:  # the time was up before its first report
            return
        state: TrialState = "complete" if last["training_iteration"] == self.search.steps else "pruned"
        self.search.record(trials.index(trial), trial.config, last["mean"], state, last["time_total_s"])
