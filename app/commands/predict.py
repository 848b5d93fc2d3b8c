"""`predict`: predict a whole file with the champion."""

from pathlib import Path

from app.command_result import CommandResult, Facts, run_py
from app.commands.pipeline_runs import absolute_location, require_file
from app.commands.predicted_files import remember_output
from app.environment import zenml_client
from app.runs.launch import artifact, launch
from app.runs.step_containers import MountedFiles
from noria.config import UseCase
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace


def predict(use_case: UseCase, source: str, output: str | None, stack: str | None) -> CommandResult:
    """Predict a file or folder with the champion; the output is CSV or Parquet by its ending, by default Parquet beside
    the input."""
    from noria.batch import check_places

    workspace = Workspace(use_case.name)
    target = output or _default_output(source)
    location = absolute_location(target)
    quarantine = workspace.quarantine / f"{Path(target).stem}.csv"
    check_places(absolute_location(source), location, quarantine, use_case.engine)
    require_file(source, "--input")
    zenml_client()
    from pipelines.batch_inference import batch_inference

    # of a glob, its folder is what must be readable
    folder = source.rpartition("/")[0] if "*" in source else source
    run = launch(
        batch_inference,
        stack=stack,
        model=use_case.name,
        files=MountedFiles(reads=[absolute_location(folder)], writes=[] if "://" in location else [location]),
        use_case=use_case.without_loop(),
        source=absolute_location(source),
        target=location,
        quarantine=str(quarantine),
    )
    remember_output(workspace, location)
    summary = artifact(run, "predict_file")
    facts: Facts = [("predictions", target), ("rows", f"{summary.rows:,} in {summary.seconds:.1f} s")]
    if summary.quarantined:
        facts.append(("quarantined", f"{summary.quarantined:,} rows, with reasons in {quarantine}"))
    headline = f"{summary.rows:,} rows predicted, {summary.quarantined:,} of them bad."
    return CommandResult(headline, facts, [run_py("monitor")])


def _default_output(source: str) -> str:
    """Beside the input, or here if that is remote."""
    if "*" in source:  # it would match the output, too, the next time
        raise NoriaError(
            "where to write the predictions?",
            code="cli.output_missing",
            where=source,
            fix="say --output NAME.parquet, or NAME.csv",
        )
    name = f"{Path(source).stem}.predictions.parquet"
    return name if "://" in source else str(Path(source).with_name(name))
