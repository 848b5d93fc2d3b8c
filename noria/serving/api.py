"""The JSON bodies of the service's requests and responses."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from noria.config.section import Section

Cell = str | int | float | bool | None
Row = dict[str, Cell]
LONGEST_ENTITY = 255
"""Maximum length of a case's identifier, as the prediction store accepts it."""


class PredictRequest(Section):
    """POST /predict: the cases to predict. Fields that the model does not know are ignored and named."""

    rows: list[Row] = Field(min_length=1)
    """One object per case, with every input column (null: unknown) and, if there is one, the case's identifier."""


class PredictionResponse(Section):
    """The prediction of one row."""

    id: str
    """Identifier of this prediction; a label can be sent for it later."""
    prediction: str | float
    """The class or, for regression, the number."""
    probability: float | None
    """Probability of the positive class (binary) or of the predicted class (multiclass)."""
    decision: str
    """`act`, `ask` or `leave`."""
    warnings: list[str]
    """Values that the model has not seen in training."""
    version: str
    """Version of the model."""
    variant: str
    """Variant that made the prediction."""


class PredictResponse(Section):
    """One prediction per row, in the order of the rows."""

    predictions: list[PredictionResponse]
    ignored: list[str] = []
    """Fields that the model does not know."""


class FeatureContribution(Section):
    """The contribution of one input to a score."""

    feature: str
    value: Cell
    """The value that was sent."""
    contribution: float
    """In the unit of the score; negative values lower it."""


class ExplanationResponse(Section):
    """The explanation of one prediction: `baseline` plus all contributions is `score`."""

    prediction: str | float
    probability: float | None
    decision: str
    baseline: float
    """The mean score of some training rows."""
    score: float
    """Probability of the positive class, of the predicted class, or the predicted number."""
    contributions: list[FeatureContribution]
    """One for each input, the largest first."""
    warnings: list[str]
    version: str
    variant: str


class ExplainResponse(Section):
    """One explanation per row, in the order of the rows."""

    explanations: list[ExplanationResponse]
    unit: str
    """The unit of scores and contributions."""
    ignored: list[str] = []
    """Fields that the model does not know."""


LONGEST_NAME = 100
NAME = "^[^\\u0000-\\u001f\\u007f]*[^\\u0000-\\u0020\\u007f][^\\u0000-\\u001f\\u007f]*$"
"""A person's name: no control characters, and not blanks alone."""


class TrueLabel(Section):
    """The true label of a prediction (`id`) or of a case (`entity`)."""

    id: str | None = Field(default=None, min_length=1, max_length=64)
    """Identifier of the prediction, as /predict gave it."""
    entity: Annotated[str, Field(min_length=1, max_length=LONGEST_ENTITY)] | int | None = None
    """The case's own identifier."""
    label: str | int | float | bool
    """The true class or number."""
    at: datetime | None = None
    """When it became known, ISO 8601, by default now; without an offset from UTC it is UTC."""
    by: str | None = Field(default=None, min_length=1, max_length=LONGEST_NAME, pattern=NAME)
    """Who gave it, if a person was asked; left out if it came by itself."""


class FeedbackRequest(Section):
    """POST /feedback: true labels."""

    labels: list[TrueLabel] = Field(min_length=1)


class FeedbackResponse(Section):
    """The result for each label, in their order."""

    known: list[bool | None]
    """Whether the prediction is known. The label of an unknown one is stored until its prediction arrives; if none at
    all is known, the request is refused. null: the label is stored, but the prediction store is unavailable."""


class ModelResponse(Section):
    """GET /model: the champion and the variants beside it."""

    model_config = ConfigDict(extra="ignore")  # older clients may call newer services

    name: str
    version: str
    variant: str
    kind: str
    task: str
    target: str
    id: str | None
    """The field that may carry the case's identifier."""
    classes: list[str]
    positive: str | None
    inputs: list[dict[str, Any]]
    """The input columns with their kind, training range or categories."""
    policy: dict[str, Any]
    metric: str
    metrics: dict[str, Any]
    """What was promised: metric → value and interval on test rows."""
    data_fingerprint: str
    created_at: str
    active_since: str
    """When this process loaded this model (ISO 8601)."""
    worker: int
    """Process that sent this response."""
    case: str = "case"
    """What one row is."""
    examples: list[Row] = []
    """Rows that the model can predict, see `serving.examples`; may be empty."""
    variants: list[dict[str, Any]] = []
    """The variants with shares, versions and decision policies."""
    learned: dict[str, Any] | None = None
    """The rows that the model has learned from: how many, and up to when."""
    metrics_from: dict[str, Any] | None = None
    """Where `metrics` come from: how many test rows, and how many rows the judged fit had learned from."""


class TrafficChangeResponse(Section):
    """PUT /traffic, PUT /policy: descriptions of the plan after and before."""

    model_config = ConfigDict(extra="ignore")

    now: str
    before: str


class RowError(Section):
    """The problem with one row or label."""

    row: int
    """Position, from 0."""
    problem: str
    """The field and its problem."""


class ErrorResponse(Section):
    """The body of every error; nothing of the request was done."""

    model_config = ConfigDict(extra="ignore")

    error: str
    code: str = ""
    """Stable code of the error, such as `request.rows_invalid`; docs/errors.md lists all."""
    fix: str = ""
    rows: list[RowError] = []
