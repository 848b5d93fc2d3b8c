"""`explore`: validate the data and write a report on it."""

from app.command_result import CommandResult, run_py
from app.commands.pipeline_runs import leakage_facts, quarantine_facts, run_on_data, save_report
from app.environment import one_at_a_time
from app.runs.launch import artifact
from noria.config import UseCase
from noria.system.workspace import Workspace


def explore(use_case: UseCase, stack: str | None) -> CommandResult:
    """Validate and explore; the report is saved in the workspace."""
    from noria.data.column_check import check_columns
    from noria.labelled_cases import training_fingerprint

    check_columns(use_case)
    workspace = Workspace(use_case.name)
    with one_at_a_time("explore", workspace):
        from pipelines.exploration import exploration

        run = run_on_data(exploration, use_case, stack, "data", training_fingerprint(use_case))
    report = save_report(artifact(run, "explore", "exploration_report").html, workspace.reports / "exploration.html")
    facts = [*leakage_facts(run), ("report", report), *quarantine_facts(run, workspace)]
    return CommandResult("The data is explored.", facts, [f"open the report, then: {run_py('train')}"])
