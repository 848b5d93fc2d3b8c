"""How a run is tracked: in MLflow an experiment for each use case; on a stack without a tracker not at all."""

from typing import Any

TRACKED_STEPS = ("train_candidates", "tune", "evaluate", "gate", "register")
"""The steps that log to the stack's experiment tracker."""


def tracking_options(client: Any, pipeline: str, use_case: str) -> dict[str, Any]:
    """Options of a run on the active stack.

    Args:
        client: ZenML's client.
        pipeline: name of the pipeline.
        use_case: whose experiment it is.
    """
    if pipeline != "training":
        return {}
    tracker = client.active_stack.experiment_tracker
    if tracker is None:
        return {"steps": {name: {"experiment_tracker": False} for name in TRACKED_STEPS}}
    if tracker.flavor != "mlflow":
        return {}
    name = experiment_name(tracker, use_case)
    return {"settings": {f"{tracker.type}:{tracker.name}": {"experiment_name": name}}}


def experiment_name(tracker: Any, use_case: str) -> str:
    """MLflow's name of the experiment: what the stack says, or else the use case's."""
    return str(tracker.config.experiment_name or use_case)
