"""Where the loop stands: what its journal adds up to."""

from dataclasses import dataclass, field
from datetime import timedelta

from noria.loop.journal import Journal, JournalEntry


@dataclass
class ActionRecord:
    """One action, from its entries in the journal."""

    begun: JournalEntry
    """The entry with which it began: its name, why, and the version it is about."""
    done: list[str] = field(default_factory=list)
    """The steps that have ended well."""
    under_way: JournalEntry | None = None
    """The step that has begun and not ended."""
    failures: int = 0
    """How often the step under way has failed."""
    facts: dict[str, str] = field(default_factory=dict)
    """What its steps have left: the version that was trained, the run, the verdict of the gate."""
    ended: JournalEntry | None = None
    """None: it is under way."""

    @property
    def id(self) -> str:
        """Identifies it."""
        return self.begun.action

    @property
    def name(self) -> str:
        """`retrain`, `introduce`, `roll_back` or `fall_back_to_rules`."""
        return self.begun.name

    @property
    def version(self) -> str:
        """The version that it made or puts into service; empty: none yet."""
        return self.facts.get("version", self.begun.version)

    @property
    def outcome(self) -> str:
        """`done`, `lost`, `failed` or `proposed`; empty: it is under way."""
        return self.ended.outcome if self.ended is not None else ""


@dataclass
class LoopState:
    """What a journal adds up to.

    >>> from pathlib import Path
    >>> state = LoopState.of(Journal(Path("no such file")))
    >>> (state.open, state.last_look)
    (None, None)
    """

    actions: list[ActionRecord] = field(default_factory=list)
    """All actions, the oldest first."""
    last_look: JournalEntry | None = None
    last_decision: JournalEntry | None = None
    alerts: dict[str, JournalEntry] = field(default_factory=dict)
    """Key → when a message with this key was last sent."""

    @classmethod
    def of(cls, journal: Journal) -> "LoopState":
        """Add up the entries of a journal."""
        state = cls()
        known: dict[str, ActionRecord] = {}
        for entry in journal.entries:
            if entry.kind in ("look", "look_failed"):
                state.last_look = entry
            elif entry.kind == "decision":
                state.last_decision = entry
            elif entry.kind == "alert":
                state.alerts[entry.name] = entry
            elif entry.kind == "action_begun":
                known[entry.action] = ActionRecord(entry)
                state.actions.append(known[entry.action])
            elif entry.action in known:
                _add(known[entry.action], entry)
        return state

    @property
    def open(self) -> ActionRecord | None:
        """The action that is under way, if there is one."""
        return next((each for each in reversed(self.actions) if each.ended is None), None)

    def latest(self, name: str) -> ActionRecord | None:
        """The latest action of that name."""
        return next((each for each in reversed(self.actions) if each.name == name), None)

    @property
    def rolled_back(self) -> frozenset[str]:
        """The versions that a rollback of the loop has taken out of service."""
        done = (each for each in self.actions if each.name == "roll_back" and each.outcome == "done")
        return frozenset(each.begun.facts.get("in_service", "") for each in done)

    def retrainings(self, journal: Journal, within: timedelta) -> int:
        """How many retrainings began within a time before now; those that found nothing new to learn do not count."""
        return sum(
            each.name == "retrain" and each.facts.get("trained") != "no" and journal.elapsed(each.begun) <= within
            for each in self.actions
        )

    def fruitless(self, version: str) -> list[ActionRecord]:
        """The latest retrainings in a row that did not help while `version` was in service, the oldest first."""
        found: list[ActionRecord] = []
        for each in reversed(self.actions):
            if each.name not in ("retrain", "introduce") or each.outcome == "proposed":
                continue
            if each.outcome == "done" and each.name == "retrain":
                continue  # it passed the gate; whether it helped is up to `introduce`
            if each.outcome not in ("lost", "failed") or each.begun.facts.get("in_service") != version:
                break
            found.append(each)
        return found[::-1]

    def waiting(self, version: str) -> ActionRecord | None:
        """The newest retraining whose version has passed the gate and was not tried in service; None: there is none.

        Args:
            version: what is in service.
        """
        last = self.latest("retrain")
        if last is None or last.outcome != "done" or last.begun.facts.get("in_service") != version:
            return None
        tried = [each for each in self.actions if each.name == "introduce" and each.version == last.version]
        return None if any(each.outcome in ("done", "lost", "failed") for each in tried) else last

    def steps_done(self, name: str, version: str) -> list[str]:
        """The steps that earlier actions of that name have done for a version."""
        its = (each for each in self.actions if each.name == name and each.version == version)
        return [step for each in its for step in each.done]


def _add(record: ActionRecord, entry: JournalEntry) -> None:
    if entry.kind == "step_begun":
        record.under_way, record.failures = entry, 0
    elif entry.kind == "step_failed":
        record.failures += 1
    elif entry.kind == "step_ended":
        record.under_way = None
        record.facts |= entry.facts
        if entry.outcome == "done":
            record.done.append(entry.name)
    elif entry.kind == "action_ended":
        record.ended = entry
