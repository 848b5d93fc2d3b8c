"""The pipeline behind FastAPI: rows in, pandas, probabilities out."""

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.served.apps.pipeline import ServedPipeline

app = FastAPI()
_served = ServedPipeline()


class Rows(BaseModel):
    """What is sent."""

    rows: list[dict[str, float | str | None]]


@app.post("/predict")
def predict(sent: Rows) -> dict[str, list[float]]:
    """The probability of each row."""
    return {"predictions": _served.probabilities(_served.table(sent.rows))}
