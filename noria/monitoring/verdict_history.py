"""The history of verdicts: one JSON line each, only ever appended to."""

from pathlib import Path

from pydantic import ValidationError

from noria.monitoring.verdict import MonitoringVerdict
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.json_lines import append_line
from noria.system.workspace import Workspace


def history_file(workspace: Workspace) -> Path:
    """Where the verdicts of a use case stand."""
    return workspace.monitoring / "history.jsonl"


def append(file: Path, verdict: MonitoringVerdict) -> None:
    """Add a verdict; it is on disk when this returns.

    A line that a crash has cut short stays by itself, and the new one starts below it.

    Raises:
        NoriaError: the file cannot be written.
    """
    try:
        append_line(file, verdict.model_dump_json().encode())
    except OSError as error:
        raise NoriaError(
            f"cannot write: {error.strerror}",
            code="monitoring.history_unwritable",
            where=str(file),
            fix="free some space or unlock that file",
        ) from error


def read(file: Path, *, warn: bool = True) -> list[MonitoringVerdict]:
    """All verdicts, oldest first; lines that cannot be read are left out, `warn` says so. No file: no verdicts."""
    verdicts, unreadable = read_and_count(file)
    if unreadable and warn:
        progress.warn(f"{unreadable} unreadable line(s) in {file} left out")
    return verdicts


def read_and_count(file: Path) -> tuple[list[MonitoringVerdict], int]:
    """All verdicts, oldest first, and the number of lines that cannot be read. No file: no verdicts."""
    if not file.exists():
        return [], 0
    verdicts, unreadable = [], 0
    for line in file.read_bytes().splitlines():
        if not line.strip():
            continue
        try:
            verdicts.append(MonitoringVerdict.model_validate_json(line))
        except ValidationError:
            unreadable += 1
    return verdicts, unreadable
