"""What people read who watch no run: the text of an alert, and when it is worth one. `steps/` posts it."""

from collections.abc import Sequence
from datetime import timedelta

from noria.evaluation.results import GateVerdict
from noria.monitoring.verdict import MonitoringVerdict
from noria.system.errors import NoriaError

_AGAIN = timedelta(days=1)
_REASONS = 3
_LONGEST = 400
_FOUND = {
    "watch": "attention, a person should look",
    "retrain": "time to train again",
    "fix_data": "the delivered data look broken",
}
_COMMANDS = {
    "exploration": "explore",
    "training": "train",
    "deployment": "deploy",
    "batch_inference": "predict",
    "monitoring": "monitor",
}


def monitoring_alert(verdict: MonitoringVerdict) -> str:
    """What monitoring found, in at most three reasons, and what to do."""
    if verdict.verdict == "ok":
        found = "all is well" if verdict.confident else "more predictions or labels are needed"
    else:
        found = _FOUND[verdict.verdict]
    reasons = [f"• {_short(reason)}" for reason in verdict.reasons[:_REASONS]]
    return _lines(
        f"{verdict.use_case}: {found} (version {verdict.version})", *reasons, verdict.next_action, verdict.next_command
    )


def is_worth_alerting(verdict: MonitoringVerdict, earlier: Sequence[MonitoringVerdict]) -> bool:
    """Is a verdict posted? Each that is new, and once a day again while something is to be done.

    A first verdict that asks for nothing is not posted.

    Args:
        verdict: the newest.
        earlier: those before it, oldest first.
    """
    nothing_to_do = verdict.verdict == "ok" and verdict.confident
    if not earlier or not _same(verdict, earlier[-1]):
        return bool(earlier) or not nothing_to_do
    if nothing_to_do:
        return False
    since = earlier[-1].at
    for before in reversed(earlier):
        if not _same(verdict, before):
            break
        since = before.at
    return (verdict.at - since) // _AGAIN > (earlier[-1].at - since) // _AGAIN


def gate_alert(use_case: str, version: str, verdict: GateVerdict) -> str:
    """Why a trained model was not promoted; empty: it was."""
    if verdict.promote == "challenger":
        return ""
    if verdict.promote == "rules":
        found, command = "no model beats the rules, which are promoted", "python run.py deploy"
    else:
        found, command = "nothing new is promoted", "python run.py status"
    return _lines(f"{use_case}: {found} (version {version})", _short(verdict.reason), command)


def failure_alert(use_case: str, pipeline: str, step: str, error: BaseException) -> str:
    """What failed, and how to fix it.

    An unforeseen error may quote rows of the data, so only its kind is shown; its text is in the log.

    Args:
        use_case: its name.
        pipeline: name of the pipeline.
        step: name of the step; empty: no step is to blame.
        error: why.
    """
    command = _COMMANDS.get(pipeline, pipeline)
    at = f" in step `{step}`" if step else ""
    what, fix = f"{type(error).__name__}: the step's log says more, python run.py dashboard", ""
    if isinstance(error, NoriaError):
        what, fix = error.what, f"To fix it: {_short(error.fix)}" if error.fix else ""
    return _lines(f"{use_case}: `{command}` failed{at}", _short(what), fix, f"python run.py {command}")


def _same(one: MonitoringVerdict, other: MonitoringVerdict) -> bool:
    return (one.verdict, one.confident, one.version) == (other.verdict, other.confident, other.version)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def _lines(*lines: str) -> str:
    return "\n".join(filter(None, lines))
