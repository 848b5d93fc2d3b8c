"""A new version takes over while clients go on asking."""

import shutil
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from serving import Served

from noria.bundle import Bundle
from noria.client import Client
from noria.deployment import start_or_roll, state
from noria.errors import NoriaError
from noria.models.fitted import fit

_MOST_REQUESTS = 3000
_LONGEST_S = 90.0


class Hammer:
    """Clients that ask one after the other until they are told to stop, or have asked enough."""

    def __init__(self, url: str, row: dict[str, Any], clients: int = 3) -> None:
        self.answers: list[tuple[str, str]] = []
        self.failures: list[str] = []
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(url, row)) for _ in range(clients)]

    def __enter__(self) -> "Hammer":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int) -> None:
        wanted, until = len(self.answers) + more, time.monotonic() + _LONGEST_S
        while len(self.answers) < wanted and not self.failures and time.monotonic() < until:
            time.sleep(0.02)

    def _ask(self, url: str, row: dict[str, Any]) -> None:
        until = time.monotonic() + _LONGEST_S
        while not self._enough.is_set() and len(self.answers) < _MOST_REQUESTS and time.monotonic() < until:
            try:
                with Client(url) as client:  # a new connection each time reaches any of the workers
                    answer = client.predict([row])[0]
                self.answers.append((answer.id, answer.version))
            except NoriaError as error:
                self.failures.append(str(error))


def test_no_request_fails_while_a_new_version_takes_over(
    served: Served, second_bundle: Bundle, held_out: list[dict[str, Any]]
) -> None:
    began, before = datetime.now(UTC), served.client.model().version
    new = second_bundle if before == "1" else served.bundle
    with Hammer(served.deployment.url, held_out[0]) as hammer:
        hammer.wait_for(30)
        rolled = start_or_roll(served.use_case, served.workspace, served.bento, new)
        asked_before = len(hammer.answers)
        hammer.wait_for(30)
    assert hammer.failures == []
    assert rolled.pid == served.deployment.pid
    assert {version for _, version in hammer.answers} == {"1", "2"}
    assert {version for _, version in hammer.answers[asked_before + 3 :]} == {rolled.version}
    kept = served.store().window(began).set_index("prediction_id")["version"]
    assert len(kept) == len(hammer.answers)
    assert kept.to_dict() == dict(hammer.answers)


def test_a_damaged_bundle_is_not_taken_over(served: Served, tmp_path: Path) -> None:
    before = served.client.model().version
    shutil.copytree(served.bundle.folder, tmp_path / "bundle")
    bundle = Bundle.load(tmp_path / "bundle")
    model = tmp_path / "bundle" / "model.ubj"
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(NoriaError, match="cut short"):
        start_or_roll(served.use_case, served.workspace, served.bento, bundle)
    _goes_on(served, before)


def test_a_bundle_that_fails_the_smoke_test_is_put_back(served: Served, churn: Any) -> None:
    before = served.client.model().version
    other = fit("linear", {}, churn.iloc[:1500], served.use_case)
    mistaken = Bundle.open(served.bundle.folder)
    vars(mistaken)["fitted"] = other
    with pytest.raises(NoriaError, match="smoke test failed"):
        start_or_roll(served.use_case, served.workspace, served.bento, mistaken)
    _goes_on(served, before)


def _goes_on(served: Served, version: str) -> None:
    assert served.client.model().version == version
    assert {answer.version for answer in served.client.predict(served.bundle.examples())} == {version}
    deployment = state(served.workspace)
    assert deployment is not None
    assert (deployment.pid, deployment.version) == (served.deployment.pid, version)
