"""Actions as sequences of idempotent steps, written to the journal before and after each.

After `kill -9` between any two steps, or within one, `carry_on` begins with the step that may be half done. It calls
the runner with it again, and the runner looks first whether it is done already.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

from noria.config.loop import LoopConfig, Mode
from noria.loop.journal import Journal, JournalEntry
from noria.loop.loop_state import ActionRecord, LoopState
from noria.loop.policy import Decision
from noria.system import progress
from noria.system.errors import NoriaError, describe

Checkpoint = Callable[[str], None]

_BUSY = "workspace.locked"
"""Another command is at it, such as a training by hand: that is no failure, and ends."""
_MOST_FAILURES = 3
"""A step that has failed this often ends its action; training, which is expensive, ends it at once."""


@dataclass(frozen=True)
class StepResult:
    """How far a step has come."""

    outcome: Literal["done", "wait", "lost"]
    """`wait`: look again later; `lost`: it went well, and the answer is no: the action ends and is undone."""
    why: str = ""
    """A sentence; of `wait` what is waited for."""
    facts: dict[str, str] | None = None
    """What later steps need."""


class ActionRunner(Protocol):
    """Performs steps in the real world. Each is idempotent: called again after a crash, it finds what is done."""

    def perform(self, step: str, action: ActionRecord, lasted: timedelta) -> StepResult:
        """Perform a step, or the rest of it; `lasted` is the time since it first began.

        Raises:
            NoriaError: it failed; it is tried again at the next look, or given up.
        """

    def undo(self, action: ActionRecord) -> None:
        """Take back what the steps of an action have changed in the service; what answers stays the champion."""


def steps_of(action: str, config: LoopConfig) -> list[str]:
    """The steps of an action, in their order.

    >>> steps_of("introduce", LoopConfig())
    ['shadow', 'observe_shadow', 'canary', 'observe_canary', 'promote']
    """
    if action == "retrain":
        return ["train", "gate"]
    if action == "introduce":
        shadow = ["shadow", "observe_shadow"] if config.route.shadow_hours > 0 else []
        canary = ["canary", "observe_canary"] if config.route.canary else []
        return [*shadow, *canary, "promote"]
    return [action]


def begin(journal: Journal, decision: Decision, in_service: str, version: str = "") -> ActionRecord:
    """Write down that an action begins.

    Args:
        journal: of the loop.
        decision: what was decided.
        in_service: version that answers.
        version: the version that the action is about; empty: it makes one, or is about the one in service.
    """
    entry = journal.append(
        "action_begun",
        name=decision.action,
        action=uuid.uuid4().hex[:12],
        version=version,
        why=[decision.reason],
        facts={"in_service": in_service},
    )
    return ActionRecord(entry)


def carry_on(
    journal: Journal, runner: ActionRunner, config: LoopConfig, checkpoint: Checkpoint = lambda name: None
) -> JournalEntry | None:
    """Perform the next steps of the action that is under way, until it has ended or has to wait.

    Args:
        journal: of the loop.
        runner: performs the steps.
        config: the route, and what is done by itself.
        checkpoint: is called between any two steps and writes; tests end the process there.

    Returns:
        The entry of its end; None: it is not at its end, or none is under way.

    Raises:
        NoriaError: the journal cannot be written.
    """
    action = LoopState.of(journal).open
    while action is not None and action.ended is None:
        rest = _rest(journal, action, config)
        if not rest:
            return _end(journal, action, "done", _ended_well(action))
        if _mode(rest[0], config) != "do" and action.under_way is None:
            why = f"{rest[0].replace('_', ' ')} is left to a person: loop.actions.{rest[0]} is not `do`"
            return _end(journal, action, "proposed", why, {"next": rest[0]})
        checkpoint(f"before {rest[0]}")
        ended = _one_step(journal, runner, action, rest[0], checkpoint)
        checkpoint(f"after {rest[0]}")
        if ended is not None or action.under_way is not None:
            return ended
        action = LoopState.of(journal).open
    return None


def _one_step(
    journal: Journal, runner: ActionRunner, action: ActionRecord, step: str, checkpoint: Checkpoint
) -> JournalEntry | None:
    """Perform a step; the end of the action, if the step ends it. `action.under_way` stays where it has to wait."""
    if action.under_way is None:
        action.under_way = journal.append("step_begun", name=step, action=action.id)
        checkpoint(f"begun {step}")
    try:
        result = runner.perform(step, action, journal.elapsed(action.under_way))
    except Exception as error:  # any error of a step leaves the champion and is written to the journal
        return _failed(journal, runner, action, step, error)
    if result.outcome == "wait":
        progress.stage("wait", f"{step.replace('_', ' ')}: {result.why}")
        return None
    checkpoint(f"performed {step}")
    if result.outcome == "lost":
        runner.undo(action)
        checkpoint(f"undone {step}")
    why = [result.why] if result.why else []
    journal.append("step_ended", name=step, action=action.id, outcome=result.outcome, why=why, facts=result.facts or {})
    action.facts |= result.facts or {}
    action.under_way = None
    if result.outcome == "lost":
        checkpoint(f"lost {step}")
        return _end(journal, action, "lost", result.why)
    progress.stage(step.replace("_", " "), result.why or "done")
    return None


def _failed(
    journal: Journal, runner: ActionRunner, action: ActionRecord, step: str, error: Exception
) -> JournalEntry | None:
    if isinstance(error, NoriaError) and error.code == _BUSY:
        progress.stage("wait", f"{step.replace('_', ' ')}: {error.what}")
        return None
    said = describe(error)
    progress.warn(f"{step.replace('_', ' ')} failed: {said}")
    journal.append("step_failed", name=step, action=action.id, why=[said])
    if step != "train" and action.failures + 1 < _MOST_FAILURES:
        action.failures += 1
        return None
    try:
        runner.undo(action)
    except NoriaError as cannot:
        said = f"{said}; it could not be undone: {cannot.what}"
    return _end(journal, action, "failed", f"{step.replace('_', ' ')} failed: {said}")


def _rest(journal: Journal, action: ActionRecord, config: LoopConfig) -> list[str]:
    """The steps that are left: those that an earlier action has done for the same version count."""
    done = {*action.done, *LoopState.of(journal).steps_done(action.name, action.version)} if action.version else set()
    if action.name != "introduce":
        done = set(action.done)
    return [step for step in steps_of(action.name, config) if step not in done]


def _mode(step: str, config: LoopConfig) -> Mode:
    modes: dict[str, Mode] = {
        "train": config.actions.retrain,
        "shadow": config.actions.shadow,
        "canary": config.actions.canary,
        "promote": config.actions.promote,
        "roll_back": config.actions.roll_back,
        "fall_back_to_rules": config.actions.fall_back_to_rules,
    }
    return modes.get(step, "do")


def _ended_well(action: ActionRecord) -> str:
    return {
        "retrain": f"version {action.version} has passed the gate",
        "introduce": f"version {action.version} is the champion",
        "roll_back": "what answered before answers again",
        "fall_back_to_rules": "the rules answer",
    }[action.name]


def _end(
    journal: Journal, action: ActionRecord, outcome: str, why: str, facts: dict[str, str] | None = None
) -> JournalEntry:
    entry = journal.append(
        "action_ended",
        name=action.name,
        action=action.id,
        version=action.version,
        outcome=outcome,
        why=[why],
        facts={**action.facts, **(facts or {})},
    )
    action.ended = entry
    return entry
