"""What happens when a step fails: an alert is left where people look, and the error is kept for the command line."""

import json
from datetime import UTC, datetime

from zenml import get_step_context
from zenml.client import Client

from noria.stopping import stop_requested
from noria.workspace import Workspace

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
    alerter = Client().active_stack.alerter
    if alerter is not None:
        alerter.post(f"Noria: step `{alert['step']}` of {alert['run']} failed: {alert['error']}")


def last_failure() -> BaseException | None:
    """The exception of the last step that failed in this process, and forget it."""
    return _last.pop() if _last else None
