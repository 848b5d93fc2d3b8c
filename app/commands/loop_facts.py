"""The state of the loop, as `status` shows it."""

from app.command_result import Facts, run_py
from noria.config import UseCase
from noria.loop import Journal, LoopState, journal_file
from noria.system.locks import holder
from noria.system.workspace import Workspace


def loop_facts(use_case: UseCase) -> Facts:
    """The state of the loop, for `status`: when it looked, what it does, and when it looks next."""
    workspace = Workspace(use_case.name)
    file = journal_file(workspace)
    pid = holder("watch", workspace)
    if not file.exists() and pid is None:
        return []
    state = LoopState.of(Journal(file))
    last = state.last_look
    facts: Facts = [("loop", _watching(pid))]
    if last is not None:
        said = f"{last.outcome or 'failed'}" + (f": {last.why[0]}" if last.why else "")
        facts.append(("last look", f"{last.at:%Y-%m-%d %H:%M} UTC, {said}"))
        if pid is not None and "next" in last.facts:
            facts.append(("next look", last.facts["next"]))
    if state.open is not None:
        step = state.open.under_way.name.replace("_", " ") if state.open.under_way else "between two steps"
        facts.append(("under way", f"{state.open.name} of version {state.open.version or '?'}: {step}"))
    if state.last_decision is not None:
        decision = state.last_decision
        said = f"{decision.name.replace('_', ' ')}: {decision.why[0] if decision.why else ''}"
        command = f" {decision.facts['command']}" if decision.outcome == "propose" else ""
        facts.append(("decision", said + command))
    return facts


def _watching(pid: int | None) -> str:
    return f"watching (process {pid})" if pid is not None else f"not watching: {run_py('watch')}"
