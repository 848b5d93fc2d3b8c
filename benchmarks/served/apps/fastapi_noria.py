"""Noria's predictor behind FastAPI: what Noria's service has around it is not there."""

import os
from pathlib import Path

import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.served.apps.names import BUNDLE
from noria.bundle import Bundle

app = FastAPI()
_bundle = Bundle.load(Path(os.environ[BUNDLE]))


class Rows(BaseModel):
    """What is sent."""

    rows: list[dict[str, float | str | None]]


@app.post("/predict")
def predict(sent: Rows) -> dict[str, list[float]]:
    """The probability of each row."""
    return {"predictions": _bundle.scores(pd.DataFrame(sent.rows)).tolist()}
