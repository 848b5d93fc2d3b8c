"""A trial start: `python -m service.rehearsal` does what a worker does when it starts, but listens at no port.

A deployment runs it in the environment of the new server before it ends the running one. The last line that it prints
is a JSON object whose `error` says why a server could not start; empty: it could.
"""

import json
import sys
import traceback

from noria.system.errors import NoriaError, describe


def rehearse() -> None:
    """Read the settings, load every model, predict with each, and write to the spool's disk.

    Raises:
        NoriaError: a server could not start; so does any other error that is raised.
    """
    import service.service  # noqa: F401 - what BentoML loads
    from noria.traffic.activation import read_plan
    from service.app import App
    from service.runtime import Runtime
    from service.settings import service_dir

    folder, runtime = service_dir(), Runtime()
    runtime.load(None if folder is None else read_plan(folder))
    try:
        App(runtime).started()
        for predictor in runtime.active.predictors:
            predictor.predict_rows(predictor.bundle.examples()[: runtime.settings.serving.max_rows])
        if runtime.settings.serving.spool.when_full != "drop":
            runtime.spool.check_writable()
    finally:
        runtime.stop()


def main() -> None:
    """Rehearse; exits with status 2 if a server could not start."""
    error = ""
    try:
        rehearse()
    except Exception as caught:
        if not isinstance(caught, NoriaError):
            traceback.print_exc()
        error = describe(caught)
    print(json.dumps({"error": error}), flush=True)
    sys.exit(2 if error else 0)


if __name__ == "__main__":
    main()
