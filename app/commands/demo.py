"""`demo`: one whole turn of the wheel, with held-out rows in place of tomorrow's customers."""

import json
from collections.abc import Callable

import pandas as pd

from app.commands.deploy import deploy
from app.commands.monitor import monitor
from app.commands.result import CommandResult, run_py
from app.commands.train import describe_training, run_training
from app.runs.launch import artifact
from app.serving.backend import backend_of
from noria.client import Client
from noria.config import UseCase
from noria.system import progress
from noria.system.errors import NoriaError

_ROWS = 1000
_ROWS_PER_REQUEST = 50
_LABELLED_SHARE = 0.6


def demo(use_case: UseCase, stack: str | None, *, keep: bool, title: Callable[[str], None]) -> CommandResult:
    """Train, deploy, send held-out rows over HTTP, return the true labels of some of them, and monitor.

    Args:
        use_case: what is trained and served.
        stack: where pipelines run.
        keep: leave the service and the dashboards running.
        title: is called with the name of each part when it begins.

    Raises:
        NoriaError: any part failed; what was started until then is stopped.
    """
    backend = backend_of(stack)
    if not backend.is_local:
        raise NoriaError(
            "the demo serves on this machine and stops what it started, but the service of this stack is remote",
            code="cli.demo_needs_local_stack",
            where=f"stack `{stack}`" if stack else "the stack in use",
            fix="python run.py demo --stack local",
        )
    run = run_training(use_case, stack)
    trained = describe_training(run, use_case)
    try:
        title("Deploying")
        deployed = deploy(use_case, stack)
        url = backend.url(use_case)
        title("Sending held-out rows over HTTP, and the true labels of some of them")
        _send(use_case, url, artifact(run, "split", "test_rows"))
        title("Monitoring")
        monitored = monitor(use_case, None, stack)
    except BaseException:
        backend.stop(use_case, lambda _: True)
        raise
    if not keep:
        backend.stop(use_case, lambda _: True)
    facts = [
        ("training", trained.headline),
        *trained.facts,
        ("deployment", deployed.headline),
        ("service", url),
        ("monitoring", monitored.headline),
        *monitored.facts,
        ("dashboards", f"{run_py('dashboard')} (ZenML, MLflow, Evidently)"),
    ]
    kept = [run_py("dashboard"), run_py("stop")]
    stopped = [run_py("demo --keep"), "python run.py new --data my.csv --target label"]
    return CommandResult("The wheel has turned once.", facts, kept if keep else stopped)


def _send(use_case: UseCase, url: str, test: pd.DataFrame) -> None:
    """Predict held-out rows through the service and return the true labels of a part of them."""
    target = use_case.data.target
    rows = test.sample(min(_ROWS, len(test)), random_state=use_case.split.seed)
    features = json.loads(rows.drop(columns=[target]).to_json(orient="records", date_format="iso"))
    truth = rows[target].tolist()
    ids: list[str] = []
    with Client(url) as client:
        for start in range(0, len(features), _ROWS_PER_REQUEST):
            ids += [each.id for each in client.predict(features[start : start + _ROWS_PER_REQUEST])]
            progress.tick(f"predicted {len(ids)} of {len(features)} rows")
        progress.stage("predict", f"{len(ids):,} held-out rows answered over HTTP")
        labelled = round(len(ids) * _LABELLED_SHARE)
        client.feedback([{"id": key, "label": label} for key, label in zip(ids[:labelled], truth, strict=False)])
        progress.stage("label", f"{labelled:,} true labels returned, the others are still to come")
