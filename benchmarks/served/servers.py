"""The servers that are compared, and how each is started."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.served.found import HALF, ONE, SCENARIOS, Scenario
from benchmarks.served.place import Place, free_port, tool
from benchmarks.served.protocols import MLFLOW, MLSERVER, NORIA, PLAIN, Protocol

Role = Literal["noria", "peer", "own predictor", "empty", "steady"]
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Command:
    """How a server is started."""

    line: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """One row of the comparison."""

    key: str
    title: str
    role: Role
    protocol: Protocol
    command: Callable[[Place, int], Command] | None
    """From the place and the port; None: Noria starts its service itself."""
    own_environment: bool = False
    """Do its dependencies clash with Noria's?"""

    @property
    def predicts(self) -> bool:
        """Does it answer with the model's probabilities?"""
        return self.role not in {"empty", "steady"}

    @property
    def scenarios(self) -> list[Scenario]:
        """The loads that tell something about it."""
        return [ONE, HALF] if self.role == "steady" else list(SCENARIOS)


def _uvicorn(app: str) -> Callable[[Place, int], Command]:
    def command(place: Place, port: int) -> Command:
        options = ["--host", HOST, "--port", str(port), "--no-access-log", "--log-level", "warning"]
        return Command([tool("uvicorn"), f"benchmarks.served.apps.{app}:app", *options])

    return command


def _bentoml(service: str) -> Callable[[Place, int], Command]:
    def command(place: Place, port: int) -> Command:
        line = [tool("bentoml"), "serve", f"benchmarks.served.apps.{service}", "--host", HOST, "--port", str(port)]
        home = {"BENTOML_HOME": str(place.folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
        return Command(line, home)

    return command


def _mlflow(place: Place, port: int) -> Command:
    options = ["--env-manager", "local", "--host", HOST, "--port", str(port)]
    return Command([tool("mlflow"), "models", "serve", "--model-uri", str(_mlflow_model(place)), *options])


def _mlflow_model(place: Place) -> Path:
    """The pipeline as MLflow saves it; the same one is served in every round."""
    folder = place.folder / "mlflow"
    if not folder.exists():
        import mlflow.sklearn
        import skops.io
        from mlflow.models import infer_signature

        from benchmarks.served.apps.pipeline import ServedPipeline

        served = ServedPipeline(place.bundle.folder)
        rows = served.typed(place.bundle.reference().head(100))
        mlflow.sklearn.save_model(
            served.pipeline,
            folder,
            signature=infer_signature(rows, served.pipeline.predict_proba(rows)),
            pyfunc_predict_fn="predict_proba",
            skops_trusted_types=skops.io.get_untrusted_types(data=skops.io.dumps(served.pipeline)),
        )
    return folder


def _mlserver(place: Place, port: int) -> Command:
    if place.peers_python is None:
        raise RuntimeError("its environment could not be made")
    folder = place.folder / "mlserver"
    folder.mkdir(exist_ok=True)
    server = {
        "host": HOST,
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "parallel_workers": 0,
        "debug": False,
    }
    model = {
        "name": "pipeline",
        "implementation": "benchmarks.served.apps.mlserver_model.PipelineModel",
        # what answered most requests here with 32 clients
        "max_batch_size": 32,
        "max_batch_time": 0.01,
    }
    (folder / "settings.json").write_text(json.dumps(server), encoding="utf-8")
    (folder / "model-settings.json").write_text(json.dumps(model), encoding="utf-8")
    return Command([tool("mlserver", place.peers_python), "start", str(folder)])


SERVERS = [
    Server("noria", "Noria", "noria", NORIA, None),
    Server("mlflow", "mlflow models serve", "peer", MLFLOW, _mlflow),
    Server("mlserver", "MLServer, batching", "peer", MLSERVER, _mlserver, own_environment=True),
    Server("fastapi-pandas", "FastAPI + pandas pipeline", "peer", PLAIN, _uvicorn("fastapi_pandas")),
    Server("bentoml-pandas", "plain BentoML + pandas pipeline", "peer", PLAIN, _bentoml("plain_bentoml:Plain")),
    Server("fastapi-noria", "FastAPI + Noria's predictor", "own predictor", PLAIN, _uvicorn("fastapi_noria")),
    Server("bentoml-empty", "empty BentoML endpoint, typed rows", "empty", PLAIN, _bentoml("empty_bentoml:Empty")),
    Server("fastapi-empty", "empty FastAPI endpoint, typed rows", "empty", PLAIN, _uvicorn("empty_fastapi")),
    Server("fastapi-unread", "empty FastAPI, request not read", "empty", PLAIN, _uvicorn("unread_fastapi")),
    Server("asgi-raw", "raw ASGI app", "empty", PLAIN, _uvicorn("raw_asgi")),
    Server("asgi-steady", "raw ASGI app with steady work", "steady", PLAIN, _uvicorn("working_asgi")),
]
