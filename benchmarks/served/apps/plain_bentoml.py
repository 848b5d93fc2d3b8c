"""The pipeline behind BentoML as its documentation shows: rows in, pandas, probabilities out."""

from typing import Any

import bentoml

from benchmarks.served.apps.pipeline import ServedPipeline


@bentoml.service(name="plain")
class Plain:
    """One endpoint."""

    def __init__(self) -> None:
        self._served = ServedPipeline()

    @bentoml.api
    def predict(self, rows: list[dict[str, Any]]) -> dict[str, list[float]]:
        """The probability of each row."""
        return {"predictions": self._served.probabilities(self._served.table(rows))}
