"""MLflow: trials as child runs, metrics of the run, and the registry with its aliases."""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException


def log_child_run(
    name: str, params: Mapping[str, object], metrics: Mapping[str, float], tags: Mapping[str, str]
) -> None:
    """One child of the active run: a tuning trial or a candidate."""
    with mlflow.start_run(run_name=name, nested=True, tags=dict(tags)):
        mlflow.log_params(dict(params))
        mlflow.log_metrics(dict(metrics))


def log_reports(files: Iterable[Path], folder: str) -> None:
    """Files of a report, kept with the active run."""
    for file in files:
        mlflow.log_artifact(str(file), folder)


def register_version(name: str, folder: Path, *, aliases: Iterable[str], tags: Mapping[str, str]) -> str:
    """Keep a bundle with the active run, register it as a new version of `name`, and move `aliases` to it.

    Returns the version's number in MLflow's registry.
    """
    client = mlflow.MlflowClient()
    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("register_version needs an active MLflow run")
    mlflow.log_artifacts(str(folder), "bundle")
    with contextlib.suppress(MlflowException):  # it is there already
        client.create_registered_model(name)
    source = f"{run.info.artifact_uri}/bundle"
    version = client.create_model_version(name, source=source, run_id=run.info.run_id, tags=dict(tags))
    for alias in aliases:
        client.set_registered_model_alias(name, alias, version.version)
    return str(version.version)
