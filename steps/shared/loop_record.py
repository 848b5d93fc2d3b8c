"""Decisions of the loop, kept with the model version in ZenML and MLflow. What goes wrong here is a warning."""

from datetime import datetime

from zenml import log_metadata
from zenml.client import Client

from noria.system import progress

_KEY = "loop_decision"
_LONGEST = 4000


def record_decision(name: str, version: str, at: datetime, said: str) -> None:
    """Keep the last decision with a model version.

    Args:
        name: name of the model.
        version: its number in ZenML.
        at: when it was decided.
        said: the decision and its reason.
    """
    text = f"{at:%Y-%m-%d %H:%M} UTC: {said}"[:_LONGEST]
    try:
        log_metadata({_KEY: text}, model_name=name, model_version=version)
        _tag(name, version, text)
    except Exception as error:  # the journal has it; no look fails for this
        progress.warn(f"the decision could not be kept in the registries: {type(error).__name__}")


def _tag(name: str, version: str, text: str) -> None:
    tracker = Client().active_stack.experiment_tracker
    if tracker is None or tracker.flavor != "mlflow":
        return
    import mlflow

    tracker.configure_mlflow()
    client = mlflow.MlflowClient()
    for each in client.search_model_versions(f"name = '{name}' and tags.zenml_version = '{version}'"):
        client.set_model_version_tag(name, each.version, _KEY, text)
