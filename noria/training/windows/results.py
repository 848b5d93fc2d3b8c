"""What the choice of a window found. Light to import, for steps and reports."""

from datetime import datetime

from noria.config.data import WindowConfig
from noria.config.section import Section


class WindowTrial(Section):
    """One window in the comparison."""

    window: str
    """The window in words."""
    mean: float
    """Mean of the metric over the judged periods, weighted by their rows."""
    lead: float
    """How much better than all rows it was, in the metric's units: above 0 is better, for every metric."""
    error: float
    """Standard error of the lead, from how it differs between periods."""


class WindowChoice(Section):
    """The window that a training learns from, and the evidence for it."""

    window: WindowConfig | None
    """None: all rows, which weigh the same."""
    reason: str
    """Why, in a sentence that a person reads."""
    metric: str
    kind: str = ""
    """The kind of candidate that was fitted for the comparison; empty: none was."""
    starts: list[datetime] = []
    """When each judged period begins; it ends where the next one begins, the last with the training rows."""
    rows: int = 0
    """Rows that were judged, each once by every window."""
    fits: int = 0
    """Models that were fitted."""
    needed: float = 0.0
    """How many standard errors a lead needs."""
    cost: float = 0.0
    """What the comparison cost, as a share of what the training fits: rows × trees, or rows."""
    share: float = 1.0
    """Share of the rows that the models learned from, drawn at random; below 1 where all would cost too much."""
    trials: list[WindowTrial] = []
    """All rows first; empty: nothing could be compared."""
