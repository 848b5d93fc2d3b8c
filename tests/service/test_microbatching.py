"""Requests that arrive together are scored together, and each is answered as if it had come alone."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from serving import Served

from noria.bundle import Bundle
from noria.bundle.fast_model import FastModel
from noria.serving.row_reader import RequestRows
from noria.traffic.activation import PlannedVariant, TrafficPlan
from service.prediction.loaded_models import LoadedModels, load_models
from service.prediction.microbatching import MicroBatcher
from service.settings import Settings

Requests = list[dict[str, Any]]
_score = FastModel.scores


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("NORIA_PREDICTIONS_URL", f"sqlite:///{tmp_path / 'p.db'}")
    monkeypatch.setenv("NORIA_SPOOL_DIR", str(tmp_path / "spool"))
    return Settings.from_environment()


@pytest.fixture
def active(bundle: Bundle, settings: Settings) -> LoadedModels:
    return load_models(TrafficPlan.of(bundle.folder, "1"), settings, None)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, active: LoadedModels) -> list[int]:
    """How many rows each call of the model had."""
    made: list[int] = []

    def scores(model: FastModel, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        made.append(len(matrix))
        return _score(model, matrix)

    monkeypatch.setattr(FastModel, "scores", scores)
    return made


def asked(active: LoadedModels, requests: list[Requests]) -> list[list[float]]:
    """What requests get that are there in one turn of the event loop."""
    together = MicroBatcher()

    async def one(rows: RequestRows) -> list[float]:
        await together.score(active, rows)
        return active.champion.scores(rows).tolist()

    async def all_at_once() -> list[list[float]]:
        read = [active.champion.reader.read(json.dumps({"rows": request}).encode()) for request in requests]
        return await asyncio.gather(*map(one, read))

    return asyncio.run(all_at_once())


def test_small_requests_of_one_turn_are_one_call(active: LoadedModels, held_out: Requests, calls: list[int]) -> None:
    requests = [[row] for row in held_out[:20]] + [held_out[20:23]]
    together = asked(active, requests)
    assert calls == [23]
    assert together == [asked(active, [request])[0] for request in requests]


def test_many_rows_keep_nobody_waiting(active: LoadedModels, held_out: Requests, calls: list[int]) -> None:
    asked(active, [held_out[:1], held_out[1:31], held_out[31:32]])
    assert sorted(calls) == [2, 30]


def test_what_cannot_be_scored_in_company_is_scored_alone(
    active: LoadedModels, held_out: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [[row] for row in held_out[:5]]
    wanted = asked(active, requests)

    def alone_only(model: FastModel, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        if len(matrix) > 1:
            raise RuntimeError("too many")
        return _score(model, matrix)

    monkeypatch.setattr(FastModel, "scores", alone_only)
    assert asked(active, requests) == wanted


def test_variants_that_share_the_cases_each_score_their_own(
    bundle: Bundle, settings: Settings, held_out: Requests, calls: list[int]
) -> None:
    both = [PlannedVariant(name=name, bundle=bundle.folder, version="1", share=0.5) for name in ("champion", "other")]
    shared = load_models(TrafficPlan(variants=both), settings, None)
    calls.clear()
    asked(shared, [[row] for row in held_out[:4]])
    assert calls == [1, 1, 1, 1]


@pytest.mark.e2e
def test_clients_at_the_same_time_get_their_own_answers(served: Served, held_out: Requests) -> None:
    rows = held_out[:400]
    alone = [answer.probability for start in (0, 200) for answer in served.client.predict(rows[start : start + 200])]
    began = datetime.now(UTC) - timedelta(seconds=1)

    def ask(places: range) -> list[tuple[str, float]]:
        with httpx.Client(base_url=served.deployment.url, timeout=30) as client:
            answers = [client.post("/predict", json={"rows": [rows[place]]}).json() for place in places]
        return [(one["predictions"][0]["id"], one["predictions"][0]["probability"]) for one in answers]

    with ThreadPoolExecutor(16) as threads:
        shares = list(threads.map(ask, [range(first, 400, 16) for first in range(16)]))
    for first, share in enumerate(shares):
        assert [probability for _, probability in share] == alone[first::16]
    kept = served.store().window(began).set_index("prediction_id")["probability"]
    for share in shares:
        for id, probability in share:
            assert kept.loc[id] == probability
