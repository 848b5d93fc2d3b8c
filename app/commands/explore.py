"""`explore`: validate the data and write a report on it."""

from app.commands.pipeline_runs import one_at_a_time, quarantine_facts, run_on_data, save_report
from app.commands.result import CommandResult, run_py
from app.runs.launch import artifact
from noria.config import UseCase
from noria.system.workspace import Workspace


def explore(use_case: UseCase, stack: str | None) -> CommandResult:
    """Validate and explore; the report is saved in the workspace."""
    workspace = Workspace(use_case.name)
    with one_at_a_time("explore", workspace):
        from pipelines.exploration import exploration

        run = run_on_data(exploration, use_case, stack, "data")
    report = save_report(artifact(run, "explore").html, workspace.reports / "exploration.html")
    facts = [("report", report), *quarantine_facts(run, workspace)]
    return CommandResult("The data is explored.", facts, [f"open the report, then: {run_py('train')}"])
