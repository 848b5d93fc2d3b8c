"""The report of a worker that cannot start, for errors outside `Runtime.start`, which reports its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from service.variables import SERVICE_DIR


@contextmanager
def failed_start_reported() -> Iterator[None]:
    """Write an error of the block into the worker's report, where the deployment reads it."""
    try:
        yield
    except Exception as error:
        if folder := os.environ.get(SERVICE_DIR):
            _report(folder, error)
        raise


def _report(folder: str, error: Exception) -> None:
    from pathlib import Path

    from noria.system.errors import describe
    from noria.system.processes import identity, namespace
    from noria.traffic.activation import WorkerReport, write_worker_report

    me = identity(os.getpid())
    report = WorkerReport(
        pid=me.pid,
        process_started=me.started,
        namespace=namespace(),
        plan_id="",
        version="",
        error=describe(error),
    )
    write_worker_report(Path(folder), report)
