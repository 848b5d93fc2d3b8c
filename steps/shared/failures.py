"""What happens when a step fails: an alert is left where people look, and the error is kept for the command line."""

import json
from datetime import UTC, datetime

from zenml import get_step_context

from noria.monitoring.alerts import failure_alert
from noria.system.signals import stop_requested
from noria.system.workspace import Workspace
from steps.shared.alerts import post_alert
from steps.shared.run_hints import run_hints

_last: list[BaseException] = []


def alert_on_failure(exception: BaseException) -> None:
    """Append the failure to `alerts.jsonl` in the workspace and post it to the stack's alerter, if it has one."""
    if stop_requested() is not None:
        return  # nothing failed
    _last[:] = [exception]
    context = get_step_context()
    alert = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "pipeline": context.pipeline.name,
        "run": context.pipeline_run.name,
        "step": context.step_run.name,
        "error": str(exception) or type(exception).__name__,
    }
    with (Workspace("alerts").folder / "alerts.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(alert) + "\n")
    use_case = use_case_of(alert["run"], alert["pipeline"])
    post_alert(failure_alert(use_case, alert["pipeline"], alert["step"], exception), run_hints())


def use_case_of(run: str, pipeline: str) -> str:
    """The use case that a run's name tells: pipeline, use case, date, time and a number of its own."""
    return run.removeprefix(f"{pipeline}-").rsplit("-", 3)[0]


def last_failure() -> BaseException | None:
    """The exception of the last step that failed in this process, and forget it."""
    return _last.pop() if _last else None
