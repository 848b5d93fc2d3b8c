"""The engine of one machine: work runs in this process, on all its cores."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from noria.config.engine import EngineConfig
from noria.engines.engine import BoostingJob, Search

T = TypeVar("T")
_STARTUP_TRIALS = 4


@dataclass(frozen=True, eq=False)
class LocalHandle:
    """The value itself."""

    value: object

    def get(self) -> object:
        """The value."""
        return self.value


class LocalEngine:
    """Runs everything here; tasks run when their results are asked for."""

    is_distributed = False
    rows_per_task = None

    def __init__(self, config: EngineConfig) -> None:
        self.cores = config.cores

    def map(self, function: Callable[..., T], pieces: Iterable[Sequence[Any]], **shared: Any) -> list[T]:
        """See `Engine.map`."""
        return [function(*piece, **shared) for piece in pieces]

    def share(self, value: object) -> object:
        """See `Engine.share`: the value itself."""
        return value

    def handle(self, value: object) -> LocalHandle:
        """See `Engine.handle`."""
        return LocalHandle(value)

    def submit(self, function: Callable[..., Any], *arguments: Any, outputs: int = 1, **named: Any) -> Any:
        """See `Engine.submit`; the task runs at once."""
        found = function(*arguments, **named)
        return list(found) if outputs > 1 else found

    def result(self, reference: Any) -> Any:
        """See `Engine.result`: a reference is the result itself."""
        return reference

    def stream(
        self,
        items: Sequence[Any],
        function: Callable[..., Iterator[T]],
        *,
        expand: Callable[..., Iterator[Any]] | None = None,
        **shared: Any,
    ) -> Generator[T, None, None]:
        """See `Engine.stream`."""
        for item in items:
            for each in (item,) if expand is None else expand(item):
                yield from function(each, **shared)

    def train_xgboost(self, job: BoostingJob) -> Any:
        """See `Engine.train_xgboost`."""
        import xgboost

        data = xgboost.QuantileDMatrix(job.prepared, job.target, weight=job.weights, **job.table)
        return xgboost.train(job.settings, data, num_boost_round=job.rounds)

    def search(self, search: Search) -> None:
        """See `Engine.search`: Optuna's search, one trial after another."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        began = time.perf_counter()
        study = optuna.create_study(
            direction=search.direction,
            sampler=optuna.samplers.TPESampler(seed=search.seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS),
        )
        study.enqueue_trial(search.first)

        def objective(trial: Any) -> float:
            params = search.suggest(trial)

            def report(step: int, value: float) -> None:
                trial.report(value, step)
                last.append(value)
                late = search.timeout_s is not None and time.perf_counter() - began > search.timeout_s
                if trial.number > 0 and step + 1 < search.steps and (late or trial.should_prune()):
                    raise optuna.TrialPruned

            last: list[float] = []
            start = time.perf_counter()
            try:
                return search.run(trial.number, params, report)
            except optuna.TrialPruned:
                search.record(trial.number, params, last[-1], "pruned", time.perf_counter() - start)
                raise

        study.optimize(objective, n_trials=search.trials, timeout=search.timeout_s)
