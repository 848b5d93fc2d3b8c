"""The manifest: what a bundle is, what it was made from, and the SHA-256 of each of its files."""

import math
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from noria.config.column_reading import ColumnReading
from noria.config.data import WindowConfig
from noria.config.section import PathName, Section
from noria.models.decision_policy import DecisionPolicy
from noria.models.learned_rows import LearnedRows
from noria.schema import InputSchema
from noria.tabular.column_reader import ColumnReader
from noria.tabular.values import BOOLEANS, number_of, shown, text_of

if TYPE_CHECKING:
    from noria.config import UseCase

FORMAT: Final = 1
"""Version of the bundle's layout; a reader refuses any other."""

Kind = Literal["rules", "dummy", "linear", "tree", "forest", "xgboost"]
Task = Literal["binary", "multiclass", "regression"]


class MetricValue(Section):
    """A metric on the test rows, with its bootstrap interval."""

    value: float
    low: float
    high: float


class MetricsOrigin(Section):
    """Where the promised metrics come from: a fit that had not seen the rows that it was judged on."""

    test_rows: int
    """Test rows that the judged fit could answer."""
    learned_rows: int | None
    """Rows that the judged fit had learned from; None: not known."""


class Manifest(Section):
    """Everything about a bundle but the model itself."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    format: Literal[1] = FORMAT
    name: PathName
    """The use case's name."""
    version: PathName
    kind: Kind
    task: Task
    target: str
    id: str | None
    """The column that identifies a case; not an input."""
    time: str | None = None
    """The column that tells when a case happens; None: there is none, or it was written before this was kept."""
    case: str
    """What one row is, in the singular."""
    classes: list[str]
    """Classification: the class of each score column; binary: the negative, then the positive. Regression: empty."""
    positive: str | None
    """Binary: the class that is acted on."""
    schema_: InputSchema = Field(alias="schema")
    """The inputs, with types, ranges and categories."""
    readings: dict[str, ColumnReading] = {}
    """How the values of columns that are no inputs are read, such as the identifier, the target and the time."""
    policy: DecisionPolicy
    """What is done with a prediction."""
    metric: str
    """The name of the primary metric."""
    split: str | None = None
    """How the rows that it was judged on were set aside, see `split_name`; None: written before this was kept."""
    worth: dict[str, Any] | None = None
    """`problem.worth`, for which it was chosen and its policy, too; None as for `split`."""
    metrics: dict[str, MetricValue] = {}
    """Metrics on the test rows; empty until the bundle has been evaluated. Of a model that was fitted again on all
    rows, they are those of the fit that was judged."""
    metrics_from: MetricsOrigin | None = None
    """Where `metrics` come from; None: not evaluated, or written before this was kept."""
    learned: LearnedRows | None = None
    """The rows that the model in this bundle has learned from; None: written before this was kept."""
    window: WindowConfig | None = None
    """Which rows it learns from and how they weigh, by their age; None: all, which weigh the same. Where `data.window`
    is `auto`, it is the one that was chosen."""
    examples: Literal["real", "synthetic"] = "real"
    """What `examples.json` holds; bundles of earlier versions hold training rows."""
    data_fingerprint: str
    """SHA-256 of the data that it was trained on."""
    created_at: datetime
    parameters: dict[str, Any]
    """The model's parameters."""
    libraries: dict[str, str]
    """Library → version that wrote the model; the reader needs the same major version."""
    files: dict[str, str] = {}
    """File name → SHA-256 of its content."""

    def label_of(self, value: object, decimal: str = ".") -> str | float:
        """A true label as the model knows it: one of its classes, or a number.

        `decimal` is the decimal mark of the file that it comes from.

        `1`, `1.0`, `"1"` and true are one label where the classes are 0 and 1, and so where they are True and False.

        Raises:
            ValueError: it is neither.
        """
        reading = self.readings.get(self.target, ColumnReading(type=None if self.classes else "number"))
        reader = ColumnReader(reading, decimal)
        if not self.classes:
            number = reader.number(value)
            if not math.isfinite(number):
                raise ValueError(f"{shown(value)} is not a number")
            return number
        text = reader.text(value)
        for known in (text, _number_text(text), _truth_text(text, self.classes)):
            if known in self.classes:
                return str(known)
        raise ValueError(f"{shown(text)} is none of {', '.join(self.classes)}")

    def case_of(self, value: object) -> str:
        """The identifier of a case as predictions keep it.

        Raises:
            ValueError: a value that is no single one.
        """
        return self.case_reader.text(value)

    @cached_property
    def case_reader(self) -> ColumnReader:
        """Reads identifiers of cases."""
        return ColumnReader(self.readings.get(str(self.id), ColumnReading()))

    @model_validator(mode="after")
    def _classes_fit_task(self) -> Self:
        fits = {
            "binary": len(self.classes) == 2 and self.positive == self.classes[-1],
            "multiclass": len(self.classes) >= 2 and self.positive is None,
            "regression": not self.classes and self.positive is None,
        }
        if not fits[self.task]:
            raise ValueError(f"classes {self.classes} and positive {self.positive!r} do not fit task {self.task}")
        return self


def _number_text(text: str) -> str | None:
    try:
        return text_of(number_of(text))
    except ValueError:
        return None


def _truth_text(text: str, classes: list[str]) -> str | None:
    """The class that a truth value means, where the classes are 0 and 1, or truth values themselves."""
    truths = {name: BOOLEANS.get(name.lower()) for name in classes if name.lower() in {"0", "1", "true", "false"}}
    meant = BOOLEANS.get(text.lower()) if text.lower() in {"0", "1", "true", "false", "1.0", "0.0"} else None
    if meant is None or len(truths) != len(classes):
        return None
    return next(name for name, truth in truths.items() if truth is meant)


def learning_facts(learned: LearnedRows | None, origin: MetricsOrigin | None) -> list[tuple[str, str]]:
    """Which rows a model has learned from and where its promised metrics come from, as (name, plain words)."""
    facts = []
    if learned is not None:
        rows = f"{learned.rows:,} rows"
        if learned.until is not None:
            until = format(learned.until, "%Y-%m-%d %H:%M" if isinstance(learned.until, datetime) else "g")
            rows += f", `{learned.time}` up to {until}"
        facts.append(("learned from", rows))
    if origin is not None:
        fit = "a fit" if origin.learned_rows is None else f"a fit on {origin.learned_rows:,} rows"
        if learned is not None and learned.rows == origin.learned_rows:
            fit = "this very fit"
        facts.append(("promised from", f"{origin.test_rows:,} test rows that {fit} had not seen"))
    return facts


def split_name(use_case: "UseCase") -> str:
    """How the test rows are set aside: `stratified`, `time`, or ``group `customer` ``."""
    split = use_case.split
    return split.method if split.group is None else f"{split.method} `{split.group}`"


def positive_label(use_case: "UseCase") -> str | None:
    """Binary: the class that is acted on, as text; else None."""
    return str(use_case.problem.positive) if use_case.problem.task == "binary" else None
