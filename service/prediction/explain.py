"""Why: what each input adds to one prediction."""

from noria.predictions.json_values import plain
from noria.serving.api import Contribution, ExplainResponse, Explanation
from noria.serving.http_errors import Wrong
from noria.serving.predictor import Predictor
from noria.serving.row_reader import Rows
from service.prediction.loaded_models import Active
from service.prediction.predict import fit_for

MOST_ROWS = 10


def explain(active: Active, rows: Rows) -> ExplainResponse:
    """Explanations of at most ten rows, by the variants that answer these cases; nothing is kept.

    A row that names no case is explained by the champion: another variant answers it by chance.

    Raises:
        Wrong: there are more rows (413).
    """
    if len(rows.values) > MOST_ROWS:
        raise Wrong(413, f"{len(rows.values)} rows; at most {MOST_ROWS} are explained at once", fix="send fewer rows")
    found = [_explained(*_reader_of(active, rows.take([place]))) for place in range(len(rows.values))]
    return ExplainResponse(explanations=found, unit=_unit(active.champion), ignored=rows.ignored)


def _reader_of(active: Active, row: Rows) -> tuple[Predictor, Rows]:
    place = active.assigner.pick(row.entities[0]) if row.entities[0] else 0
    try:
        return active.predictors[place], fit_for(place, active, row)
    except Wrong:  # it lacks what this variant takes in, so the champion answers it
        return active.champion, row


def _explained(predictor: Predictor, row: Rows) -> Explanation:
    said, taken_apart = predictor.answer(row), predictor.explain(row)
    columns = zip(predictor.reader.names, row.values[0], taken_apart.contributions.tolist(), strict=True)
    parts = [Contribution(feature=name, value=plain(value), contribution=added) for name, value, added in columns]
    return Explanation(
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
