"""The dashboards of ZenML, MLflow and Evidently as background processes of this machine."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.environment import zenml_client
from noria.config import UseCase
from noria.system import processes, progress
from noria.system.errors import NoriaError
from noria.system.files import write_text
from noria.system.workspace import Workspace, home

_HOST = "127.0.0.1"
_READY_S = 120.0
_LOG_LINES = 8


@dataclass(frozen=True)
class Dashboard:
    """A dashboard that is running."""

    name: str
    url: str
    pid: int
    started: float


_KNOWN = TypeAdapter(list[Dashboard])


@dataclass(frozen=True)
class _Plan:
    name: str
    port: int
    page: str
    command: list[str]
    environment: dict[str, str]


def start_dashboards(use_case: UseCase) -> list[Dashboard]:
    """Start the dashboards that are not running yet and wait until each answers.

    Raises:
        NoriaError: a port is taken or a dashboard does not start; those started by this call are stopped again.
    """
    _skip_survey()
    running = {each.name: each for each in running_dashboards()}
    started: list[Dashboard] = []
    try:
        for plan in _plans(use_case):
            if plan.name not in running:
                started.append(_start(plan))
                _remember([*running.values(), *started])
        for each, plan in [(each, plan) for each in started for plan in _plans(use_case) if plan.name == each.name]:
            _wait(each, plan)
            progress.stage(each.name, each.url)
    except BaseException:
        processes.end([processes.ProcessIdentity(each.pid, each.started) for each in started], grace_s=5)
        _remember(list(running.values()))
        raise
    return [*running.values(), *started]


def running_dashboards() -> list[Dashboard]:
    """The dashboards that were started before and are still alive."""
    if not _state().is_file():
        return []
    try:
        known = _KNOWN.validate_json(_state().read_bytes())
    except ValidationError:
        aside = _state().with_name(_state().name + ".bad")
        _state().replace(aside)
        progress.warn(f"what is known of the dashboards could not be read and is set aside as {aside}")
        return []
    return [each for each in known if processes.alive(processes.ProcessIdentity(each.pid, each.started))]


def stop_dashboards() -> list[Dashboard]:
    """Stop all dashboards; returns those that were running."""
    running = running_dashboards()
    processes.end([processes.ProcessIdentity(each.pid, each.started) for each in running], grace_s=10)
    _state().unlink(missing_ok=True)
    return running


def _plans(use_case: UseCase) -> list[_Plan]:
    return [_zenml(), _mlflow(), _evidently(use_case)]


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


def _evidently(use_case: UseCase) -> _Plan:
    workspace = Workspace(use_case.name).monitoring / "evidently"
    workspace.mkdir(exist_ok=True)
    program = str(Path(sys.executable).with_name("evidently"))
    command = f"ui --host {_HOST} --port 8000 --workspace".split()
    return _Plan("Evidently", 8000, "/", [program, *command, str(workspace)], {})


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
    return Dashboard(plan.name, f"http://{_HOST}:{plan.port}{plan.page}", who.pid, who.started)


def _wait(dashboard: Dashboard, plan: _Plan) -> None:
    """Until the dashboard answers."""
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://{_HOST}:{plan.port}/", timeout=2):
                return
        except OSError:
            if not processes.alive(processes.ProcessIdentity(dashboard.pid, dashboard.started)):
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
