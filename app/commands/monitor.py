"""`monitor`: join late labels, look for drift, measure performance, and give a verdict."""

from app.command_result import CommandResult, Facts
from app.commands.given_time import given_time
from app.commands.pipeline_runs import absolute_location, require_file
from app.environment import one_at_a_time
from app.loop.tried import tried_in_vain
from app.runs.launch import PipelineRun, artifact, launch
from app.runs.step_containers import MountedFiles
from noria.config import UseCase
from noria.loop import loop_news
from noria.monitoring.plain_answers import worth_sentence
from noria.monitoring.verdict import MonitoringVerdict
from noria.reporting import number
from noria.system.workspace import Workspace


def monitor(use_case: UseCase, labels: str | None, stack: str | None, now: str | None = None) -> CommandResult:
    """Join the labels in `labels`, if given, and check the deployed model.

    Args:
        use_case: whose model is checked.
        labels: file with true labels.
        stack: where the pipeline runs.
        now: the time of the check, ISO 8601, without an offset in UTC; None: now.

    Raises:
        NoriaError: `now` is no time, there is no such file, no model has been promoted, or a step failed.
    """
    verdict, _ = run_monitoring(use_case, labels, stack, now)
    return CommandResult(
        f"Verdict: {verdict.verdict}." if verdict.confident else "Verdict: ok, but it is too early to tell.",
        [
            *(("why", reason) for reason in verdict.reasons),
            *_business(verdict, use_case),
            ("to do", verdict.next_action),
            *verdict.reports.items(),
        ],
        [verdict.next_command],
    )


def _business(verdict: MonitoringVerdict, use_case: UseCase) -> Facts:
    facts: Facts = []
    if verdict.daily_worth is not None:
        facts.append(("worth", worth_sentence(verdict.daily_worth, use_case)))
    if verdict.figure is not None:
        last = verdict.figure.days[-1:]
        said = verdict.figure.note or "".join(f"{number(day.value)} on {day.day}" for day in last)
        facts.append(("figure", f"{verdict.figure.name}: {said or 'no value in this time'}"))
    return facts


def run_monitoring(
    use_case: UseCase, labels: str | None, stack: str | None, now: str | None = None, *, next_look: str = ""
) -> tuple[MonitoringVerdict, PipelineRun]:
    """Run the monitoring pipeline to its end; its verdict, and the run. Arguments and errors are those of `monitor`.

    `next_look` says when the loop looks next, for the page; empty: as its last look said.
    """
    given = given_time(now)
    at = given.isoformat() if given else ""
    require_file(labels or "", "--labels")
    with one_at_a_time("monitor", Workspace(use_case.name)):
        from pipelines.monitoring import monitoring

        file = absolute_location(labels or "")
        files = MountedFiles(reads=[file] if file else [])
        run = launch(
            monitoring,
            stack=stack,
            model=use_case.name,
            files=files,
            use_case=use_case.without_loop(),
            labels=file,
            now=at,
            tried=tried_in_vain(use_case, stack),
            news=loop_news(Workspace(use_case.name), next_look),
        )
    return artifact(run, "check", "monitoring_verdict"), run
