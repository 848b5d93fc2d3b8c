"""`monitor`: join late labels, look for drift, measure performance, and give a verdict."""

from app.command_result import CommandResult, Facts, run_py
from app.commands.given_time import given_interval, given_time
from app.commands.pipeline_runs import absolute_location, require_file
from app.environment import one_at_a_time, zenml_client
from app.loop.tried import tried_in_vain
from app.runs.launch import PipelineRun, artifact, launch
from app.runs.schedules import cron_of, remove_schedule, schedule
from app.runs.step_containers import MountedFiles
from noria.config import UseCase
from noria.loop import loop_news
from noria.monitoring.plain_answers import worth_sentence
from noria.monitoring.verdict import MonitoringVerdict
from noria.reporting import number
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace

NEVER = "never"
"""`--every` that ends a schedule."""
_ACTS = "none: a scheduled run gives a verdict and alerts through the stack; `watch --once` acts on it"
_PIPELINE = "monitoring"


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


def schedule_monitoring(
    use_case: UseCase, labels: str | None, stack: str | None, every: str, now: str | None = None
) -> CommandResult:
    """Have the stack's orchestrator run monitoring at intervals, or no longer.

    Args:
        use_case: whose model is checked.
        labels: URL of a file with true labels, read at each run.
        stack: where it runs.
        every: time between two runs, such as "1h", or `never`: the schedule ends.
        now: the time of one check; a schedule has none.

    Raises:
        NoriaError: `now` is given, the interval is none of a schedule, `labels` is a path of this machine, the
            orchestrator knows no schedules, or no model has been promoted.
    """
    if now is not None:
        raise NoriaError(
            "a schedule looks at the present, and --now names one moment",
            code="pipelines.now_not_schedulable",
            where="--now",
            fix="leave out --now, or --every",
        )
    if every == NEVER:
        zenml_client()
        ended = remove_schedule(_PIPELINE, use_case.name)
        return CommandResult("The schedule has ended." if ended else "There was no schedule.", [], [run_py("monitor")])
    cron = cron_of(given_interval(every))
    if labels and "://" not in labels:
        raise NoriaError(
            f"`{labels}` is a path of this machine, which scheduled runs cannot read",
            code="pipelines.path_not_schedulable",
            where="--labels",
            fix="name a URL (s3://…, https://…)",
        )
    from pipelines.monitoring import monitoring

    name, chosen = schedule(
        monitoring,
        stack=stack,
        model=use_case.name,
        cron=cron,
        use_case=use_case.without_loop(),
        labels=labels or "",
    )
    return CommandResult(
        f"Monitoring is scheduled: {cron} (UTC).",
        [("schedule", name), ("stack", chosen), ("acts", _ACTS)],
        [run_py("monitor --every", NEVER)],
    )


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
