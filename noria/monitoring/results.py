"""What a monitoring run found, in figures."""

from datetime import datetime
from typing import Literal

from noria.config.section import Section

_NEGLIGIBLE = 0.01
"""A share of cases of which nothing is known, and that changes no figure."""


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
    weight: float | None = None
    """Share (0 to 1) of what moves the model's scores that is due to this column; None: not measured."""

    @property
    def change(self) -> str:
        """The move in words: "median 70 → 95"."""
        return f"{self.figure} {self.before} → {self.after}"


class TableDrift(Section):
    """How well the rows of now can be distinguished from those of training, all columns taken together."""

    auc: float
    """Area under the ROC curve: 0.5 they cannot be distinguished, 1 always."""
    chance: float
    """The area that chance reaches with so many rows."""
    rows: int
    """Rows of now that were judged."""

    @property
    def moved(self) -> bool:
        """Whether they differ beyond chance."""
        return self.auc > self.chance


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
    table: TableDrift | None = None
    """How well a classifier tells the rows from those of training; None: not measured."""
    season: str = ""
    """Which rows of training they are compared with, if not all, in words."""

    @property
    def moved(self) -> list[ColumnDrift]:
        """The input columns that moved."""
        return [column for column in self.inputs if column.moved]

    @property
    def share(self) -> float:
        """Share of the input columns that moved (0 to 1)."""
        return len(self.moved) / len(self.inputs) if self.inputs else 0.0

    @property
    def weighted_share(self) -> float:
        """The same with each column counted by what it matters to the model; `share` where this is not known."""
        if any(column.weight is None for column in self.inputs):
            return self.share
        total = sum(column.weight or 0.0 for column in self.inputs)
        return sum(column.weight or 0.0 for column in self.moved) / total if total else self.share


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


class QualityEstimate(Section):
    """A metric of predictions whose labels are not known."""

    metric: str
    """The metric."""
    value: float
    """Its expected value."""
    low: float
    """Lower end of the interval, for the value that the labels will show."""
    high: float
    """Upper end of it."""
    rows: int
    """Predictions that it is over."""
    method: str
    """How it was estimated."""


class ScoredEstimate(Section):
    """An estimate beside the truth, over the same predictions."""

    since: datetime
    """Time of the first of them (UTC)."""
    until: datetime
    """Time of the last of them (UTC)."""
    estimate: QualityEstimate
    """What was estimated without their labels."""
    truth: float
    """What their labels show."""

    @property
    def error(self) -> float:
        """How far off the estimate was, in the metric's own units."""
        return abs(self.truth - self.estimate.value)

    @property
    def held(self) -> bool:
        """Whether the truth lies in the interval."""
        return self.estimate.low <= self.truth <= self.estimate.high


class DecisionCoverage(Section):
    """How many of the cases of one decision have a label."""

    decision: str
    """`act`, `ask` or `leave`."""
    cases: int
    """Cases old enough to have one."""
    labelled: int
    """Those whose label came by itself, or from the people who decide such cases."""
    drawn: int
    """Those drawn at random and labelled."""
    selected: int
    """Those labelled because their label teaches, or that came where none is expected."""
    comes: bool
    """Whether the labels of this decision come by themselves, by the use case and by how many there are."""
    is_covered: bool
    """Whether the labelled cases can stand for those without a label."""

    @property
    def share(self) -> float:
        """Share of the cases whose label came by itself (0 to 1)."""
        return self.labelled / self.cases if self.cases else 0.0


class LabelCoverage(Section):
    """For which cases labels are known, where not all are alike."""

    decisions: list[DecisionCoverage]
    """Each decision that was made, the most frequent first."""
    effective: float = 0.0
    """How many labels of cases drawn at random would say as much (L. Kish, Survey sampling, 1965)."""

    @property
    def cases(self) -> int:
        """All cases that the labels stand for."""
        return sum(each.cases for each in self.decisions)

    @property
    def uncovered(self) -> list[DecisionCoverage]:
        """Decisions of which nothing is known."""
        return [each for each in self.decisions if not each.is_covered]

    @property
    def is_whole(self) -> bool:
        """Whether a figure for all cases can be given."""
        unknown = sum(each.cases - each.labelled - each.selected for each in self.uncovered)
        return unknown <= _NEGLIGIBLE * self.cases


class DecisionFigure(Section):
    """A figure of the cases of one decision, beside the same of the training rows, which were predicted out of fold."""

    name: str
    """`precision` (acting), `negative_predictive_value` (leaving), `accuracy`, `mae`, or `worth` of 1,000 decisions."""
    now: float
    """Its value on the labelled predictions."""
    low: float
    """Lower end of the bootstrap interval of `now`."""
    high: float
    """Upper end of it."""
    before: float | None
    """Its value on the training rows of the same decision; None if there are too few."""
    worse_by: float = 0.0
    """How much worse it became, in its own units; negative if it became better."""
    beyond_chance: bool = False
    """Whether it is worse beyond what chance reaches at this look."""


class DecisionQuality(Section):
    """How right the cases of one decision were."""

    decision: str
    """`act`, `ask` or `leave`."""
    labels: int
    """Labelled cases of the decision."""
    figures: list[DecisionFigure]
    """What can be said of them."""


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
    changed: int = 0
    """Labelled predictions whose label was replaced by one of another value; the newest counts."""
    early: int = 0
    """Labels that are dated before their case happened."""
    metric: MetricChange | None
    """The primary metric; None if there are too few labels or it is undefined on them."""
    worth: MetricChange | None
    """What 1,000 decisions bring in, in `problem.unit`; None as for `metric`."""
    target: ColumnDrift | None
    """How the true labels differ from those of training; None if there are too few."""
    estimate: QualityEstimate | None = None
    """The primary metric of all predictions looked at, estimated without their labels; None if it cannot be."""
    estimated_worth: QualityEstimate | None = None
    """The same for what 1,000 decisions bring in."""
    scored: list[ScoredEstimate] = []
    """Estimates of the primary metric beside the truth, for predictions that no earlier check has compared."""
    coverage: LabelCoverage | None = None
    """For which decisions labels are known, where they are weighed for it; None: all labels count alike."""
    decisions: list[DecisionQuality] = []
    """Quality by decision, in place of figures for all cases where these cannot be given."""


class RulesComparison(Section):
    """What 1,000 decisions bring in, in `problem.unit`, on the same labelled rows."""

    model: float
    """By the decisions that were made."""
    rules: float
    """By the rules as they are written in the use case today."""
    low: float
    """Lower end of the paired bootstrap interval of model − rules."""
    high: float
    """Upper end of the same."""
    worse: bool = False
    """Whether the model is worse than the rules, beyond what chance reaches at this look."""


class PreviousComparison(Section):
    """What 1,000 decisions bring in, in `problem.unit`, on the same labelled rows."""

    version: str
    """The model that answered before this one."""
    model: float
    """By the decisions that were made."""
    previous: float
    """By those that the model before would have made."""
    low: float
    """Lower end of the paired bootstrap interval of model − previous."""
    high: float
    """Upper end of the same."""
    worse: bool = False
    """Whether the model is worse than the one before, beyond what chance reaches at this look."""


class DaySummary(Section):
    """One day of the window."""

    day: str
    """The day (UTC), as 2026-06-30."""
    rows: int
    """Predictions."""
    warned: float
    """Share of the predictions that the service warned of (0 to 1)."""
    answer: float | None = None
    """Mean answer: probability, or number for regression; None for several classes."""


class DayWorth(Section):
    """What the decisions on the labelled cases of one day brought in, in `problem.unit`, and what others would have."""

    day: str
    """The day (UTC) of the cases, as 2026-06-30."""
    rows: int
    """Labelled cases."""
    complete: bool
    """Whether `problem.label_delay_days` have passed since the day ended; if not, labels are still to come."""
    model: float
    """By the decisions that were made."""
    rules: float | None = None
    """By the rules as they are written in the use case today; None: there are none to compare with."""
    nothing: float
    """Without rules or model: binary cases all left alone, others all given the usual answer of the training rows."""
    error: float | None = None
    """Regression: mean absolute error of the model, in units of the target."""
    error_rules: float | None = None
    """Regression: mean absolute error of the rules on the same cases."""


class DailyWorth(Section):
    """Worth per day."""

    unit: str
    """The unit of worth."""
    days: list[DayWorth]
    """The days with labelled cases, oldest first."""
    share: float = 1.0
    """Share of the labelled cases that it rests on (0 to 1); below 1, sums and numbers of cases are scaled up."""


class FigureDay(Section):
    """The business figure on one day."""

    day: str
    """The day (UTC), as 2026-06-30."""
    value: float


class FigureByDay(Section):
    """The business figure per day."""

    name: str
    """What it is called."""
    origin: str
    """Where it comes from, in words."""
    days: list[FigureDay] = []
    """Each day with a value, oldest first."""
    note: str = ""
    """Why there are no new values, or what to know of them; empty: nothing."""


class SegmentSummary(Section):
    """The newest predictions of one segment."""

    column: str
    """The column that tells the segments apart, one of `evaluation.slices`."""
    value: str
    """Its value."""
    rows: int
    """Predictions of the newest batch with this value."""
    warned: float
    """Share of them that the service warned of (0 to 1)."""
    answer: float | None = None
    """Mean answer to them; None for several classes."""
    answer_before: float | None = None
    """Mean answer to those of the segment before the newest batch; None if there are none."""


class NewestBatch(Section):
    """The newest predictions beside those before them."""

    since: datetime
    """The time of its first row (UTC)."""
    rows: int
    """Predictions in it."""
    rows_before: int
    """Predictions of the window before it."""
    warned: float
    """Share of its predictions with a warning: unseen category, out of range, unreadable, or missing where the model
    never saw a missing value (0 to 1)."""
    warned_before: float
    """The same for those before it; 0 if there are none."""
    warned_columns: dict[str, float] = {}
    """Column → share of the batch with a warning of it, the most frequent first."""
    segments: list[SegmentSummary] = []
    """Its predictions by segment, those with the most warnings first."""
    answer: float | None = None
    """Mean answer in it; None for several classes."""
    answer_before: float | None = None
    """Mean answer before it."""
    answer_chance: float | None = None
    """How far chance may move the difference of the two means at this look."""
