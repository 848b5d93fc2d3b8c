"""Clients that ask without a pause while something is changed."""

import threading
import time
from typing import Any, NamedTuple

from noria.client import Client
from noria.serving.api import PredictionResponse
from noria.system.errors import NoriaError

_LONGEST_S = 240.0


class Asked(NamedTuple):
    """A question and its answer."""

    case: str
    answer: PredictionResponse
    at: float
    """When it was asked, by the clock of `time.monotonic`."""


class Load:
    """Asks with rows of known cases, one after the other, until the block ends; keeps every answer and failure."""

    def __init__(self, url: str, rows: list[dict[str, Any]], clients: int = 3) -> None:
        self.answers: list[Asked] = []
        self.failures: list[str] = []
        self._enough = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(url, rows[place::clients])) for place in range(clients)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int) -> None:
        """Until that many more answers have come, or one has failed."""
        wanted, until = len(self.answers) + more, time.monotonic() + _LONGEST_S
        while len(self.answers) < wanted and not self.failures and time.monotonic() < until:
            time.sleep(0.02)

    def asked_since(self, moment: float) -> list[PredictionResponse]:
        """The answers to what was asked after that moment; others may still be on their way then."""
        return [each.answer for each in self.answers if each.at > moment]

    def _ask(self, url: str, rows: list[dict[str, Any]]) -> None:
        place = 0
        while not self._enough.is_set():
            row = rows[place % len(rows)]
            place += 1
            try:
                with Client(url) as client:  # a new connection each time reaches any of the workers
                    at = time.monotonic()
                    self.answers.append(Asked(row.get("customer", ""), client.predict([row])[0], at))
            except NoriaError as error:
                self.failures.append(str(error))
            time.sleep(0.005)
