"""Explanations: what each input contributes to a prediction."""

from noria.predictions.json_values import json_value
from noria.serving.api import ExplainResponse, ExplanationResponse, FeatureContribution
from noria.serving.http_errors import HTTPError
from noria.serving.predictor import Predictor
from noria.serving.row_reader import RequestRows
from service.prediction.loaded_models import LoadedModels
from service.prediction.predict import adapt_rows

MOST_ROWS = 10


def explain(active: LoadedModels, rows: RequestRows) -> ExplainResponse:
    """Explanations of at most ten rows, by the variants that answer these cases; nothing is recorded.

    A row that names no case is explained by the champion: for a prediction its variant would be drawn at random.

    Raises:
        HTTPError: there are more rows (413).
    """
    if len(rows.values) > MOST_ROWS:
        raise HTTPError(
            413,
            f"{len(rows.values)} rows; at most {MOST_ROWS} are explained at once",
            code="request.too_large",
            fix="send fewer rows",
        )
    found = [_explain_row(*_variant_of(active, rows.take([place]))) for place in range(len(rows.values))]
    return ExplainResponse(explanations=found, unit=_unit(active.champion), ignored=rows.ignored)


def _variant_of(active: LoadedModels, row: RequestRows) -> tuple[Predictor, RequestRows]:
    place = active.assigner.pick(row.entities[0]) if row.entities[0] else 0
    try:
        return active.predictors[place], adapt_rows(place, active, row)
    except HTTPError:  # it lacks inputs of this variant, so the champion answers it
        return active.champion, row


def _explain_row(predictor: Predictor, row: RequestRows) -> ExplanationResponse:
    predicted, explanation = predictor.predict(row), predictor.explain(row)
    columns = zip(predictor.reader.names, row.values[0], explanation.contributions.tolist(), strict=True)
    parts = [
        FeatureContribution(feature=name, value=json_value(value), contribution=part) for name, value, part in columns
    ]
    return ExplanationResponse(
        prediction=predicted.predictions[0],
        probability=predicted.probabilities[0],
        decision=predicted.decisions[0],
        baseline=explanation.baseline,
        score=explanation.baseline + float(explanation.contributions.sum()),
        contributions=sorted(parts, key=lambda part: -abs(part.contribution)),
        warnings=row.warnings[0].split("; ") if row.warnings[0] else [],
        version=predictor.version,
        variant=predictor.name,
    )


def _unit(predictor: Predictor) -> str:
    manifest = predictor.manifest
    if manifest.task == "regression":
        return manifest.target
    return f"probability of {manifest.positive}" if manifest.positive else "probability of the predicted class"
