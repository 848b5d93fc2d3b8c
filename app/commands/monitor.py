"""`monitor`: join late labels, look for drift, measure performance, and give a verdict."""

from app.commands.pipeline_runs import absolute_location, one_at_a_time
from app.commands.result import CommandResult, run_py
from app.runs.launch import artifact, launch
from app.runs.step_containers import MountedFiles
from noria.config import UseCase
from noria.system.workspace import Workspace


def monitor(use_case: UseCase, labels: str | None, stack: str | None) -> CommandResult:
    """Join the labels in `labels`, if given, and check the deployed model."""
    with one_at_a_time("monitor", Workspace(use_case.name)):
        from pipelines.monitoring import monitoring

        file = absolute_location(labels or "")
        files = MountedFiles(reads=[file] if file else [])
        run = launch(monitoring, stack=stack, model=use_case.name, files=files, use_case=use_case, labels=file)
    verdict = artifact(run, "check", "monitoring_verdict")
    return CommandResult(
        f"Verdict: {verdict.verdict}." if verdict.confident else "Verdict: ok, but it is too early to tell.",
        [*(("why", reason) for reason in verdict.reasons), ("to do", verdict.next_action), *verdict.reports.items()],
        [run_py("train" if verdict.verdict == "retrain" else "status")],
    )
