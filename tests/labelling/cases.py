"""Logged predictions of a bundle, as the store gives them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import select

from noria.bundle import Bundle
from noria.predictions import PredictionStore
from noria.predictions.records import RANDOM
from noria.predictions.sql_tables import labels, predictions

START = datetime(2026, 3, 1, tzinfo=UTC)


def logged(bundle: Bundle, rows: pd.DataFrame, *, entities: list[str | None] | None = None) -> pd.DataFrame:
    """The predictions of n rows, an hour apart, without labels."""
    answers = bundle.predict(rows)
    count = len(rows)
    inputs = rows[bundle.manifest.schema_.names].reset_index(drop=True)
    before = {
        "prediction_id": [f"p{place}" for place in range(count)],
        "at": [START + timedelta(hours=place) for place in range(count)],
        "event_at": [START + timedelta(hours=place) for place in range(count)],
        "version": ["1"] * count,
        "variant": ["champion"] * count,
        "entity": entities or [None] * count,
    }
    after = answers[["prediction", "probability", "decision"]].reset_index(drop=True)
    after = after.assign(latency_ms=1.0, label=None, labelled_at=pd.NaT, label_changes=0)
    frame = pd.concat([pd.DataFrame(before), inputs, after], axis=1)
    return frame.astype({"probability": np.float64})


def selected_to_teach(store: PredictionStore) -> set[str]:
    """The predictions whose current label was asked for because it teaches."""
    chosen = select(predictions.c.id).join(labels, labels.c.id == predictions.c.label_id)
    with store._engine.connect() as connection:
        return set(connection.scalars(chosen.where(labels.c.selected_by.is_not(None), labels.c.selected_by != RANDOM)))
