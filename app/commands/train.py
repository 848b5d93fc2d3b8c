"""`train`: train, tune and judge all candidates, and promote the winner if it beats its rivals."""

from app.commands.pipeline_runs import one_at_a_time, quarantine_facts, run_on_data, save_report
from app.commands.result import CommandResult, run_py
from app.runs.launch import PipelineRun, artifact
from noria.config import UseCase
from noria.system.workspace import Workspace


def train(use_case: UseCase, stack: str | None) -> CommandResult:
    """Train, judge and, if the gate says so, promote; both reports are saved in the workspace."""
    return describe_training(run_training(use_case, stack), use_case)


def run_training(use_case: UseCase, stack: str | None) -> PipelineRun:
    """Run the training pipeline to its end.

    Raises:
        NoriaError: a step failed.
    """
    with one_at_a_time("train", Workspace(use_case.name)):
        from pipelines.training import training

        return run_on_data(training, use_case, stack, "new version")


def describe_training(run: PipelineRun, use_case: UseCase) -> CommandResult:
    """The outcome of a completed run; its reports are saved in the workspace."""
    workspace = Workspace(use_case.name)
    exploration = save_report(artifact(run, "explore").html, workspace.reports / "exploration.html")
    report = save_report(artifact(run, "gate", "evaluation_report").html, workspace.reports / "evaluation.html")
    verdict = artifact(run, "gate", "verdict")
    selection = artifact(run, "select", "selection")
    primary = artifact(run, "evaluate", "evaluation").metrics[use_case.evaluation.metric]
    return CommandResult(
        _headline(verdict.promote, selection.kind),
        [
            ("verdict", verdict.reason),
            ("chosen", selection.reason),
            (use_case.evaluation.metric, f"{primary.value:.3f} ({primary.low:.3f} to {primary.high:.3f}) on test rows"),
            ("data report", exploration),
            ("model report", report),
            *quarantine_facts(run, workspace),
        ],
        [run_py("deploy") if _has_champion(use_case.name) else f"open {report}"],
    )


def _headline(promote: str, kind: str) -> str:
    if promote == "challenger":
        return f"Promoted: {kind} beats every rival."
    if promote == "rules":
        return "The rules are as good as any model: they are promoted, ML is not needed."
    return "Nothing new is promoted: the model in place stays."


def _has_champion(name: str) -> bool:
    from steps.shared.champion import find_champion

    return find_champion(name) is not None
