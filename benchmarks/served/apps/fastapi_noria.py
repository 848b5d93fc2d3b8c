"""Noria's predictor behind FastAPI: no prediction log, no metrics, no tokens or limits."""

import os
from pathlib import Path

from fastapi import FastAPI, Request

from benchmarks.served.apps.names import BUNDLE
from noria.bundle import Bundle
from noria.serving.predictor import Predictor

app = FastAPI()
_predictor = Predictor(Bundle.open(Path(os.environ[BUNDLE])), "champion", max_rows=1_000, max_text=10_000)


@app.post("/predict")
async def predict(request: Request) -> dict[str, list[float | None]]:
    """The probability of each row."""
    rows = _predictor.reader.read(await request.body())
    return {"predictions": _predictor.predict(rows).probabilities}
