"""What became of the labelled cases."""

from collections.abc import Iterator
from datetime import datetime

from noria.config.section import Section
from noria.reporting import count, plural

LABELLED_LATER = "a label that is not known yet"
TOO_YOUNG = "younger than the label delay"
REPEATED = "another prediction of the same case"
OTHER_SCHEMA = "asked with other columns"
UNREADABLE = "a value that the column's rule cannot read"
UNTIMED = "no time of the case is kept"
KNOWN = "in the table already"
_NAMED = 5


class CasesSummary(Section):
    """How many labelled cases were found and taken, and what is missing in them."""

    found: int = 0
    """Labelled predictions in the store, without tests and shadows."""
    taken: int = 0
    """Rows that were added to the table."""
    left_out: dict[str, int] = {}
    """Why a prediction was left out → predictions; the first reason counts."""
    hidden: dict[str, int] = {}
    """Column that `serving.privacy` keeps from the store → rows in which it is missing."""
    absent: dict[str, int] = {}
    """Column of the table that a model version did not ask for → rows in which it is missing."""
    unknown: dict[str, int] = {}
    """Column that a model version asked for and the table does not have → rows that lost it."""
    changed: int = 0
    """Taken cases whose label was replaced by one of another value; the newest counts."""
    contradicting: int = 0
    """Cases that the table has with another label; the table counts."""
    first: datetime | None = None
    """When the first taken case happened (UTC)."""
    last: datetime | None = None
    """When the last taken case happened (UTC)."""

    def sentences(self) -> Iterator[str]:
        """What a person should know, the counts first."""
        period = "" if self.first is None or self.last is None else f", {self.first:%Y-%m-%d} to {self.last:%Y-%m-%d}"
        yield f"{count(self.taken)} of {plural(self.found, 'labelled prediction')} added to the table{period}"
        if self.left_out:
            reasons = ", ".join(f"{reason}: {count(rows)}" for reason, rows in self.left_out.items())
            yield f"left out: {reasons}"

    def warnings(self) -> Iterator[str]:
        """What these cases lack or contradict."""
        if self.hidden:
            yield f"`serving.privacy` costs values in the labelled cases: {_listed(self.hidden)}"
        if self.absent:
            yield f"columns that the model did not ask for are missing in the labelled cases: {_listed(self.absent)}"
        if self.unknown:
            yield f"the table no longer has columns of the labelled cases: {_listed(self.unknown)}"
        if self.changed:
            yield f"{plural(self.changed, 'labelled case')} got two labels with different values; the newest counts"
        if self.contradicting:
            cases = plural(self.contradicting, "case")
            yield f"{cases} with another label in the table than in the store; the table counts"


def _listed(columns: dict[str, int]) -> str:
    named = [f"`{name}` in {plural(rows, 'row')}" for name, rows in list(columns.items())[:_NAMED]]
    return ", ".join(named) + (f" and {len(columns) - _NAMED} more" if len(columns) > _NAMED else "")
