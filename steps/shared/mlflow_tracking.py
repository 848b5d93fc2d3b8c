"""MLflow: trials as child runs, metrics of the run, and the registry with its aliases.

On a stack without MLflow nothing is logged. MLflow takes a second to import, so it is imported by the first step that
needs it.
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

    if mlflow.active_run() is None:
        return
    with defer_signals(), mlflow.start_run(run_name=name, nested=True, tags=dict(tags)):
        mlflow.log_params(dict(params))
        mlflow.log_metrics(dict(metrics))


def log_metrics(metrics: Mapping[str, float]) -> None:
    """Metrics of the active run."""
    import mlflow

    if mlflow.active_run() is not None:
        mlflow.log_metrics(dict(metrics))


def register_version(name: str, folder: Path, tags: Mapping[str, str], number: int) -> str:
    """Keep a bundle with the active run and register it as a version of `name`.

    MLflow counts the versions that are registered, ZenML those that are begun. So the numbers of runs that did not
    finish are used up, and both registries call a version by the same number.

    Args:
        name: name of the model.
        folder: the bundle.
        tags: tags of the version.
        number: ZenML's number of the version.

    Returns:
        Its number in MLflow: a higher one only where MLflow knows more versions than ZenML. Empty: the run is not
        tracked in MLflow.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    run = mlflow.active_run()
    if run is None:
        return ""
    client = mlflow.MlflowClient()
    mlflow.log_artifacts(str(folder), "bundle")
    with contextlib.suppress(MlflowException):  # it is there already
        client.create_registered_model(name)
    source = f"{run.info.artifact_uri}/bundle"
    version = client.create_model_version(name, source=source, run_id=run.info.run_id, tags=dict(tags))
    while int(version.version) < number:
        unused = version.version
        version = client.create_model_version(name, source=source, run_id=run.info.run_id, tags=dict(tags))
        client.delete_model_version(name, unused)
    return str(version.version)


def set_alias(name: str, alias: str, version: str) -> None:
    """Let an alias of MLflow's registry stand for this version from now on."""
    import mlflow

    mlflow.MlflowClient().set_registered_model_alias(name, alias, version)
