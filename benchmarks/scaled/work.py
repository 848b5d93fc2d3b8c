"""One engine's work on one table, in a process of its own: what each stage took."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from benchmarks.served.case import use_case as churn
from noria.batch import predict_file
from noria.bundle import Bundle
from noria.config import UseCase
from noria.config.engine import EngineConfig
from noria.config.serving import ServingConfig
from noria.models.estimators import fit_estimator
from noria.models.preparation import build_preparation
from noria.models.training_rows import read_training_rows
from noria.training.leaderboard import folds_of
from noria.training.tuning import tune

ROUNDS = 100
TRIALS = 4
TUNED_ROWS = 100_000
"""Tables with more rows are not tuned: cross-validation keeps every fold, and the memory is that of one machine."""


def main(engine: str, place: Path, rows: int) -> None:
    """Do the work and print what its stages took, in seconds."""
    use_case = _use_case(EngineConfig(name=engine))  # type: ignore[arg-type]
    took: dict[str, float] = {}
    table = pd.read_parquet(place / "rows.parquet")
    with _timed(took, "start"):
        _start(use_case.engine)
    with _timed(took, "prepare"):
        read = read_training_rows(table, use_case)
        preparation = build_preparation("xgboost", read.schema, use_case.features.clip_quantile)
        prepared = preparation.fit_transform(read.checked.matrix)
    with _timed(took, "train"):
        fit_estimator("xgboost", {"n_estimators": ROUNDS, "max_depth": 6}, read, prepared, use_case)
    del read, prepared
    if rows <= TUNED_ROWS:
        with _timed(took, "tune"):
            tune("xgboost", table, use_case, folds=folds_of(table, use_case, ["xgboost"]))
    del table
    with _timed(took, "predict"):
        predict_file(
            Bundle.load(place / "bundle"),
            place / "rows.parquet",
            place / f"answers-{engine}.parquet",
            chunk_rows=ServingConfig().batch_rows,
            quarantine=place / "bad.csv",
            engine=use_case.engine,
        )
    print(json.dumps(took))


def _use_case(engine: EngineConfig) -> UseCase:
    models = {"candidates": {"xgboost": {"params": {"n_estimators": ROUNDS}}}, "trials": TRIALS, "folds": 3}
    raw = churn().model_dump(mode="json", exclude_unset=True) | {"models": models}
    return UseCase.model_validate(raw | {"engine": engine.model_dump()})


def _start(engine: EngineConfig) -> None:
    if engine.name == "ray":
        from noria.engines.ray.cluster import connect

        connect(engine)


@contextmanager
def _timed(took: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    took[stage] = time.perf_counter() - began


if __name__ == "__main__":  # `python -m benchmarks.scaled.work ENGINE FOLDER ROWS`
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
