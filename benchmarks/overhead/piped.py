"""Training through the pipeline, with the calls timed that belong to the work, to materializing and to MLflow."""

import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from app.environment import prepare_environment, zenml_client
from benchmarks.overhead.clock import Clock
from benchmarks.overhead.outcome import Outcome, finish
from benchmarks.overhead.phases import (
    LOAD,
    MLFLOW_IMPORTS,
    MLFLOW_REGISTRY,
    MLFLOW_RUNS,
    PYTHON,
    SAVE,
    ZENML_CLIENT,
    ZENML_IMPORTS,
    ZENML_STEPS,
)
from benchmarks.overhead.plain import train as _plain  # noqa: F401 - both sides load the same modules before the clock
from noria.config import UseCase, load_use_case

WORK = {
    "noria.data.sources": {"fingerprint": "fingerprint"},
    "app.commands.pipeline_runs": {"write_text": "reports"},
    "steps.training.ingest": {"read_training_table": "ingest"},
    "noria.data.validation": {"validate": "validate"},
    "noria.profiling.report": {"profile_table": "explore", "exploration_report": "explore"},
    "noria.data.split": {"split": "split"},
    "noria.training.leaderboard": {
        "score_candidates": "train_candidates",
        "tune_candidates": "tune",
        "fit_bundle": "select",
    },
    "noria.training.selection": {"select": "select"},
    "noria.evaluation.evaluate": {"evaluate": "evaluate"},
    "noria.bundle.writer": {"revise_bundle": "evaluate"},
    "noria.evaluation.promotion_gate": {"gate": "gate"},
    "noria.evaluation.report.evaluation_report": {"evaluation_report": "gate"},
    "noria.training.refit": {"refit_bundle": "refit"},
}
"""Module → function of Noria's that it calls → the phase of the plain script that calls the same."""
MLFLOW = {
    "mlflow": {"log_metrics": MLFLOW_RUNS},
    "steps.training.train_candidates": {"log_child_run": MLFLOW_RUNS},
    "steps.training.tune": {"log_child_run": MLFLOW_RUNS},
    "steps.training.register": {"register_version": MLFLOW_REGISTRY, "set_alias": MLFLOW_REGISTRY},
}
_MATERIALIZER = {
    "save": SAVE,
    "save_visualizations": SAVE,
    "extract_full_metadata": SAVE,
    "compute_content_hash": SAVE,
    "load": LOAD,
}


def _import(clock: Clock) -> None:
    """What a run imports and opens before its first step, each part in its own phase."""
    with clock.phase(ZENML_IMPORTS):
        import_module("zenml.client")
    with clock.phase(MLFLOW_IMPORTS):
        import_module("mlflow")
        import_module("zenml.integrations.mlflow.experiment_trackers.mlflow_experiment_tracker")
    with clock.phase(ZENML_CLIENT), import_module("app.stacks.stacks").stack_for_one_run(None):
        _ = zenml_client().active_stack
    with clock.phase(ZENML_IMPORTS):
        import_module("zenml.integrations.registry").integration_registry.activate_integrations()
        for module in ("pipelines.training", "app.commands.train", "zenml.orchestrators.step_runner"):
            import_module(module)


def _time_calls(clock: Clock) -> None:
    for calls in (WORK, MLFLOW):
        for module, functions in calls.items():
            for name, phase in functions.items():
                clock.time_calls(import_module(module), name, phase)
    from zenml.integrations.mlflow.experiment_trackers.mlflow_experiment_tracker import MLFlowExperimentTracker
    from zenml.materializers.base_materializer import BaseMaterializer

    for name in ("prepare_step_run", "get_step_run_metadata", "cleanup_step_run"):
        clock.time_calls(MLFlowExperimentTracker, name, MLFLOW_RUNS)
    for materializer in [BaseMaterializer, *_subclasses(BaseMaterializer)]:
        for name, phase in _MATERIALIZER.items():
            if name in vars(materializer):
                clock.time_calls(materializer, name, phase)


def _subclasses(of: type[Any]) -> Iterator[type[Any]]:
    for subclass in of.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _outcome(use_case: UseCase) -> Outcome:
    """What the latest run found, read back from its artifacts."""
    from zenml.client import Client

    from app.runs.launch import artifact

    run = Client().get_pipeline("training").last_run
    return Outcome.of(
        artifact(run, "tune", "leaderboard"),
        artifact(run, "select", "selection"),
        artifact(run, "evaluate", "evaluation"),
        artifact(run, "gate", "verdict"),
    )


def main(arguments: list[str]) -> None:
    """`python -m benchmarks.overhead.piped USE_CASE RESULT`, in an environment that names NORIA_HOME."""
    began = time.time()
    clock = Clock(ZENML_STEPS)
    with clock.phase(PYTHON):
        use_case = load_use_case(Path(arguments[0]))
        prepare_environment()
    _import(clock)
    _time_calls(clock)
    from app.commands.train import train

    train(use_case, None, again=True)
    finish(Path(arguments[1]), began, clock, lambda: _outcome(use_case))


if __name__ == "__main__":
    main(sys.argv[1:])
