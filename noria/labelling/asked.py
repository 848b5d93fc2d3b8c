"""What was asked, as files that need no pandas to be read: the service reads them, too."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noria.predictions.json_values import json_value
from noria.system.errors import NoriaError
from noria.system.files import atomic_path, write_text

if TYPE_CHECKING:
    from noria.labelling.selection import WantedLabel

CASES, ASKED = "wanted.json", "asked.csv"
"""Names of the files in the workspace's folder `labels`."""
RANDOM_SHARE = 0.1
"""Of the labels wanted, so many are drawn at random."""
_COLUMNS = ("prediction_id", "selected_by", "probability", "asked_at")


@dataclass(frozen=True)
class Selection:
    """How a case came to be asked for."""

    selected_by: str
    probability: float | None
    """How likely it was to be selected; None: not known."""


def write_cases(wanted: "Sequence[WantedLabel]", file: Path) -> None:
    """The cases for the service's page, each with its inputs."""
    cases = [
        {
            "id": each.prediction_id,
            "reason": each.reason,
            "inputs": {name: json_value(value) for name, value in each.inputs.items()},
        }
        for each in wanted
    ]
    write_text(file, json.dumps(cases, ensure_ascii=False, indent=1) + "\n")


def read_cases(file: Path) -> list[dict[str, Any]]:
    """The cases of `write_cases`; empty before anything was asked, and where the file cannot be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [each for each in found if isinstance(each, dict) and {"id", "reason", "inputs"} <= each.keys()]


def record_asked(wanted: "Sequence[WantedLabel]", file: Path, at: datetime) -> None:
    """Add to the record of what was asked; of a case that is asked for again, the first entry counts."""
    known = read_asked(file)
    lines = [
        (each.prediction_id, each.selected_by, each.probability_selected, at.isoformat(timespec="seconds"))
        for each in wanted
        if each.prediction_id not in known
    ]
    earlier = [] if not file.exists() else list(csv.reader(file.read_text(encoding="utf-8").splitlines()))[1:]
    with atomic_path(file) as part, part.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([_COLUMNS, *earlier, *lines])


def read_asked(file: Path) -> Mapping[str, Selection]:
    """Prediction → how it was selected; empty before anything was asked.

    Raises:
        NoriaError: the file has been changed, so that it can no longer be read.
    """
    if not file.exists():
        return {}
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        # the first entry counts, so it is put in last
        return {row["prediction_id"]: Selection(row["selected_by"], float(row["probability"])) for row in rows[::-1]}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise NoriaError(
            "the record of cases that were asked for cannot be read",
            code="labelling.record_unreadable",
            where=str(file),
            fix="restore the file, or move it away: its cases then count as if their labels had come by themselves",
        ) from error
