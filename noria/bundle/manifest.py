"""The manifest: what a bundle is, what it was made from, and the SHA-256 of each of its files."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from noria.config.section import Section
from noria.models.decision_policy import DecisionPolicy
from noria.schema import InputSchema

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


class Manifest(Section):
    """Everything about a bundle but the model itself."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    format: Literal[1] = FORMAT
    name: str
    """The use case's name."""
    version: str
    kind: Kind
    task: Task
    target: str
    id: str | None
    """The column that identifies a case; not an input."""
    case: str
    """What one row is, in the singular."""
    classes: list[str]
    """Classification: the class of each score column; binary: the negative, then the positive. Regression: empty."""
    positive: str | None
    """Binary: the class that is acted on."""
    schema_: InputSchema = Field(alias="schema")
    """The inputs, with types, ranges and categories."""
    policy: DecisionPolicy
    """What is done with a prediction."""
    metric: str
    """The name of the primary metric."""
    metrics: dict[str, MetricValue] = {}
    """Metrics on the test rows; empty until the bundle has been evaluated."""
    data_fingerprint: str
    """SHA-256 of the data that it was trained on."""
    created_at: datetime
    parameters: dict[str, Any]
    """The model's parameters."""
    libraries: dict[str, str]
    """Library → version that wrote the model; the reader needs the same major version."""
    files: dict[str, str] = {}
    """File name → SHA-256 of its content."""

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


def positive_label(use_case: "UseCase") -> str | None:
    """Binary: the class that is acted on, as text; else None."""
    return str(use_case.problem.positive) if use_case.problem.task == "binary" else None
