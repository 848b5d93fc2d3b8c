"""Tuning by Ray Tune: trials side by side on a cluster, proposed by Optuna as those of the local search are.

Sources: R. Liaw et al., Tune: A Research Platform for Distributed Model Selection and Training, 2018; trials that fall
behind are stopped by the median rule of D. Golovin et al., Google Vizier, KDD 2017.
"""

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from noria.engines.ray.cluster import cause_of
from noria.engines.ray.folds import FoldsThere, SharedFolds
from noria.engines.ray.storage import scratch
from noria.models.candidates import Params
from noria.models.cross_validation import run_folds
from noria.system.signals import raise_if_stopped
from noria.training.tuning import suggested

if TYPE_CHECKING:
    from noria.training.tuning import Tuner

_BEFORE_PRUNING = 4
_TRIES = 2
"""How often a trial is begun anew when its machine is lost."""


def search(tuner: "Tuner") -> None:
    """Run all trials of one kind and keep the best; the tuner's folds lie on the cluster.

    Raises:
        NoriaError: as a trial; the cluster cannot be used, or has lost a trial for good.
    """
    from ray import tune

    folds = tuner.folds
    assert isinstance(folds, SharedFolds)  # noqa: S101 - `noria.training.leaderboard` makes them
    trial = tune.with_parameters(_trial, kind=tuner.kind, folds=folds.there(tuner.kind))
    with scratch(tuner.use_case, f"tuning-{tuner.kind}") as folder, raise_if_stopped():
        results = tune.Tuner(
            tune.with_resources(trial, {"cpu": tuner.use_case.engine.cores}),
            tune_config=_plan(tuner),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=folder,
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=_TRIES),
                callbacks=[_listener(tuner)],
            ),
        ).fit()
    if results.errors:
        raise cause_of(results.errors[0])
    _keep_best(tuner)


def _trial(params: Params, kind: str, folds: FoldsThere) -> None:
    from ray import tune

    run_folds(kind, params, folds, lambda fold, mean: tune.report({"mean": mean}))


def _plan(tuner: "Tuner") -> Any:
    import optuna
    from ray import tune
    from ray.tune.schedulers import MedianStoppingRule
    from ray.tune.search.optuna import OptunaSearch

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    models, mode = tuner.use_case.models, "max" if tuner.direction == "maximize" else "min"
    return tune.TuneConfig(
        search_alg=OptunaSearch(
            partial(suggested, tuner.start, tuner.space),
            metric="mean",
            mode=mode,
            points_to_evaluate=[tuner.first],
            sampler=optuna.samplers.TPESampler(seed=models.seed),
        ),
        scheduler=MedianStoppingRule(
            "training_iteration",
            "mean",
            mode,
            grace_period=1,
            min_samples_required=_BEFORE_PRUNING,
            min_time_slice=math.inf,  # never paused in favour of another: it would begin anew
        ),
        reuse_actors=True,  # a process takes seconds to start
        num_samples=tuner.planned,
        time_budget_s=models.timeout_s,
    )


def _listener(tuner: "Tuner") -> Any:
    """Tells the tuner of every trial that ends, as the local search does."""
    from ray import tune

    class Listener(tune.Callback):  # type: ignore[misc]
        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            told = trial.last_result
            if "mean" not in told:  # the time was up before its first fold
                return
            state: Literal["complete", "pruned"] = (
                "complete" if told["training_iteration"] == len(tuner.folds) else "pruned"
            )
            tuner.record(trials.index(trial), trial.config, told["mean"], state, told["time_total_s"])

    return Listener()


def _keep_best(tuner: "Tuner") -> None:
    """Fit the folds of the best trial once more: its models and scores have stayed where it ran."""
    done = [trial for trial in tuner.trials if trial.state == "complete"]
    best = max(done, key=lambda trial: tuner.sign * trial.value, default=None)
    params = best.params if best else tuner.start
    tuner.best = run_folds(tuner.kind, params, tuner.folds.ahead(tuner.kind, params))
