"""Making a workspace: what only the first run in a `NORIA_HOME` pays for."""

import json
import sys
from pathlib import Path

from app.environment import prepare_environment
from benchmarks.overhead.clock import Clock

DATABASES = ("ZenML's database and stack", "MLflow's database")


def main(arguments: list[str]) -> None:
    """`python -m benchmarks.overhead.prepare RESULT`, in an environment that names NORIA_HOME."""
    clock = Clock("imports")
    prepare_environment()
    import mlflow
    from zenml.client import Client

    from app.stacks.stacks import stack_for_one_run

    with clock.phase(DATABASES[0]), stack_for_one_run(None):
        tracker = Client().active_stack.experiment_tracker
    with clock.phase(DATABASES[1]):
        tracker.configure_mlflow()
        mlflow.search_experiments()
    seconds = clock.seconds()
    Path(arguments[0]).write_text(json.dumps({name: seconds[name] for name in DATABASES}), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
