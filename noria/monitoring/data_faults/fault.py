"""What a data fault is: something wrong with the delivery of the data, not with the world."""

from datetime import datetime
from typing import Literal

from noria.config.section import Section

FaultKind = Literal[
    "unit_changed",
    "category_renamed",
    "columns_swapped",
    "clock_shifted",
    "stale_copy",
    "feed_stopped",
    "feed_gap",
    "missing_values",
    "unreadable_values",
    "constant_column",
]

ADVICE = "Ask who delivers the data; a model trained on these rows would learn the fault."


class DataFault(Section):
    """One fault of the delivered data, recognised from the values."""

    kind: FaultKind
    """What happened."""
    columns: list[str] = []
    """The columns that it concerns; empty: whole rows."""
    since: datetime | None = None
    """The time of the first row that shows it (UTC); for a feed that stopped, of the last row that came."""
    sentence: str
    """What was seen, in a plain sentence."""
    figures: dict[str, float | str] = {}
    """The evidence."""
