"""What the commands that run a pipeline share."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.command_result import Facts
from app.runs.launch import About, PipelineRun, artifact, launch
from app.runs.step_containers import MountedFiles
from noria.config import UseCase
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.files import write_text
from noria.system.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from noria.labelled_cases import TrainingTable


def run_on_data(
    pipeline: Callable[..., PipelineRun],
    use_case: UseCase,
    stack: str | None,
    about: About,
    fingerprint: str,
    *,
    now: datetime | None = None,
    suffix: str = "",
    **more: object,
) -> PipelineRun:
    """Run a pipeline that begins with reading the sources; their fingerprint decides what its cache may reuse.

    `now` is the time of a training, for a look at the past; `suffix` ends the name of the run, and `more` are further
    parameters of the pipeline.
    """
    table = _read(use_case, now)
    at = {} if now is None else {"now": now.isoformat()}
    return launch(
        pipeline,
        stack=stack,
        model=use_case.name,
        about=about,
        files=MountedFiles(reads=[source.path for source in use_case.data.sources if source.path is not None]),
        use_case=use_case.with_readings(table.readings).for_training(),
        suffix=suffix,
        fingerprint=fingerprint,
        cases_known=table.cases is not None and table.cases.found > 0,
        **at,
        **more,
    )


def read_with_rules(use_case: UseCase, now: datetime | None = None) -> tuple[UseCase, "pd.DataFrame"]:
    """Read the table, and show on the console how its columns are read where the values leave room.

    `now` is the time at which labelled cases are old enough, for a look at the past.

    Returns:
        The use case with the rules of all columns, learned from all rows; and the rows.
    """
    table = _read(use_case, now)
    return use_case.with_readings(table.readings), table.frame


def _read(use_case: UseCase, now: datetime | None = None) -> "TrainingTable":
    from noria.labelled_cases import case_settings, read_training_table
    from noria.labelled_cases.training_table import tell_cases

    table = read_training_table(use_case.data, case_settings(use_case, now=now), use_case.reading)
    for decision in table.decisions:
        if decision.asks:
            progress.warn(str(decision))
        else:
            progress.stage("read", str(decision))
    tell_cases(table)
    return table


def save_report(html: str, path: Path) -> Path:
    """Write a report where people look for it."""
    write_text(path, html)
    return path


def leakage_facts(run: PipelineRun) -> Facts:
    """Which columns may leak; read from the run, since a step that was taken from the cache says nothing."""
    warning = artifact(run, "explore", "leakage_warning")
    return [("leakage", warning)] if warning else []


def quarantine_facts(run: PipelineRun, workspace: Workspace) -> Facts:
    """Where the quarantined rows are, if there are any; written here too, since the step may have run elsewhere."""
    from noria.data.validation import write_quarantine

    rows, file = artifact(run, "validate", "quarantined_rows"), workspace.quarantine / "training.csv"
    write_quarantine(rows, file)
    return [("quarantined", "no row" if rows.empty else f"{len(rows):,} rows, with reasons in {file}")]


def require_file(location: str, option: str) -> None:
    """Find a mistyped local path before anything is started; of URLs and patterns the run itself will tell.

    Args:
        location: a path or URL; empty: none.
        option: the option that names it.

    Raises:
        NoriaError: there is no such file or folder.
    """
    if location and "://" not in location and "*" not in location and not Path(location).exists():
        raise NoriaError(
            "file not found", code="data.file_not_found", where=f"{option} {location}", fix="check the path"
        )


def absolute_location(location: str) -> str:
    """A local path made absolute, since steps may run elsewhere; URLs and "" stay as they are."""
    if "://" in location or not location:
        return location
    return str(Path(location).absolute()) + "/" * location.endswith("/")
