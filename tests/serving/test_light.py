"""What a worker loads before its first answer, and what answers when a model has no fast form."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import mixed
import pandas as pd
import pytest

from noria.bundle import fast_conversion
from noria.predictions.spool.backlog import wait_until_flushed
from noria.system.workspace import PROJECT
from noria.traffic import activation
from tests.service_here import service_here

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    pass

_HEAVY = ("pandas", "sklearn", "sqlalchemy", "pyarrow", "xgboost", "scipy", "onnx", "skl2onnx", "onnxmltools")
_IMPORT = """
import sys
import service.service, service.app, service.traffic_admin, service.feedback
import service.prediction.table_requests, service.flusher.flusher_launcher
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
_ANSWER = """
import asyncio, sys, time
from service.app import App
from service.flusher.flusher_launcher import flusher_runs, spool_folder
from service.runtime import Runtime

runtime = Runtime()
runtime.start()
app = App(runtime)
app.started()

async def ask(body):
    said = []
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers, "client": ("127.0.0.1", 1)}
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}
    async def send(message):
        said.append(message)
    await app(scope, receive, send)
    return said

said = asyncio.run(ask(sys.stdin.buffer.read()))
loaded = sorted({name.partition(".")[0] for name in sys.modules})
while not flusher_runs(spool_folder()):  # a worker that ends at once starts none
    time.sleep(0.05)
runtime.stop()
assert said[0]["status"] == 200, said
print(*loaded)
"""


def loaded(code: str, folder: Path, body: bytes = b"") -> set[str]:
    """The packages that a new process has loaded after this code."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NORIA_")}
    environment |= {"NORIA_SERVICE_DIR": str(folder), "NORIA_PREDICTIONS_URL": f"sqlite:///{folder / 'p.db'}"}
    done = subprocess.run(
        [sys.executable, "-c", code], input=body, cwd=PROJECT, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return set(done.stdout.decode().splitlines()[-1].split())


def test_the_service_is_imported_without_heavy_libraries(tmp_path: Path) -> None:
    found = loaded(_IMPORT, tmp_path)
    assert {"service", "noria", "bentoml", "msgspec"} <= found
    assert not found & set(_HEAVY)


@pytest.mark.parametrize("kind", ["rules", "xgboost"])
def test_an_answer_needs_none_of_them(kind: str, tmp_path: Path) -> None:
    bundle = mixed.write(kind, "binary", tmp_path / "bundle")
    activation.write_plan(tmp_path, activation.TrafficPlan.of(bundle.folder, "1"))
    body = json.dumps({"rows": mixed.odd_rows(20)}).encode()
    assert not loaded(_ANSWER, tmp_path, body) & set(_HEAVY)
    assert wait_until_flushed(tmp_path / "spool", 60)


@pytest.mark.filterwarnings("ignore:Using `httpx`")
@pytest.mark.parametrize("kind", ["linear", "xgboost"])
def test_the_plain_path_answers_right_and_says_that_it_does(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> dict[str, bytes]:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(fast_conversion, "_files", fails)
    monkeypatch.setenv("NORIA_SERVICE_DIR", str(tmp_path))
    monkeypatch.setenv("NORIA_PREDICTIONS_URL", f"sqlite:///{tmp_path / 'predictions.db'}")
    bundle = mixed.write(kind, "multiclass", tmp_path / "bundle")
    rows = mixed.odd_rows(50)
    wanted = bundle.predict(pd.DataFrame(rows, dtype=object))
    with service_here(bundle, tmp_path) as client:
        said = client.post("/predict", json={"rows": rows}).json()["predictions"]
        explained = client.post("/explain", json={"rows": rows[:1]})
        assert [variant["path"] for variant in client.get("/model").json()["variants"]] == ["plain"]
    assert "no fast form" in caplog.text
    assert [one["prediction"] for one in said] == wanted["prediction"].tolist()
    assert [one["probability"] for one in said] == pytest.approx(wanted["probability"].tolist(), abs=1e-6)
    assert ["; ".join(one["warnings"]) for one in said] == wanted["warning"].tolist()
    assert explained.json()["explanations"][0]["score"] == pytest.approx(said[0]["probability"], abs=1e-6)
    assert wait_until_flushed(tmp_path / "spool", 60)
