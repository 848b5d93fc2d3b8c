"""`demo`: one whole turn of the wheel, with rows that training never gets in place of tomorrow's customers."""

import json
from collections.abc import Callable

import pandas as pd

from app.command_result import CommandResult, run_py
from app.commands.deploy import deploy
from app.commands.monitor import monitor
from app.commands.pipeline_runs import read_with_rules
from app.commands.train import describe_training, run_training
from app.serving.backend import backend_of
from noria.client import Client
from noria.config import UseCase
from noria.config.data import SourceConfig
from noria.reporting.formats import plural
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.files import atomic_path
from noria.system.workspace import Workspace

_ROWS = 1000
_LARGEST_SHARE = 0.15
_ROWS_PER_REQUEST = 50
_LABELLED_SHARE = 0.6


def demo(use_case: UseCase, stack: str | None, *, keep: bool, title: Callable[[str], None]) -> CommandResult:
    """Set rows aside, train on the others, deploy, send the rows over HTTP, return some of their labels, and monitor.

    What is deployed has learned from all rows that training got, so rows to try it on are set aside before.

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
    use_case, tomorrow = set_aside(use_case)
    run = run_training(use_case, stack)
    trained = describe_training(run, use_case)
    try:
        title("Deploying")
        deployed = deploy(use_case, stack)
        url = backend.url(use_case)
        title("Sending rows that were set aside over HTTP, and the true labels of some of them")
        _send(use_case, url, tomorrow)
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


def set_aside(use_case: UseCase) -> tuple[UseCase, pd.DataFrame]:
    """Divide the valid rows as the use case splits them, but by another draw; by time, the latest are set aside.

    Returns:
        The use case with the remaining rows, a file in the workspace, as its only source; and the rows set aside.
    """
    from noria.data.split import split
    from noria.data.validation import validate

    # the file of the remaining rows has types, and no longer tells how their text was read
    use_case, frame = read_with_rules(use_case)
    valid = validate(frame, use_case)
    share = min(_ROWS / max(len(valid.frame), 1), _LARGEST_SHARE)
    # a draw of its own, so that the test rows of training are drawn from all the others
    draw = {"test_share": share, "cutoff": None, "seed": use_case.split.seed + 1}
    drawn = use_case.model_copy(update={"split": use_case.split.model_copy(update=draw)})
    remaining, tomorrow = split(valid.frame, drawn)
    path = Workspace(use_case.name).folder / "demo" / "training.parquet"
    with atomic_path(path) as part:
        remaining.to_parquet(part, index=False)
    source = SourceConfig(name="demo", path=str(path), format="parquet")
    data = use_case.data.model_copy(update={"sources": [source], "joins": []})
    bad = valid.summary.quarantined
    left_out = f"; {plural(bad, 'row')} that break an expectation are left out" if bad else ""
    progress.stage("reserve", f"{len(tomorrow):,} rows are set aside, which training never gets{left_out}")
    return use_case.model_copy(update={"data": data}), tomorrow


def _send(use_case: UseCase, url: str, tomorrow: pd.DataFrame) -> None:
    """Predict rows through the service and return the true labels of a part of them."""
    target = use_case.data.target
    rows = tomorrow.sample(min(_ROWS, len(tomorrow)), random_state=use_case.split.seed)
    features = json.loads(rows.drop(columns=[target]).to_json(orient="records", date_format="iso"))
    truth = rows[target].tolist()
    ids: list[str] = []
    with Client(url) as client:
        for start in range(0, len(features), _ROWS_PER_REQUEST):
            ids += [each.id for each in client.predict(features[start : start + _ROWS_PER_REQUEST])]
            progress.tick(f"predicted {len(ids)} of {len(features)} rows")
        progress.stage("predict", f"{len(ids):,} rows answered over HTTP")
        labelled = round(len(ids) * _LABELLED_SHARE)
        client.feedback([{"id": key, "label": label} for key, label in zip(ids[:labelled], truth, strict=False)])
        progress.stage("label", f"{labelled:,} true labels returned, the others are still to come")
