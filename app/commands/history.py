"""`history`: what the loop has decided and done, with the evidence."""

from app.command_result import CommandResult, Facts, run_py
from noria.config import UseCase
from noria.loop import Journal, JournalEntry, journal_file
from noria.system.workspace import Workspace

_TOLD = ("decision", "step_ended", "step_failed", "action_ended", "look_failed")
_FIGURES = ("verdict", "gain", "retrainings", "rested_days", "labels", "overdue", "causes", "moved", "fruitless")


def history(use_case: UseCase, *, limit: int = 10, everything: bool = False) -> CommandResult:
    """The latest decisions and what came of them, the newest last.

    Args:
        use_case: whose loop.
        limit: most decisions that are shown.
        everything: also decisions to do nothing.
    """
    journal = Journal(journal_file(Workspace(use_case.name)))
    entries = [each for each in journal.entries if each.kind in _TOLD]
    if not everything:
        entries = [each for each in entries if (each.kind, each.name) != ("decision", "nothing")]
    decisions = [place for place, each in enumerate(entries) if each.kind == "decision"]
    first = decisions[-limit] if len(decisions) > limit else 0
    facts = [fact for entry in entries[first:] for fact in _facts(entry, use_case.name)]
    looks = sum(each.kind == "look" for each in journal.entries)
    if not journal.entries:
        return CommandResult(f"{use_case.name}: the loop has not looked yet.", [], [run_py("watch")])
    number = len(decisions[-limit:])
    headline = f"{use_case.name}: {looks:,} looks, the last {number} of {len(decisions)} decisions."
    return CommandResult(headline, [*facts, ("journal", journal.file)], [run_py("dashboard")])


def _facts(entry: JournalEntry, model: str) -> Facts:
    when = f"{entry.at:%Y-%m-%d %H:%M}"
    name = entry.name.replace("_", " ")
    said = entry.why[0] if entry.why else ""
    if entry.kind == "decision":
        mode = " (proposed)" if entry.outcome == "propose" else ""
        facts: Facts = [(when, f"{name}{mode}, version {entry.version}: {said}")]
        facts += [("evidence", _figures(entry))]
        facts += [("advice", f"{entry.facts['advice']} {entry.facts['command']}")] if entry.facts.get("advice") else []
        return facts
    if entry.kind == "look_failed":
        return [(when, f"the look failed: {said}")]
    facts = [(when, f"  {name} {entry.outcome or 'failed'}" + (f": {said}" if said else ""))]
    if entry.kind == "step_ended" and entry.facts.get("run"):
        version = entry.facts["version"]
        facts.append(("run", f"ZenML {entry.facts['run']}; MLflow model {model}, tag zenml_version {version}"))
        facts.append(("report", entry.facts["report"]))
    if entry.kind == "step_ended" and entry.facts.get("window"):
        facts.append(("learned from", entry.facts["window"]))
    return facts


def _figures(entry: JournalEntry) -> str:
    parts = []
    for key in _FIGURES:
        value = entry.evidence.get(key)
        if value in (None, [], ""):
            continue
        if key == "gain":
            value = f"{value['total']:,.4g} ({value['low']:,.4g} to {value['high']:,.4g})"
        elif isinstance(value, list | dict):
            value = ", ".join(map(str, value))
        elif isinstance(value, float):
            value = f"{value:.2f}"
        parts.append(f"{key.replace('_', ' ')} {value}")
    return "; ".join(parts)
