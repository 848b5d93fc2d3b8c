"""BentoML doing nothing: what the framework itself takes."""

from typing import Any

import bentoml


@bentoml.service(name="empty")
class Empty:
    """One endpoint."""

    @bentoml.api
    async def predict(self, rows: list[dict[str, Any]]) -> dict[str, list[float]]:
        """An answer that never changes."""
        return {"predictions": []}
