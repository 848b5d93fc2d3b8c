"""What to do next on a use case: one answer for the terminal, the report and `status`."""

from datetime import datetime

from app.command_result import run_py
from app.runs.training_record import last_training
from noria.config import UseCase
from noria.deployment.deployment_state import Deployment
from noria.monitoring.verdict_history import history_file, read
from noria.system.workspace import Workspace


def next_while_serving(use_case: UseCase, server: Deployment | None) -> str:
    """The next command while a service runs: what the last verdict on it asks for, unless a new champion waits.

    Args:
        use_case: what is served.
        server: the service on this machine; None: it runs elsewhere.
    """
    workspace = Workspace(use_case.name)
    record = last_training(workspace)
    if record is not None and server is not None and _waits(record.champion, record.promoted_at, server):
        return run_py("deploy")
    history = read(history_file(workspace), warn=False)
    if history and (server is None or history[-1].version == server.version):
        return history[-1].next_command
    return run_py("monitor")


def _waits(champion: str, promoted_at: datetime | None, server: Deployment) -> bool:
    since = server.rolled_at or server.started_at
    return promoted_at is not None and champion != server.version and promoted_at > since
