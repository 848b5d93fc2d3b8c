"""A replay: the deployed service is asked about a past period, and the loop acts on the replay's clock."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from app.loop.look import Loop
from noria.client import Client
from noria.config import UseCase
from noria.loop import Journal, LoopState, journal_file
from noria.loop.replay import Hour, Schedule
from noria.predictions.spool.backlog import wait_until_flushed
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace

_ROWS_PER_REQUEST = 500
_FLUSH_TIMEOUT_S = 60.0
_TOLD_EVERY = 24
"""Hours of the replay between two lines of progress."""


@dataclass
class ReplayClock:
    """The time of the replay."""

    now: datetime

    def __call__(self) -> datetime:
        """The time now (UTC)."""
        return self.now


class Replay:
    """Asks a service about n cases in their order, brings the labels, and lets the loop look at its moments.

    Args:
        use_case: as deployed.
        stack: where pipelines run.
        url: of the service.
        schedule: the n cases.
    """

    def __init__(self, use_case: UseCase, stack: str | None, url: str, schedule: Schedule) -> None:
        self._use_case = use_case
        self._schedule = schedule
        self._url = url
        self._workspace = Workspace(use_case.name)
        self._clock = ReplayClock(datetime(1970, 1, 1, tzinfo=UTC))
        self._journal = Journal(journal_file(self._workspace), self._clock)
        self._loop = Loop(use_case, stack, self._journal)
        hidden = {use_case.data.target, *use_case.data.unavailable_at_prediction}
        self._sent = schedule.frame.drop(columns=[name for name in hidden if name in schedule.frame])
        self._ids: list[str] = [""] * len(schedule)
        self.scores: NDArray[np.float64] = np.full(len(schedule), np.nan)
        """(n,) probabilities, or numbers."""
        self.decisions: NDArray[np.str_] = np.full(len(schedule), "leave", dtype="<U5")
        """(n,) `act`, `ask` or `leave`."""
        self.versions: NDArray[np.str_] = np.full(len(schedule), "", dtype="<U16")
        """(n,) version that answered."""

    @property
    def retrainings(self) -> int:
        """Trainings that the loop began."""
        return sum(action.name == "retrain" for action in LoopState.of(self._journal).actions)

    def run(self, looks: list[datetime]) -> None:
        """Ask about all cases; the loop looks at these moments (UTC), the earliest first.

        Raises:
            NoriaError: the service does not answer, or refuses a case.
        """
        waiting = list(looks)
        with Client.with_tokens(self._url) as client:
            for number, hour in enumerate(self._schedule.hours()):
                while waiting and waiting[0] <= hour.end - timedelta(hours=1):
                    self._look(waiting.pop(0))
                self._label(client, hour)
                self._ask(client, hour)
                if number % _TOLD_EVERY == 0:
                    asked = int(hour.asked[-1]) + 1 if hour.asked.size else 0
                    progress.tick(f"{hour.end:%Y-%m-%d}: {asked:,} of {len(self._schedule):,} cases")
        for moment in waiting:
            self._look(moment)

    def _ask(self, client: Client, hour: Hour) -> None:
        for start in range(0, len(hour.asked), _ROWS_PER_REQUEST):
            places = hour.asked[start : start + _ROWS_PER_REQUEST]
            rows = json.loads(self._sent.iloc[places].to_json(orient="records", date_format="iso"))
            for place, answer in zip(places, client.predict(rows), strict=True):
                self._ids[place] = answer.id
                value = answer.probability if self._use_case.problem.task == "binary" else answer.prediction
                self.scores[place] = np.nan if value is None else float(value)
                self.decisions[place] = answer.decision
                self.versions[place] = answer.version

    def _label(self, client: Client, hour: Hour) -> None:
        places = [place for place in hour.labelled if self._ids[place]]
        truth = self._schedule.frame[self._use_case.data.target]
        for start in range(0, len(places), _ROWS_PER_REQUEST):
            some = places[start : start + _ROWS_PER_REQUEST]
            labels = truth.iloc[some].tolist()
            client.feedback(
                [
                    {"id": self._ids[place], "label": label, "at": f"{self._schedule.known[place]}Z"}
                    for place, label in zip(some, labels, strict=True)
                ]
            )

    def _look(self, moment: datetime) -> None:
        self._clock.now = moment
        if not wait_until_flushed(self._workspace.spool, _FLUSH_TIMEOUT_S):
            raise NoriaError(
                "predictions wait in the spool, and do not reach the prediction store",
                code="replay.not_flushed",
                where=str(self._workspace.spool),
                fix="look into the service's log",
            )
        result = self._loop.look()
        progress.stage("look", f"{moment:%Y-%m-%d}: {result.verdict.verdict}, {result.done}")
