"""FastAPI doing nothing: what the framework itself takes."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Rows(BaseModel):
    """What is sent."""

    rows: list[dict[str, float | str | None]]


@app.post("/predict")
async def predict(sent: Rows) -> dict[str, list[float]]:
    """An answer that never changes."""
    return {"predictions": []}
