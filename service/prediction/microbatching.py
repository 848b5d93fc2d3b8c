"""Micro-batching: small requests that arrive at the same time are scored in one call, which is cheaper.

No request waits for later ones: the requests that arrive in one iteration of the event loop are scored at its end.
"""

import asyncio
import logging
from collections import defaultdict

from noria.serving.predictor import Predictor
from noria.serving.row_reader import RequestRows
from service.prediction.loaded_models import LoadedModels

_MAX_ROWS = 8
"""Requests with more rows gain nothing by batching, and would delay the others."""
logger = logging.getLogger("noria.service")
_Pending = tuple[Predictor, RequestRows, asyncio.Future[None]]


class MicroBatcher:
    """Scores the small requests of one event loop."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []

    async def score(self, active: LoadedModels, rows: RequestRows) -> None:
        """Score the rows in a micro-batch if that is faster; otherwise return at once."""
        predictor = active.sole
        if predictor is None or not predictor.supports_batching or len(rows.values) > _MAX_ROWS:
            return
        loop = asyncio.get_running_loop()
        if not self._pending:
            loop.call_soon(self._score)
        scored = loop.create_future()
        self._pending.append((predictor, rows, scored))
        await scored

    def _score(self) -> None:
        batch, self._pending = self._pending, []
        by_predictor: dict[Predictor, list[RequestRows]] = defaultdict(list)
        for predictor, rows, _ in batch:
            by_predictor[predictor].append(rows)
        for predictor, requests in by_predictor.items():
            _score_all(predictor, requests)
        for _, _, scored in batch:
            if not scored.done():  # cancelled: the server shuts down
                scored.set_result(None)


def _score_all(predictor: Predictor, requests: list[RequestRows]) -> None:
    if len(requests) == 1:
        return
    try:
        predictor.score_batch(requests)
    except Exception:  # each is then scored alone, and only those that fail are refused
        logger.exception("%d requests could not be scored as a micro-batch", len(requests))
