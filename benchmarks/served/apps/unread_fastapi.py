"""FastAPI doing less than nothing: it does not even read what was sent."""

from fastapi import FastAPI

app = FastAPI()


@app.post("/predict")
async def predict() -> dict[str, list[float]]:
    """An answer that never changes."""
    return {"predictions": []}
