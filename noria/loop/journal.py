"""The journal of the loop: looks, decisions, and the steps of actions, one JSON line each, only ever appended to.

What is in the journal has happened or has begun. It is written before a step begins and after it ends, and is on disk
when `append` returns, so that after `kill -9` the next process knows which step may be half done.
"""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from noria.config.section import Section
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.json_lines import append_line
from noria.system.workspace import Workspace

EntryKind = Literal[
    "look",
    "look_failed",
    "decision",
    "action_begun",
    "step_begun",
    "step_ended",
    "step_failed",
    "action_ended",
    "alert",
]
Clock = Callable[[], datetime]


class JournalEntry(Section):
    """One line of the journal."""

    seq: int
    """Its place: 1, 2, 3 …; grows even if the clock is set back."""
    at: datetime
    """The clock when it was written (UTC)."""
    kind: EntryKind
    name: str = ""
    """Of a decision or an action: which one; of a step: which step; of an alert: its key."""
    action: str = ""
    """Identifies the action that this entry is about."""
    version: str = ""
    """The model version that it is about; of a look: the one that answers."""
    outcome: str = ""
    """How it ended: of a look the verdict, of a step or an action `done`, `lost`, `failed` or `proposed`."""
    why: list[str] = []
    """The reasons, in plain sentences."""
    facts: dict[str, str] = {}
    """What later steps need, and where to look further: the version, the ZenML run, the report."""
    evidence: dict[str, Any] = {}
    """Of a decision: all figures that it rests on (`Evidence`)."""


def journal_file(workspace: Workspace) -> Path:
    """Where the journal of a use case is."""
    return workspace.folder / "loop" / "journal.jsonl"


def wall_clock() -> datetime:
    """The time of this machine (UTC)."""
    return datetime.now(UTC)


class Journal:
    """The entries of a journal, and adding to it. One process writes at a time: `watch` holds a lock.

    Args:
        file: where it is; it need not exist yet.
        clock: gives the time; a replay has its own.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     journal = Journal(Path(folder) / "journal.jsonl")
    ...     entry = journal.append("look", outcome="ok", version="3")
    ...     [(each.seq, each.kind, each.outcome) for each in Journal(journal.file).entries]
    [(1, 'look', 'ok')]
    """

    def __init__(self, file: Path, clock: Clock = wall_clock) -> None:
        self.file = file
        self.clock = clock
        self.entries: list[JournalEntry]
        """The oldest first. Lines that a crash has cut short are left out."""
        self.unreadable: int
        """Other lines that cannot be read and are left out."""
        self.entries, self.unreadable = _read(file)

    def append(self, kind: EntryKind, **fields: Any) -> JournalEntry:
        """Add an entry; it is on disk when this returns.

        Raises:
            NoriaError: it cannot be written.
        """
        seq = self.entries[-1].seq + 1 if self.entries else 1
        entry = JournalEntry(seq=seq, at=self.clock(), kind=kind, **fields)
        try:
            append_line(self.file, entry.model_dump_json(exclude_defaults=True).encode())
        except OSError as error:
            raise NoriaError(
                f"the loop's journal cannot be written: {error.strerror}",
                code="loop.journal_unwritable",
                where=str(self.file),
                fix="free some space or unlock that file; `watch` then goes on where it stopped",
            ) from error
        self.entries.append(entry)
        return entry

    def elapsed(self, since: JournalEntry) -> timedelta:
        """Time since an entry was written.

        It is added up from entry to entry, and a step back of the clock counts as no time: a wait is never cut short by
        it, and goes on at once, however far the clock went back.
        """
        moments = [each.at for each in self.entries if each.seq >= since.seq] + [self.clock()]
        steps = (after - before for before, after in itertools.pairwise(moments))
        return sum((step for step in steps if step > timedelta()), timedelta())

    @property
    def clock_went_back(self) -> timedelta:
        """By how much the clock is behind the last entry; zero or less: it is not."""
        return self.entries[-1].at - self.clock() if self.entries else timedelta()


def _read(file: Path) -> tuple[list[JournalEntry], int]:
    if not file.exists():
        return [], 0
    entries: list[JournalEntry] = []
    unreadable = 0
    lines = file.read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        try:
            entry = JournalEntry.model_validate_json(line)
        except ValidationError:
            unreadable += bool(line.strip()) and number < len(lines)  # the last one was cut short by a crash
            continue
        entries.append(entry)
    if unreadable:
        progress.warn(f"{unreadable} unreadable line(s) in {file} left out")
    return entries, unreadable
