"""From the split to the decision: `split`, `features`, `models`, `rules`, `evaluation`, `decision`."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from noria.config.history import HistoryFeature
from noria.config.migration import accept_old_names
from noria.config.section import Label, Section

CandidateName = Literal["dummy", "linear", "tree", "forest", "xgboost"]
BINARY_METRICS = ("roc_auc", "average_precision", "log_loss", "brier", "worth")
MULTICLASS_METRICS = ("accuracy", "f1_macro", "log_loss", "worth")
REGRESSION_METRICS = ("mae", "rmse", "r2", "worth")


class SplitConfig(Section):
    """How the test rows are set aside; cross-validation folds are made the same way."""

    method: Literal["stratified", "time", "group"] = "stratified"
    """`stratified` draws each row by a hash of its content; `time` tests on the latest rows; `group` draws by a hash of
    the group and keeps its rows together. A hash depends on nothing else in the table, so a test row stays one when
    rows are added, removed or reordered. Folds keep the mix of the target."""
    test_share: float = Field(default=0.25, gt=0, lt=1)
    """Share of rows set aside for the test (0 to 1); about that many where a hash decides."""
    cutoff: datetime | None = None
    """For `time`: rows from this moment on are the test rows, instead of `test_share`."""
    group: str | None = None
    """For `group`: the column that names the group."""
    copies: Literal["together", "free"] = "together"
    """For `stratified`: whether rows with the same inputs (numbers to about four digits, text without regard to case)
    stay on one side of the split and of every fold. `free` draws each by itself, for tables whose few different values
    make rows agree by chance."""
    seed: int = Field(default=42, ge=0, le=2**32 - 1)
    """Seed of the split."""

    @model_validator(mode="after")
    def _keys_fit_method(self) -> Self:
        if self.cutoff is not None and self.method != "time":
            raise ValueError("`cutoff` needs `method: time`")
        if (self.group is not None) != (self.method == "group"):
            raise ValueError("`method: group` and `group: COLUMN` go together")
        if self.copies != "together" and self.method != "stratified":
            raise ValueError("`copies: free` needs `method: stratified`")
        return self


class FeaturesConfig(Section):
    """Which columns the models see and how they are prepared (fitted on training rows only)."""

    numeric: list[str] = []
    """Columns to treat as numbers, where their type does not tell."""
    categorical: list[str] = []
    """Columns to treat as categories, where their type does not tell."""
    exclude: list[str] = []
    """Columns the models must not see."""
    calendar: list[Literal["year", "month", "day", "weekday", "hour"]] = []
    """Parts of each date column to make features of."""
    history: list[HistoryFeature] = []
    """Features that are counted from earlier cases, as they were known when the question is asked."""
    max_categories: int = Field(default=50, ge=2)
    """Most categories kept per column, the most frequent first; all others count as unseen."""
    clip_quantile: float = Field(default=0.001, ge=0, lt=0.5)
    """Numbers outside this quantile and its mirror are clipped to it (0: no clipping)."""

    @model_validator(mode="after")
    def _history_names_differ(self) -> Self:
        names = [feature.name for feature in self.history]
        if len(set(names)) < len(names):
            raise ValueError(f"two features of `history` share a name: {', '.join(names)}")
        return self


class SearchRange(Section):
    """The values that tuning may try for one parameter: `low` to `high`, or `choices`."""

    low: float | None = None
    """Smallest value."""
    high: float | None = None
    """Largest value."""
    integer: bool = False
    """Try whole numbers only."""
    log: bool = False
    """Spread the values evenly over orders of magnitude."""
    choices: list[str | int | float | bool | None] | None = None
    """The values to choose from, instead of a range."""

    @model_validator(mode="after")
    def _range_or_choices(self) -> Self:
        if self.choices is not None:
            if self.low is not None or self.high is not None:
                raise ValueError("give either `choices` or `low` and `high`")
            if not self.choices:
                raise ValueError("`choices` is empty")
            return self
        if self.low is None or self.high is None:
            raise ValueError("give `low` and `high`, or `choices`")
        if self.low > self.high or (self.log and self.low <= 0):
            raise ValueError("`low` must not exceed `high`, and must be positive with `log: true`")
        return self


class CandidateConfig(Section):
    """One kind of model in the competition."""

    params: dict[str, str | int | float | bool | None] = {}
    """Parameters set by hand, by the library's own names."""
    search: dict[str, SearchRange] = {}
    """Parameters that tuning may change; empty: the kind's built-in search space."""
    tune: bool = True
    """False: the parameters stay as they are."""


def _all_candidates() -> dict[CandidateName, CandidateConfig]:
    return {
        "dummy": CandidateConfig(),
        "linear": CandidateConfig(),
        "tree": CandidateConfig(),
        "forest": CandidateConfig(),
        "xgboost": CandidateConfig(),
    }


class ModelsConfig(Section):
    """The candidates and how they are tuned; the rules and a constant answer (`dummy`) always take part."""

    candidates: dict[CandidateName, CandidateConfig] = Field(default_factory=_all_candidates, min_length=1)
    """The kinds that compete: dummy, linear, tree, forest, xgboost."""
    trials: int = Field(default=20, ge=0)
    """Optuna trials per tuned candidate (0: no tuning)."""
    folds: int = Field(default=5, ge=2, le=20)
    """Cross-validation folds on the training rows."""
    timeout_s: float | None = Field(default=None, gt=0)
    """Stop tuning a candidate after this many seconds, whatever trials are left."""
    refit: Literal["all", "training"] = "all"
    """Which rows the promoted model has learned from when it goes into service. `all`: after it was judged, its recipe
    is fitted again on training and test rows together; `training`: it stays as it was judged."""
    readability_price: float = Field(default=0.02, ge=0, le=1)
    """With `problem.readable: preferred`: the most that a readable model may cost (0 to 1), as a share of what the best
    candidate gains over a constant answer in cross-validation. It holds for `evaluation.metric` and for the worth of
    decisions; 0 takes a readable model only if it costs nothing."""
    jobs: Literal[-1] | Annotated[int, Field(ge=1)] = -1
    """Processor cores that a model may use while it trains (-1: all)."""
    seed: int = Field(default=42, ge=0, le=2**32 - 1)
    """Seed of the folds, of tuning and of the models."""


class RuleConfig(Section):
    """If the condition holds, this is the answer."""

    when: str
    """Condition over columns: comparisons joined by `and`, `or`, `not`; for example
    `contract == "Month-to-month" and tenure < 6`. Also `in [...]`, `+ - * /` and `is_missing(column)`."""
    then: Label
    """The answer: a class, or a number for regression."""


class RulesConfig(Section):
    """The rule baseline: conditions tried in order, as the business would write them."""

    source: Literal["business", "mined"] = "business"
    """Where the rules come from. `business`: this is how it is decided today, and every model must beat it. `mined`:
    `python run.py new` read them off the data as a stand-in; they count as one more small model."""
    conditions: list[RuleConfig] = []
    """The first condition that holds gives the answer."""
    otherwise: Label
    """The answer when no condition holds."""


class EvaluationConfig(Section):
    """How candidates are judged and when a challenger may replace the champion."""

    metric: Literal[
        "roc_auc", "average_precision", "log_loss", "brier", "accuracy", "f1_macro", "mae", "rmse", "r2", "worth"
    ]
    """The primary metric. `worth` is what 1,000 decisions bring in, in `problem.unit`."""
    margin: float = Field(default=0.0, ge=0)
    """By how much a challenger must beat the champion and the rules, in the metric's own units."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Confidence of the bootstrap intervals (0.5 to 1)."""
    bootstrap: int = Field(default=1000, ge=100, le=100_000)
    """Bootstrap resamples of the test rows."""
    slices: list[str] = []
    """Columns by which the metric is also reported; numbers are cut into quarters."""
    mistakes: int = Field(default=10, ge=0)
    """Worst mistakes to show in the report."""


class DecisionConfig(Section):
    """What is done with a prediction: act, ask a person, or leave it."""

    threshold: Annotated[float, Field(ge=0, le=1)] | Literal["best_worth"] = "best_worth"
    """Binary: act from this probability on; `best_worth` finds the one that brings in most, on cross-validated
    predictions of the training rows."""
    review_margin: float = Field(default=0.0, ge=0, le=0.5)
    """Binary: a case whose probability is at most this far from the threshold goes to a person; 0 sends none."""
    review_below: float = Field(default=0.0, ge=0, le=1)
    """Multiclass: a person decides when the probability of the likeliest class is below this."""
    act_from: float | None = None
    """Regression: act when the prediction is at least this; without it, act on every prediction."""

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, given: object) -> object:
        return accept_old_names("decision", given)
