"""Predictions as the service logs them."""

from datetime import UTC, datetime

import pandas as pd

from noria.bundle import Bundle
from noria.predictions import Feedback, PredictionStore
from noria.predictions.privacy import Redactor
from tests.predicted import prediction_event

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def serve(
    store: PredictionStore,
    bundle: Bundle,
    rows: pd.DataFrame,
    at: "datetime | pd.Series[pd.Timestamp]",
    labels: pd.Series | None = None,
    *,
    redactor: Redactor | None = None,
) -> list[str]:
    """Log predictions for the rows as the service does, and their labels if given; the predictions' ids."""
    names = bundle.manifest.schema_.names
    features = rows[names].astype(object).where(rows[names].notna(), None).to_dict(orient="records")
    if redactor is not None:
        features = [dict(zip(names, redactor.row([row[name] for name in names]), strict=True)) for row in features]
    answers = bundle.predict(rows)
    times = [at] * len(rows) if isinstance(at, datetime) else list(at.dt.to_pydatetime())
    probabilities = answers["probability"].astype(object).where(answers["probability"].notna(), None)
    events = [
        prediction_event(
            time,
            row,
            model=bundle.manifest.name,
            version=bundle.manifest.version,
            prediction=prediction,
            probability=probability,
            decision=decision,
        )
        for time, row, prediction, probability, decision in zip(
            times, features, answers["prediction"], probabilities, answers["decision"], strict=True
        )
    ]
    store.ingest(events)
    ids = [event.ids[0] for event in events]
    if labels is not None:
        store.add_labels([Feedback(id=key, label=label) for key, label in zip(ids, labels.tolist(), strict=True)])
    return ids
