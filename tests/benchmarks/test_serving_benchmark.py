"""The serving benchmark asks what it says, counts what it gets, and compares servers that answer the same."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.served.apps.pipeline import ServedPipeline
from benchmarks.served.case import CATEGORIES, NUMBERS, rows_to_send, table, train
from benchmarks.served.found import HALF, MANY, ONE, Results, Scenario, Start
from benchmarks.served.found import Load as Found
from benchmarks.served.generate import Load
from benchmarks.served.goals import goals
from benchmarks.served.protocols import MLFLOW, MLSERVER, NORIA, write_bodies
from benchmarks.served.report import verdict

pytestmark = pytest.mark.slow

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
REFUSED = b"HTTP/1.1 500 Oh no\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def answering(answer: bytes, delay_s: float = 0.0) -> Iterator[int]:
    """A server on a free port that gives the same answer to each request."""
    listening = socket.create_server(("127.0.0.1", 0))

    def talk(one: socket.socket) -> None:
        with one:
            while one.recv(1 << 16):
                time.sleep(delay_s)
                one.sendall(answer)

    def accept() -> None:
        while True:
            try:
                one, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(one,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


def load(port: int, bodies: Path, clients: int = 2, rate: float | None = None) -> Load:
    plan = {"host": "127.0.0.1", "port": port, "path": "/", "bodies": str(bodies), "clients": clients, "rate": rate}
    return Load(plan)


@pytest.fixture
def bodies(tmp_path: Path) -> Path:
    return write_bodies(NORIA, [{"number": 1}, {"number": 2}], 1, tmp_path / "bodies.jsonl")


@pytest.mark.parametrize("answer", [ANSWER, CHUNKED])
def test_load_counts_the_answers(bodies: Path, answer: bytes) -> None:
    with answering(answer) as port:
        found = load(port, bodies).run(warm_s=0.5, seconds=0.5)
    assert found["failed"] == 0
    assert 0 < found["requests"] < found["answered"]
    assert 0 < found["p50_ms"] <= found["p99_ms"]


def test_other_answers_are_failures_with_what_they_said(bodies: Path) -> None:
    with answering(REFUSED) as port:
        found = load(port, bodies).run(warm_s=0, seconds=0.2)
    assert found["answered"] == 0
    assert found["failed"] > 0
    assert "500 Oh no" in found["failure"]


def test_paced_load_sends_so_many_requests_and_no_more(bodies: Path) -> None:
    with answering(ANSWER) as port:
        found = load(port, bodies, rate=50).run(warm_s=0, seconds=1)
    assert 20 <= found["answered"] <= 51  # a busy machine keeps some of them back


def test_waiting_for_a_slow_server_counts_as_its_time(bodies: Path) -> None:
    # 20 requests a second are due and it answers 10: the later ones wait ever longer
    with answering(ANSWER, delay_s=0.1) as port:
        found = load(port, bodies, clients=1, rate=20).run(warm_s=0, seconds=1)
    assert found["p99_ms"] > 300


def test_table_is_as_promised() -> None:
    made = table(3_000)
    assert made[NUMBERS].dtypes.eq(np.float64).all()
    assert [made[name].nunique() for name in CATEGORIES] == list(CATEGORIES.values())
    assert (made[[*NUMBERS, *CATEGORIES]].isna().mean().between(0.03, 0.07)).all()
    pd.testing.assert_frame_equal(made, table(3_000))


def test_the_other_servers_pipeline_is_the_bundles_model(tmp_path: Path) -> None:
    bundle = train(2_000, tmp_path / "bundle")
    assert (bundle.manifest.parameters["n_estimators"], bundle.manifest.parameters["max_depth"]) == (300, 6)
    rows = rows_to_send(200)
    rows[0]["category_1"] = "never seen"
    served = ServedPipeline(bundle.folder)
    given = served.probabilities(served.table(rows))
    assert given == pytest.approx(bundle.scores(pd.DataFrame(rows)).tolist(), abs=1e-6)


@pytest.mark.parametrize("protocol", [NORIA, MLFLOW, MLSERVER])
def test_every_row_is_sent(tmp_path: Path, protocol: object) -> None:
    path = write_bodies(protocol, rows_to_send(300), 100, tmp_path / "bodies.jsonl")  # type: ignore[arg-type]
    assert len({json.dumps(json.loads(line)) for line in path.read_text().splitlines()}) == 21


def test_goals_are_ratios_of_medians_and_what_is_missing_is_not_met() -> None:
    def one(server: str, number: int, scenario: Scenario, rate: float, p99: float = 2.0) -> Found:
        return Found(
            server=server,
            round=number,
            scenario=scenario,
            requests_per_s=rate,
            p50_ms=1.0,
            p99_ms=p99,
            cpu_ms=1.0,
            failed=0,
            failure="",
            settle_s=0,
            generator_busy=0,
        )

    loads = [one("noria", number, ONE, rate) for number, rate in enumerate((100.0, 420.0, 9_000.0), start=1)]
    loads += [one("mlflow", 1, ONE, 10.0), one("mlserver", 1, ONE, 100.0), one("fastapi-empty", 1, ONE, 600.0)]
    loads += [one("noria", 1, HALF, 210.0, p99=4.0), one("noria", 1, MANY, 10.0)]
    loads += [one("asgi-raw", number, HALF, 210.0, p99=p99) for number, p99 in enumerate((1.5, 2.5, 9.0), start=1)]
    starts = [
        Start(server="noria", round=1, cold_start_s=3.0),
        Start(server="bentoml-pandas", round=1, cold_start_s=6.0),
    ]
    found = Results(
        date="", machine={}, versions={}, seconds=1, training_rows=1, loads=loads, starts=starts, kept=[], in_process=[]
    )
    assert [goal.ratio for goal in goals(found)] == pytest.approx([42.0, 4.2, 0.7, None, None, None, 4.0, 0.5])
    assert [goal.met for goal in goals(found)] == [True, False, True, None, None, None, False, True]
    assert "at the same pace, raw ASGI app: p99 2.5 times p50" in verdict(found)
