"""What the commands that run a pipeline share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.commands.result import Facts
from app.environment import zenml_client
from app.runs.launch import About, PipelineRun, artifact, launch
from app.runs.step_containers import MountedFiles
from noria.config import UseCase
from noria.system.files import write_text
from noria.system.locks import exclusive
from noria.system.workspace import Workspace


@contextmanager
def one_at_a_time(action: str, workspace: Workspace) -> Iterator[None]:
    """One `action` at a time on a use case; ZenML's database is ready before steps, which ask it, are declared.

    Raises:
        NoriaError: another process is at it.
    """
    with exclusive(action, workspace):
        zenml_client()
        yield


def run_on_data(
    pipeline: Callable[..., PipelineRun], use_case: UseCase, stack: str | None, about: About
) -> PipelineRun:
    """Run a pipeline that begins with reading the sources; their fingerprint decides what its cache may reuse."""
    from noria.data.sources import fingerprint  # `status` should not wait for pandas

    return launch(
        pipeline,
        stack=stack,
        model=use_case.name,
        about=about,
        files=MountedFiles(reads=[source.path for source in use_case.data.sources if source.path is not None]),
        use_case=use_case.for_training(),
        fingerprint=fingerprint(use_case.data),
    )


def save_report(html: str, path: Path) -> Path:
    """Write a report where people look for it."""
    write_text(path, html)
    return path


def quarantine_facts(run: PipelineRun, workspace: Workspace) -> Facts:
    """Where the quarantined rows are, if there are any; written here too, since the step may have run elsewhere."""
    from noria.data.validation import write_quarantine

    rows, file = artifact(run, "validate", "quarantined_rows"), workspace.quarantine / "training.csv"
    write_quarantine(rows, file)
    return [("quarantined", "no row" if rows.empty else f"{len(rows):,} rows, with reasons in {file}")]


def absolute_location(location: str) -> str:
    """A local path made absolute, since steps may run elsewhere; URLs and "" stay as they are."""
    if "://" in location or not location:
        return location
    return str(Path(location).absolute()) + "/" * location.endswith("/")
