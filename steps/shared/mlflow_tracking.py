"""MLflow: trials as child runs, metrics of the run, and the registry with its aliases.

MLflow takes a second to import, so it is imported by the first step that needs it.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from noria.system.signals import defer_signals


def log_child_run(
    name: str, params: Mapping[str, object], metrics: Mapping[str, float], tags: Mapping[str, str]
) -> None:
    """One child of the active run: a tuning trial or a candidate."""
    import mlflow

    with defer_signals(), mlflow.start_run(run_name=name, nested=True, tags=dict(tags)):
        mlflow.log_params(dict(params))
        mlflow.log_metrics(dict(metrics))


def register_version(name: str, folder: Path, tags: Mapping[str, str]) -> str:
    """Keep a bundle with the active run and register it as a new version of `name`.

    Returns the version's number in MLflow's registry.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    client = mlflow.MlflowClient()
    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("register_version needs an active MLflow run")
    mlflow.log_artifacts(str(folder), "bundle")
    with contextlib.suppress(MlflowException):  # it is there already
        client.create_registered_model(name)
    source = f"{run.info.artifact_uri}/bundle"
    version = client.create_model_version(name, source=source, run_id=run.info.run_id, tags=dict(tags))
    return str(version.version)


def set_alias(name: str, alias: str, version: str) -> None:
    """Let an alias of MLflow's registry stand for this version from now on."""
    import mlflow

    mlflow.MlflowClient().set_registered_model_alias(name, alias, version)
