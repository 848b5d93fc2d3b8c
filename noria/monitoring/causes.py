"""What a verdict rests on: its causes, in a form that a program can act on."""

from datetime import datetime
from typing import Literal

from noria.config.section import Section

Level = Literal["ok", "watch", "retrain", "fix_data"]
LEVELS: tuple[Level, ...] = ("ok", "watch", "retrain", "fix_data")
"""From the least to the weightiest: a fault of the data comes before training again, which would learn it."""

CauseKind = Literal[
    "data_fault",
    "feed_stopped",
    "input_drift",
    "answer_drift",
    "quality",
    "worth",
    "worse_than_rules",
    "worse_than_previous",
    "disqualified",
    "labels_missing",
    "labels_partial",
]


class Cause(Section):
    """One finding that speaks for a verdict."""

    kind: CauseKind
    """What was found."""
    severity: Level
    """The verdict that it would lead to alone; `ok`: worth knowing only."""
    since: datetime | None = None
    """Since when (UTC); None: not known."""
    columns: list[str] = []
    """The input columns that it concerns."""
    sentence: str
    """The finding in a plain sentence."""
    figures: dict[str, float | str] = {}
    """Its evidence."""
