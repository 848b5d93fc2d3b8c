"""Small requests that are there at the same time are scored in one call, which costs less than one call for each.

Nobody waits for a request that has yet to come: whatever has arrived in one turn of the event loop is scored at the
end of that turn.
"""

import asyncio
import logging
from collections import defaultdict

from noria.serving.predictor import Predictor
from noria.serving.row_reader import RequestRows
from service.prediction.loaded_models import LoadedModels

_FEW = 8
"""More rows than that gain nothing by company, and would keep the others waiting."""
logger = logging.getLogger("noria.service")
_Turn = tuple[Predictor, RequestRows, asyncio.Future[None]]


class MicroBatcher:
    """Scores the small requests of one event loop."""

    def __init__(self) -> None:
        self._turn: list[_Turn] = []

    async def score(self, active: LoadedModels, rows: RequestRows) -> None:
        """Return once the rows are scored, where company makes that quicker; at once where it does not."""
        predictor = active.sole
        if predictor is None or not predictor.gains_by_company or len(rows.values) > _FEW:
            return
        loop = asyncio.get_running_loop()
        if not self._turn:
            loop.call_soon(self._score)
        scored = loop.create_future()
        self._turn.append((predictor, rows, scored))
        await scored

    def _score(self) -> None:
        turn, self._turn = self._turn, []
        by_predictor: dict[Predictor, list[RequestRows]] = defaultdict(list)
        for predictor, rows, _ in turn:
            by_predictor[predictor].append(rows)
        for predictor, requests in by_predictor.items():
            _score_all(predictor, requests)
        for _, _, scored in turn:
            if not scored.done():  # cancelled: the server ends
                scored.set_result(None)


def _score_all(predictor: Predictor, requests: list[RequestRows]) -> None:
    if len(requests) == 1:
        return
    try:
        predictor.score_together(requests)
    except Exception:  # each is scored alone then, and only the one that cannot be is refused
        logger.exception("%d requests could not be scored together", len(requests))
