"""What a monitoring run found, in figures."""

from typing import Literal

from noria.config.section import Section


class ColumnDrift(Section):
    """How far one column has moved from its values in training."""

    name: str
    """The column."""
    method: Literal["Wasserstein", "Jensen-Shannon", "missing"]
    """The distance: Wasserstein in standard deviations of the reference (numbers), Jensen-Shannon with natural
    logarithm (categories), or the difference in the share of missing values (numbers)."""
    distance: float
    """How far it moved."""
    threshold: float
    """How far it may move: the usual limit, or more where chance alone moves a sample of this size further."""
    moved: bool
    """Whether it moved further than that."""
    figure: str
    """The figure that `before` and `after` give, in words ("median"; a category's name)."""
    before: str
    """The figure in training."""
    after: str
    """The figure now."""

    @property
    def change(self) -> str:
        """The move in words: "median 70 → 95"."""
        return f"{self.figure} {self.before} → {self.after}"


class DriftResult(Section):
    """How the rows that the model was asked about differ from those it learned from."""

    rows: int
    """Predictions looked at."""
    reference_rows: int
    """Training rows they are compared with."""
    inputs: list[ColumnDrift]
    """The model's input columns, the furthest moved first."""
    predictions: ColumnDrift | None
    """The model's own answers; None if the reference has none."""

    @property
    def moved(self) -> list[ColumnDrift]:
        """The input columns that moved."""
        return [column for column in self.inputs if column.moved]

    @property
    def share(self) -> float:
        """Share of the input columns that moved (0 to 1)."""
        return len(self.moved) / len(self.inputs) if self.inputs else 0.0


class MetricChange(Section):
    """One figure on the labelled predictions beside its value on the test rows."""

    name: str
    """The metric."""
    now: float
    """Its value on the labelled predictions."""
    low: float
    """Lower end of the bootstrap interval of `now`."""
    high: float
    """Upper end of the bootstrap interval of `now`."""
    before: float
    """Its value on the test rows."""
    worse_by: float
    """How much worse it became, in its own units; negative if it became better."""
    beyond_chance: bool
    """Whether it is worse even at the favourable end of the interval."""


class PerformanceResult(Section):
    """How right the model has been, on the predictions whose true label is known."""

    labels: int
    """Labelled predictions looked at."""
    unusable: int
    """Labels that the task does not allow: no number, or none of the model's classes; they are left out."""
    waiting: int
    """Predictions without a label that are younger than `problem.label_delay_days`."""
    overdue: int
    """Predictions without a label that are older than that."""
    metric: MetricChange | None
    """The primary metric; None if there are too few labels or it is undefined on them."""
    worth: MetricChange | None
    """What 1,000 decisions bring in, in `problem.unit`; None as for `metric`."""
    target: ColumnDrift | None
    """How the true labels differ from those of training; None if there are too few."""
