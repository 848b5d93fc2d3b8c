"""Why: what each input adds to one prediction."""

from noria.predictions.json_values import json_value
from noria.serving.api import ExplainResponse, ExplanationResponse, FeatureContribution
from noria.serving.http_errors import HTTPError
from noria.serving.predictor import Predictor
from noria.serving.row_reader import RequestRows
from service.prediction.loaded_models import LoadedModels
from service.prediction.predict import adapt_rows

MOST_ROWS = 10


def explain(active: LoadedModels, rows: RequestRows) -> ExplainResponse:
    """Explanations of at most ten rows, by the variants that answer these cases; nothing is kept.

    A row that names no case is explained by the champion: another variant answers it by chance.

    Raises:
        Wrong: there are more rows (413).
    """
    if len(rows.values) > MOST_ROWS:
        raise HTTPError(
            413, f"{len(rows.values)} rows; at most {MOST_ROWS} are explained at once", fix="send fewer rows"
        )
    found = [_explained(*_reader_of(active, rows.take([place]))) for place in range(len(rows.values))]
    return ExplainResponse(explanations=found, unit=_unit(active.champion), ignored=rows.ignored)


def _reader_of(active: LoadedModels, row: RequestRows) -> tuple[Predictor, RequestRows]:
    place = active.assigner.pick(row.entities[0]) if row.entities[0] else 0
    try:
        return active.predictors[place], adapt_rows(place, active, row)
    except HTTPError:  # it lacks what this variant takes in, so the champion answers it
        return active.champion, row


def _explained(predictor: Predictor, row: RequestRows) -> ExplanationResponse:
    said, taken_apart = predictor.answer(row), predictor.explain(row)
    columns = zip(predictor.reader.names, row.values[0], taken_apart.contributions.tolist(), strict=True)
    parts = [
        FeatureContribution(feature=name, value=json_value(value), contribution=added) for name, value, added in columns
    ]
    return ExplanationResponse(
        prediction=said.predictions[0],
        probability=said.probabilities[0],
        decision=said.decisions[0],
        baseline=taken_apart.baseline,
        score=taken_apart.baseline + float(taken_apart.contributions.sum()),
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
