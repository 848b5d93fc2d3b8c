"""The dashboards of ZenML, MLflow and Evidently as background processes of this machine."""

import itertools
import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from app.environment import zenml_client
from app.runs.tracking import experiment_name
from noria.config import UseCase
from noria.system import processes, progress
from noria.system.errors import NoriaError
from noria.system.files import write_text
from noria.system.workspace import Workspace, home

_HOST = "127.0.0.1"
_READY_S = 120.0
_EVIDENTLY_PORT = 8000
_LOG_LINES = 8


@dataclass(frozen=True)
class Dashboard:
    """A dashboard that is running."""

    name: str
    url: str
    pid: int
    started: float
    pages: dict[str, str] = field(default_factory=dict)
    """Use case that asked for it → the page that shows this use case."""

    @property
    def process(self) -> processes.ProcessIdentity:
        """The process that serves it."""
        return processes.ProcessIdentity(self.pid, self.started)


_KNOWN = TypeAdapter(list[Dashboard])


@dataclass(frozen=True)
class _Plan:
    name: str
    port: int
    page: str
    command: list[str]
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}{self.page}"


def start_dashboards(use_case: UseCase) -> list[tuple[str, str]]:
    """Start the dashboards that are not running yet and wait until each answers.

    The servers of ZenML and MLflow are for all use cases; each use case has a server of Evidently.

    Returns:
        Name and address of each; the address opens what belongs to this use case.

    Raises:
        NoriaError: a port is taken or a dashboard does not start; those started by this call are stopped again.
    """
    _skip_survey()
    before = running_dashboards()
    known = {(each.name, each.url): each for each in before}
    started: list[Dashboard] = []
    shown: list[tuple[Dashboard, _Plan]] = []
    try:
        for plan in [_zenml(), _mlflow(), _evidently(use_case, before)]:
            found = known.get((plan.name, plan.url))
            if found is None:
                found = _start(plan)
                started.append(found)
                _remember([*before, *started])
            shown.append((found, plan))
        for found, plan in shown:
            if found in started:
                _wait(found, plan)
                progress.stage(found.name, found.url)
    except BaseException:
        processes.end([each.process for each in started], grace_s=5)
        _remember(before)
        raise
    pages = {found.pid: _page(found, use_case) for found, _ in shown}
    everything = [*before, *started]
    _remember(
        [
            replace(each, pages={**each.pages, use_case.name: pages[each.pid]}) if each.pid in pages else each
            for each in everything
        ]
    )
    return [(found.name, pages[found.pid]) for found, _ in shown]


def running_dashboards(use_case: str | None = None) -> list[Dashboard]:
    """The dashboards that were started before and are still alive.

    Args:
        use_case: only those that it has asked for.
    """
    if not _state().is_file():
        return []
    try:
        known = _KNOWN.validate_json(_state().read_bytes())
    except ValidationError:
        aside = _state().with_name(_state().name + ".bad")
        _state().replace(aside)
        progress.warn(f"what is known of the dashboards could not be read and is set aside as {aside}")
        return []
    return [each for each in known if processes.alive(each.process) and (use_case is None or use_case in each.pages)]


def stop_dashboards(use_case: str) -> list[Dashboard]:
    """Stop the dashboards that no other use case has asked for; returns those that were stopped."""
    stopped, kept = [], []
    for each in running_dashboards():
        pages = {name: page for name, page in each.pages.items() if name != use_case}
        if pages:
            kept.append(replace(each, pages=pages))
        else:
            stopped.append(each)
    processes.end([each.process for each in stopped], grace_s=10)
    if kept:
        _remember(kept)
    else:
        _state().unlink(missing_ok=True)
    return stopped


def _page(dashboard: Dashboard, use_case: UseCase) -> str:
    """Where a dashboard shows a use case: MLflow has an experiment for each, once it has been trained."""
    tracker = zenml_client().active_stack.experiment_tracker
    if dashboard.name != "MLflow" or tracker is None or tracker.flavor != "mlflow":
        return dashboard.url
    from mlflow import MlflowClient

    client = MlflowClient(tracker.get_tracking_uri())
    experiment = client.get_experiment_by_name(experiment_name(tracker, use_case.name))
    return dashboard.url if experiment is None else f"{dashboard.url}#/experiments/{experiment.experiment_id}/runs"


def _zenml() -> _Plan:
    """ZenML's own server on the local store, without connecting any client to it."""
    return _Plan(
        "ZenML",
        8237,
        "/projects/default/runs",
        [sys.executable, *f"-m uvicorn zenml.zen_server.zen_server_api:app --host {_HOST} --port 8237".split()],
        {
            "ZENML_SERVER": "true",
            "ZENML_SERVER_ALLOW_LOCAL_FILE_ACCESS": "true",
            "ZENML_SERVER_AUTH_SCHEME": "NO_AUTH",
            "ZENML_SERVER_DEPLOYMENT_TYPE": "local",
            "ZENML_SERVER_AUTO_ACTIVATE": "true",
            "DISABLE_DATABASE_MIGRATION": "true",
            "ZENML_LOCAL_STORES_PATH": str(Path(os.environ["ZENML_CONFIG_PATH"]) / "local_stores"),
            "ZENML_CONFIG_PATH": str(Workspace("dashboards").folder / "zenml"),
        },
    )


def _mlflow() -> _Plan:
    tracker = zenml_client().active_stack.experiment_tracker
    store = tracker.get_tracking_uri() if tracker else f"sqlite:///{home() / 'artifacts' / 'mlflow.db'}"
    command = f"-m mlflow server --host {_HOST} --port 5000 --workers 1 --backend-store-uri".split()
    return _Plan(
        "MLflow", 5000, "/", [sys.executable, *command, store], {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    )


def _evidently(use_case: UseCase, running: list[Dashboard]) -> _Plan:
    """On the port that it has, or on the first one that no other use case's server of Evidently has."""
    ports = {urlsplit(each.url).port: each for each in running if each.name == "Evidently"}
    own = next((port for port, each in ports.items() if port and use_case.name in each.pages), None)
    port = own or next(port for port in itertools.count(_EVIDENTLY_PORT) if port not in ports)
    workspace = Workspace(use_case.name).monitoring / "evidently"
    workspace.mkdir(exist_ok=True)
    program = str(Path(sys.executable).with_name("evidently"))
    command = f"ui --host {_HOST} --port {port} --workspace".split()
    return _Plan("Evidently", port, "/", [program, *command, str(workspace)], {})


def _start(plan: _Plan) -> Dashboard:
    if owner := processes.listener(plan.port):
        raise NoriaError(
            f"port {plan.port} of {plan.name}'s dashboard is taken by {owner}",
            code="platform.port_taken",
            where=f"{_HOST}:{plan.port}",
            fix="stop that process, then run the command again",
        )
    with _log(plan.name).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            plan.command,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | plan.environment,
            start_new_session=True,
        )
    who = processes.identity(process.pid)
    return Dashboard(plan.name, plan.url, who.pid, who.started)


def _wait(dashboard: Dashboard, plan: _Plan) -> None:
    """Until the dashboard answers."""
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://{_HOST}:{plan.port}/", timeout=2):
                return
        except OSError:
            if not processes.alive(dashboard.process):
                break
            progress.tick(f"waiting for {dashboard.name}")
            time.sleep(0.3)
    lines = _log(dashboard.name).read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    raise NoriaError(
        f"{dashboard.name}'s dashboard does not start: {' / '.join(lines)}",
        code="platform.dashboard_failed",
        where=str(_log(dashboard.name)),
        fix="read the log",
    )


def _skip_survey() -> None:
    """ZenML covers every page with a sign-up survey until the user's record says that it was answered."""
    client = zenml_client()
    user = client.active_user
    done = {"finished_onboarding_survey": True, "awareness_channels": ["other"]}
    if not user.user_metadata.get("finished_onboarding_survey"):
        client.update_user(user.name, updated_email_opt_in=False, updated_metadata={**user.user_metadata, **done})


def _state() -> Path:
    return Workspace("dashboards").folder / "running.json"


def _log(name: str) -> Path:
    return Workspace("dashboards").folder / f"{name.lower()}.log"


def _remember(dashboards: list[Dashboard]) -> None:
    write_text(_state(), json.dumps([asdict(each) for each in dashboards]))
