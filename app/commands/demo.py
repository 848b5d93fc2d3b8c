"""The demo: one whole turn of the wheel, with held-out rows in the place of tomorrow's customers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from app.commands import pipeline_commands
from app.serving.backend import place_of
from noria.client import Client
from noria.config import UseCase
from noria.system import progress
from noria.system.errors import NoriaError

if TYPE_CHECKING:
    from cli.console import Screen

_ROWS = 1000
_ROWS_PER_REQUEST = 50
_LABELLED_SHARE = 0.6


def run(use_case: UseCase, config: Path, screen: "Screen", stack: str | None) -> pipeline_commands.Facts:
    """Train, deploy, send held-out rows over HTTP, return the true labels of some of them, and monitor.

    Raises:
        NoriaError: any part failed; what was started until then is stopped.
    """
    if place_of(stack) is not None:
        raise NoriaError(
            "the demo serves on this machine and stops what it started, and this stack serves elsewhere",
            where=f"stack `{stack}`" if stack else "the stack in use",
            fix="python run.py demo --stack local",
        )
    trained = pipeline_commands.train(use_case, stack)
    try:
        screen.title("Deploying")
        deployed = pipeline_commands.deploy(use_case, stack)
        screen.title("Sending held-out rows over HTTP, and the true labels of some of them")
        _send(use_case, deployed.url, trained.test)
        screen.title("Monitoring")
        monitored = pipeline_commands.monitor(use_case, None, stack)
    except BaseException:
        pipeline_commands.stop_here(use_case)
        raise
    return [
        ("training", trained.headline),
        *trained.facts,
        ("deployment", deployed.headline),
        ("service", deployed.url),
        ("monitoring", monitored.headline),
        *monitored.facts,
        ("dashboards", f"python run.py dashboard --config {config} (ZenML, MLflow, Evidently)"),
    ]


def _send(use_case: UseCase, url: str, test: pd.DataFrame) -> None:
    """Predict held-out rows through the service and return the true labels of a part of them."""
    target = use_case.data.target
    rows = test.sample(min(_ROWS, len(test)), random_state=use_case.split.seed)
    features = json.loads(rows.drop(columns=[target]).to_json(orient="records", date_format="iso"))
    truth = rows[target].tolist()
    ids: list[str] = []
    with Client(url) as client:
        for start in range(0, len(features), _ROWS_PER_REQUEST):
            answers = client.predict(features[start : start + _ROWS_PER_REQUEST])
            ids += [answer.id for answer in answers]
            progress.tick(f"predicted {len(ids)} of {len(features)} rows")
        progress.stage(f"predict    {len(ids):,} held-out rows answered over HTTP")
        labelled = round(len(ids) * _LABELLED_SHARE)
        client.feedback([{"id": key, "label": label} for key, label in zip(ids[:labelled], truth, strict=False)])
        progress.stage(f"label      {labelled:,} true labels returned, the others are still to come")
