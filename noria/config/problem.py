"""`problem`: the question, who uses the answer, what it is worth and when it must come."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from noria.config.section import Label, Section

Decision = Literal["act", "ask", "leave"]


class BinaryWorth(Section):
    """What one decision of each kind brings in, in `problem.unit`; a cost is negative."""

    true_positive: float
    """We acted and it was right."""
    false_positive: float
    """We acted for nothing."""
    false_negative: float
    """We should have acted and did not."""
    true_negative: float = 0.0
    """We left it alone and that was right."""


class MulticlassWorth(Section):
    """What a right and a wrong class bring in, in `problem.unit`; a cost is negative."""

    right: float
    """One right class."""
    wrong: float
    """One wrong class, unless `wrong_when_true` names the true class."""
    wrong_when_true: dict[str, float] = {}
    """True class → what missing it brings in, where that differs from `wrong`."""


class RegressionWorth(Section):
    """What errors cost and good predictions bring in, in `problem.unit`."""

    right: float = 0.0
    """One prediction within `tolerance` of the truth."""
    tolerance: float = Field(default=0.0, ge=0)
    """How far off still counts as right, in units of the target."""
    too_high_per_unit: float = Field(default=1.0, ge=0)
    """Cost of each unit predicted too much (a positive number)."""
    too_low_per_unit: float = Field(default=1.0, ge=0)
    """Cost of each unit predicted too little (a positive number)."""


class BusinessFigure(Section):
    """The business figure that should move: in words, and where it is measured.

    A text alone is its `name`.
    """

    name: str = Field(min_length=3)
    """The figure in words, as the reports call it."""
    column: str | None = None
    """The column that it is measured on: `data.target`, a column of the asked rows, or one of the label file."""
    of: Literal["mean", "sum", "share"] = "mean"
    """What is made of that column for each day; `share` is the share of the rows with `value`."""
    value: Label | None = None
    """For `share`: the value that counts; by default `positive` of the target, and yes of a yes-or-no column."""
    query: str | None = Field(default=None, min_length=1)
    """An SQL query instead of a column: one statement that only reads, and returns a date and a number for each day."""
    source: str | None = None
    """The source of `data.sources` whose database is queried; by default the prediction store."""

    @model_validator(mode="before")
    @classmethod
    def _from_words(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _column_or_query(self) -> Self:
        if self.column is not None and self.query is not None:
            raise ValueError("give either `column` or `query`")
        if self.source is not None and self.query is None:
            raise ValueError("`source` needs a `query`")
        if self.value is not None and (self.column is None or self.of != "share"):
            raise ValueError("`value` needs a `column` and `of: share`")
        if self.of != "mean" and self.column is None:
            raise ValueError("`of` needs a `column`")
        return self


def _also_as_words(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"type": "string", "minLength": 3}, {"$ref": schema.pop("$ref")}]


class _Problem(Section):
    question: str = Field(min_length=10)
    """The question in one sentence, as the client asks it."""
    decided_by: str = Field(min_length=3)
    """Who decides what to do with the answer."""
    case: str = "case"
    """What one row is, in the singular ("customer", "hour"); the reports use the word."""
    unit: str = "EUR"
    """The unit of `worth`: money or anything else that can be added up."""
    latency_budget_ms: float = Field(default=100.0, gt=0)
    """The longest that one prediction may take, in milliseconds; slower candidates are not chosen."""
    size_budget_mb: float = Field(default=200.0, gt=0)
    """The largest that the stored model may be, in megabytes; larger candidates are not chosen."""
    needed: str = Field(min_length=3)
    """When the prediction is needed, in words."""
    label_delay_days: float = Field(ge=0, le=36_500)
    """How many days after the prediction its true label is known; monitoring waits that long."""
    labels_for: list[Decision] = Field(default=["act", "ask", "leave"], min_length=1)
    """Decisions whose true labels come by themselves. Where the outcome is seen only if we act, write `[act]`: quality
    is then judged with the help of labels drawn at random for the other cases, see `label --random`."""
    readable: Literal["required", "preferred", "unimportant"] = "preferred"
    """Must a person be able to read the model? `required` leaves only rules, linear models and small trees;
    `preferred` takes the most readable candidate that the best does not beat beyond chance, if it costs no more than
    `models.readability_price`."""
    business_figure: BusinessFigure = Field(json_schema_extra=_also_as_words)
    """The business figure that should move: in words, or with the column or query that it is measured by."""


class BinaryProblem(_Problem):
    """Yes or no."""

    task: Literal["binary"]
    positive: Label
    """The value of the target that we act on."""
    worth: BinaryWorth
    """What each kind of error costs and each right answer is worth."""


class MulticlassProblem(_Problem):
    """One of several classes."""

    task: Literal["multiclass"]
    worth: MulticlassWorth
    """What an error costs and a right answer is worth."""


class RegressionProblem(_Problem):
    """A number."""

    task: Literal["regression"]
    worth: RegressionWorth = RegressionWorth()
    """What an error costs and a right answer is worth."""


Problem = Annotated[BinaryProblem | MulticlassProblem | RegressionProblem, Field(discriminator="task")]
