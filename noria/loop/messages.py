"""The texts of the loop's messages, and when one is sent again."""

from datetime import timedelta

from noria.config.loop import LoopAlerts
from noria.loop.journal import Journal
from noria.loop.loop_state import ActionRecord, LoopState
from noria.loop.policy import Decision
from noria.system.errors import describe
from noria.system.shell_commands import run_py

_LONGEST = 400
_TITLES = {
    "alert": "a person should look",
    "ask_for_labels": "labels are needed",
    "retrain": "time to train again",
    "introduce": "a new version can go into service",
    "roll_back": "the model before it was better",
    "fall_back_to_rules": "the rules are better than the model",
}
_ENDS = {
    ("retrain", "lost"): "the retraining found nothing better, the champion stays",
    ("retrain", "failed"): "the retraining failed, the champion stays",
    ("introduce", "done"): "a new champion answers",
    ("introduce", "lost"): "the new version was taken back, the champion stays",
    ("introduce", "failed"): "the rollout failed, the champion stays",
    ("introduce", "proposed"): "the rollout waits for a person",
    ("roll_back", "done"): "rolled back",
    ("roll_back", "failed"): "the rollback failed",
    ("fall_back_to_rules", "done"): "the rules answer now",
    ("fall_back_to_rules", "failed"): "the rules could not be put into service",
}
_COMMANDS = {
    "shadow": "traffic --shadow",
    "canary": "traffic --canary",
    "promote": "promote --version",
}


def decision_message(use_case: str, decision: Decision, version: str) -> str:
    """What a decision asks of a person; empty: for nothing, or its action is reported when it ends."""
    if decision.action == "nothing" or (decision.mode == "do" and decision.action not in ("alert", "ask_for_labels")):
        return ""
    title = f"{use_case}: {_TITLES[decision.action]} (version {version})"
    return _lines(title, _short(decision.reason), decision.advice, decision.command)


def end_title(action: str, outcome: str) -> str:
    """How an action has ended, in a few words."""
    if (action, outcome) == ("retrain", "done"):
        return "a retraining made a version that passed the gate"
    return _ENDS.get((action, outcome)) or f"{action.replace('_', ' ')}: {outcome or 'ended'}"


def end_message(use_case: str, action: ActionRecord) -> str:
    """How an action has ended; empty: another action follows, and its end is reported."""
    title = _ENDS.get((action.name, action.outcome))
    if title is None or action.ended is None:
        return ""
    command = "python run.py history"
    if action.outcome == "proposed":
        command = run_py(_COMMANDS[action.ended.facts["next"]], action.version)
    tried = "tried: " if action.outcome in ("lost", "failed") else ""  # what answers is another one
    version = f" ({tried}version {action.version})" if action.version else ""
    return _lines(f"{use_case}: {title}{version}", *map(_short, action.ended.why), command)


def failure_message(use_case: str, error: BaseException) -> str:
    """Why a look could not be finished."""
    return _lines(f"{use_case}: the loop could not look", _short(describe(error)), "python run.py status")


def decision_key(decision: Decision, version: str) -> str:
    """Decisions with the same key are the same message."""
    return f"{decision.action} {decision.why[-1].rule} {version}"


def is_due(journal: Journal, key: str, config: LoopAlerts) -> bool:
    """Whether a message has not been sent, or so long ago that it is sent again."""
    sent = LoopState.of(journal).alerts.get(key)
    return sent is None or journal.elapsed(sent) >= timedelta(hours=config.repeat_hours)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def _lines(*lines: str) -> str:
    return "\n".join(filter(None, lines))
