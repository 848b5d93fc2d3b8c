"""Decisions about columns that change what a model sees, with their evidence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnDecision:
    """One decision about a column: how it is read, or which role it has."""

    column: str
    text: str
    """What was decided and why, in words."""
    weight: float = 1.0
    """The share of rows whose meaning depends on it (0 to 1)."""
    asks: bool = False
    """Whether the evidence is thin, so that a person should confirm it."""
    line: str = ""
    """What to write into the use case to decide it otherwise."""

    def __str__(self) -> str:
        change = f"; to change it: {self.line}" if self.line else ""
        return f"`{self.column}`: {self.text}{change}"

    @property
    def note(self) -> str:
        """The decision as a note for the author of a use case."""
        return f"Please confirm: {self}" if self.asks else str(self)

    @property
    def comment(self) -> str:
        """The decision as a comment beside the line that it has made."""
        return f"replace if wrong: {self.text}" if self.asks else self.text
