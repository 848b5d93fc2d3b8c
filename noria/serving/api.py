"""What the service and its clients say to each other: the JSON bodies of requests and answers."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from noria.config.section import Section

Cell = str | int | float | bool | None
Row = dict[str, Cell]
LONGEST_ENTITY = 255
"""Most characters of a case's identifier, as the prediction store keeps it."""


class PredictRequest(Section):
    """POST /predict: the cases to predict. Fields that the model does not know are ignored and named."""

    rows: list[Row] = Field(min_length=1)
    """One object per case, with every input column (null: unknown) and, if there is one, the case's identifier."""


class PredictionResponse(Section):
    """The answer to one row."""

    id: str
    """Identifier of this prediction; a label can be sent for it later."""
    prediction: str | float
    """The class or, for regression, the number."""
    probability: float | None
    """Probability of the positive class (binary) or of the predicted class (multiclass)."""
    decision: str
    """`act`, `ask` or `leave`."""
    warnings: list[str]
    """What the model has not seen in training."""
    version: str
    """Version of the model that answered."""
    variant: str
    """Role of that model."""


class PredictResponse(Section):
    """One answer per row, in the order of the rows."""

    predictions: list[PredictionResponse]
    ignored: list[str] = []
    """Fields that the model does not know."""


class FeatureContribution(Section):
    """What one input adds to a score."""

    feature: str
    value: Cell
    """What was sent."""
    contribution: float
    """In the score's own unit; below zero it takes away."""


class ExplanationResponse(Section):
    """Why: one row's answer taken apart. `baseline` and all contributions together are `score`."""

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
    """What scores and contributions are measured in."""
    ignored: list[str] = []
    """Fields that the model does not know."""


class TrueLabel(Section):
    """The true label of a prediction (`id`) or of a case (`entity`)."""

    id: str | None = Field(default=None, min_length=1, max_length=64)
    """Identifier of the prediction, as /predict gave it."""
    entity: Annotated[str, Field(min_length=1, max_length=LONGEST_ENTITY)] | int | None = None
    """The case's own identifier."""
    label: str | int | float | bool
    """The true class or number."""


class FeedbackRequest(Section):
    """POST /feedback: true labels."""

    labels: list[TrueLabel] = Field(min_length=1)


class FeedbackResponse(Section):
    """What became of the labels, in their order."""

    known: list[bool | None]
    """Is the prediction known? The label of an unknown one is kept until its prediction arrives. null: the label is
    kept, but the store cannot say at the moment."""


class ModelResponse(Section):
    """GET /model: which model answers."""

    model_config = ConfigDict(extra="ignore")  # an older client may talk to a newer service

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
    data_fingerprint: str
    created_at: str
    active_since: str
    """Since when this process answers with this model (ISO 8601)."""
    worker: int
    """Process that gave this answer."""
    case: str = "case"
    """What one row is."""
    examples: list[Row] = []
    """Real rows that the model can predict."""
    variants: list[dict[str, Any]] = []
    """The models that answer side by side, with shares, versions and decision policies."""


class TrafficChangeResponse(Section):
    """PUT /traffic, PUT /policy: what answers now, in words."""

    model_config = ConfigDict(extra="ignore")

    now: str
    before: str


class RowError(Section):
    """What is wrong with one row or label."""

    row: int
    """Position, from 0."""
    problem: str
    """The field and what is wrong with it."""


class ErrorResponse(Section):
    """The body of every error: nothing of the request was done."""

    model_config = ConfigDict(extra="ignore")

    error: str
    fix: str = ""
    rows: list[RowError] = []
