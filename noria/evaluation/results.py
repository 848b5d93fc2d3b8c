"""What an evaluation and a verdict consist of; JSON-able."""

from typing import Literal

from noria.bundle.manifest import Kind, MetricValue, Task
from noria.config.data import WindowConfig
from noria.config.section import Section

Cell = str | float | None


class PolicyResult(Section):
    """One way to decide the same test rows."""

    name: Literal["model", "rules", "nothing"]
    """`nothing`: binary cases are all left alone; otherwise every case gets the usual answer of the training rows."""
    worth: MetricValue
    """What 1,000 decisions bring in, in `problem.unit`."""
    metric: MetricValue | None
    """The primary metric; None where it is undefined."""
    model_leads_by: MetricValue | None
    """How much more 1,000 decisions of the model bring in, compared row by row; None for the model itself."""
    per_1000: dict[str, float]
    """What happens to 1,000 cases. Binary: `act_positive`, `act_negative`, `ask_positive`, `ask_negative`,
    `leave_positive`, `leave_negative`. Multiclass: `right`, `wrong`, `ask`. Regression: `near`, `too_high`,
    `too_low`."""


class SliceResult(Section):
    """The rows that share one value of a column."""

    column: str
    value: str
    rows: int
    metric: MetricValue | None
    """The primary metric; None where it is undefined."""
    rules_metric: float | None
    """The primary metric of the rules on the same rows; None where it is undefined or the rules were not given."""
    worth: float
    """What 1,000 decisions bring in."""
    truth: float
    """Binary: share of positives. Multiclass: share of right answers. Regression: mean of the truth."""


class CalibrationBin(Section):
    """Rows of about the same score, a tenth of all."""

    rows: int
    predicted: float
    """Mean predicted probability (multiclass: of the predicted class) or number."""
    observed: float
    """Share in which it was true, or mean true number."""


class WorstError(Section):
    """One of the worst wrong answers."""

    row: dict[str, Cell]
    """The inputs, and the identifier if there is one."""
    truth: str | float
    prediction: str | float
    probability: float | None
    decision: str
    lost: float
    """How much more the right decision would have brought in, in `problem.unit`."""


class EvaluationResult(Section):
    """How a bundle did on the test rows."""

    name: str
    version: str
    kind: Kind
    task: Task
    rows: int
    """Test rows that were answered."""
    fit_rows: int | None = None
    """Rows that the judged fit had learned from; None: not known."""
    window: WindowConfig | None = None
    """Which rows it learns from and how they weigh, by their age; None: all, which weigh the same."""
    unusable: int
    """Test rows that could not be answered and are left out."""
    metric: str
    """The primary metric's name."""
    metrics: dict[str, MetricValue]
    rules_metrics: dict[str, MetricValue]
    """The same for the rules; empty if they were not given."""
    rules_mined: bool = False
    """Whether the rules were read off the data, so that no one decides by them."""
    approaches: list[PolicyResult]
    """The model, the rules (if given) and doing nothing."""
    near: float | None
    """Regression: how far off still counts as near."""
    typical_error: float | None
    """Regression: half of the predictions are closer to the truth than this."""
    large_error: float | None
    """Regression: nine in ten predictions are closer to the truth than this."""
    usual: str | float | None
    """Multiclass and regression: the usual answer of the training rows, that `nothing` always gives."""
    classes: list[str]
    confusion: list[list[float]]
    """Multiclass: of 1,000 cases, how many of each true class (line) got each answer (column)."""
    slices: list[SliceResult]
    calibration: list[CalibrationBin]
    mistakes: list[WorstError]


class RivalComparison(Section):
    """A candidate against one rival on the same test rows."""

    candidate: Kind
    """What kind of model the candidate is."""
    rival: Literal["rules", "champion", "nothing", "readable"]
    """`nothing`: a constant answer, where nothing is in use; `readable`: the candidate that was preferred to the best
    for its readability."""
    rival_kind: Kind
    rival_version: str
    challenger_value: float
    rival_value: float
    difference: float
    """By how much the challenger is better, in the primary metric's units; negative: it is worse."""
    low: float
    high: float
    confidence: float
    """Of the interval `low` to `high`: `evaluation.confidence`, or more where several candidates reach the gate."""
    margin: float
    """The least difference that counts."""
    beats: bool
    """The difference is at least `margin` and beyond chance."""


class GateVerdict(Section):
    """What may be deployed, and why."""

    promote: Literal["challenger", "rules", "none"]
    candidate: Kind
    """What the challenger is: the kind of the candidate that the gate settled on."""
    reason: str
    """In plain sentences."""
    comparisons: list[RivalComparison]
    ml_needed: bool
    """False only where rules of the business are as good as every model."""
    disqualified: str = ""
    """Why the version in service is no rival any more; empty: it is one, or there is none."""
    champion_basis: str = ""
    """How the champion was compared, in plain sentences; empty: it was not."""
    unlearned_rows: int | None = None
    """Test rows of this comparison that no side has learned from; None: not known, or there was none."""
