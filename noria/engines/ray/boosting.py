"""XGBoost on the cores of a cluster: each worker has a share of the rows, and all grow the same trees.

The library's own data-parallel training (T. Chen and C. Guestrin, XGBoost, KDD 2016, section 3.4), started by Ray
Train. Every few rounds the model is kept in the shared storage; a run that was killed goes on from there.
"""

import json
import threading
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any

import fsspec
import ray
import ray.train
import xgboost
from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.v2.api.exceptions import TrainingFailedError
from ray.train.xgboost import RayTrainReportCallback, XGBoostTrainer

from noria.config.engine import EngineConfig
from noria.engines.engine import BoostingJob
from noria.engines.ray.cluster import cause_of, connect, require_cores
from noria.engines.ray.storage import place, remove
from noria.system import progress
from noria.system.signals import Stopped

_TRIES = 2
"""How often the workers are restarted when one is lost."""
_LOOK_S = 2.0
_FEW = 100
_SNAPSHOT = "checkpoint_manager_snapshot.json"


def boost(job: BoostingJob, engine: EngineConfig) -> xgboost.Booster:
    """Fit one model on all workers of the engine.

    Raises:
        NoriaError: the cluster cannot be used, has too few cores, or has lost the work for good.
        xgboost.core.XGBoostError: the library refuses a parameter's value.
        ValueError: as above.
    """
    require_cores(connect(engine), engine)
    _try(job)
    where = place(engine, job.owner, f"boosting-{job.digest}-{engine.workers}")
    if done := _rounds_in(where):
        progress.stage("resume", f"xgboost goes on after round {done:,} of {job.rounds:,}, where it was cut off")
    result = _watched(_trainer(job, engine, where), where, job.rounds)
    model: xgboost.Booster = RayTrainReportCallback.get_model(result.checkpoint)
    remove(where)
    return model


def _try(job: BoostingJob) -> None:
    """A parameter that the library refuses is refused here, before anything is sent about."""
    few = xgboost.QuantileDMatrix(job.prepared[:_FEW], job.target[:_FEW], **job.table)
    xgboost.train(job.settings, few, num_boost_round=1)


def _trainer(job: BoostingJob, engine: EngineConfig, where: str) -> XGBoostTrainer:
    n = engine.workers
    folder, _, name = where.rpartition("/")
    return XGBoostTrainer(
        _boost,
        train_loop_config={
            "shards": [ray.put(_shard(job, rank, n)) for rank in range(n)],
            "settings": job.settings | {"nthread": engine.cores},
            "table": job.table | {"nthread": engine.cores},
            "rounds": job.rounds,
            "every": engine.checkpoint_every,
        },
        scaling_config=ScalingConfig(num_workers=n, resources_per_worker={"CPU": engine.cores}),
        run_config=RunConfig(
            name=name,
            storage_path=folder,
            failure_config=FailureConfig(max_failures=_TRIES),
            checkpoint_config=CheckpointConfig(num_to_keep=1),
        ),
    )


def _shard(job: BoostingJob, rank: int, workers: int) -> tuple[Any, Any, Any]:
    """The rows of one worker, their target and their weights."""
    weights = None if job.weights is None else job.weights[rank::workers]
    return job.prepared[rank::workers], job.target[rank::workers], weights


def _boost(config: dict[str, Any]) -> None:
    """What each worker does; Ray Train has connected the workers' copies of XGBoost with one another."""
    prepared, target, weights = ray.get(config["shards"][ray.train.get_context().get_world_rank()])
    kept = ray.train.get_checkpoint()
    model = RayTrainReportCallback.get_model(kept) if kept else None
    done = model.num_boosted_rounds() if model else 0
    xgboost.train(
        # a run that goes on draws other rows and columns than its first rounds did
        config["settings"] | {"seed": config["settings"]["seed"] + done},
        xgboost.QuantileDMatrix(prepared, target, weight=weights, **config["table"]),
        num_boost_round=config["rounds"] - done,
        xgb_model=model,
        callbacks=[_Keep(frequency=config["every"])],
    )


class _Keep(RayTrainReportCallback):  # type: ignore[misc]
    """Reports with a checkpoint only: the workers wait for one another at each report."""

    def _report_metrics(self, report_dict: dict[str, Any]) -> None:
        pass

    def _save_and_report_checkpoint(self, report_dict: dict[str, Any], model: xgboost.Booster) -> None:
        super()._save_and_report_checkpoint({"rounds": model.num_boosted_rounds()}, model)


def _watched(trainer: XGBoostTrainer, where: str, rounds: int) -> Any:
    """The trainer's result. It works in a thread of its own: in the main one it would take Ctrl-C for itself."""
    coming: Future[Any] = Future()

    def fit() -> None:
        try:
            coming.set_result(trainer.fit())
        except BaseException as error:
            coming.set_exception(error)

    threading.Thread(target=fit, daemon=True).start()
    try:
        while not wait([coming], timeout=_LOOK_S).done:
            progress.tick(f"xgboost: {_rounds_in(where):,} of {rounds:,} rounds are kept")
        return coming.result()
    except TrainingFailedError as error:
        raise _reason(error) from error
    except Stopped:
        ray.shutdown()  # which ends the workers
        raise


def _rounds_in(where: str) -> int:
    """How far the run that is kept there has come; 0 where nothing is kept yet, or is just being written."""
    with suppress(FileNotFoundError, json.JSONDecodeError), fsspec.open(f"{where}/{_SNAPSHOT}", "rb") as file:
        latest = json.load(file)["latest_checkpoint_result"]
        return int(latest["metrics"]["rounds"]) if latest else 0
    return 0


def _reason(error: TrainingFailedError) -> Exception:
    failures = list(getattr(error, "worker_failures", {}).values()) or [error]
    causes = [getattr(each, "cause", each) for each in failures]
    known = [each for each in causes if isinstance(each, (xgboost.core.XGBoostError, ValueError))]
    return known[0] if known else cause_of(failures[0])
