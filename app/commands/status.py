"""`status`: what is deployed, and how it is doing."""

from dataclasses import replace

from app.command_result import CommandResult, Facts, run_py
from app.commands.loop_facts import loop_facts
from app.commands.next_step import next_while_serving
from app.servers.dashboards import running_dashboards
from app.serving.backend import backend_of
from noria.config import UseCase
from noria.deployment import read_state
from noria.monitoring.verdict_history import history_file, read
from noria.system.workspace import Workspace


def status(use_case: UseCase, stack: str | None = None, url: str | None = None) -> CommandResult:
    """The service of a use case, its counts, the last verdict on it, and the dashboards.

    Args:
        use_case: what is served.
        stack: whose service; None: that of the stack in use.
        url: the address of a remote service.

    Raises:
        NoriaError: the prediction store cannot be read, or a remote service cannot be asked.
    """
    backend, workspace = backend_of(stack, url), Workspace(use_case.name)
    service = backend.status(use_case)
    dashboards = [
        ("dashboard", f"{each.name} {each.pages[use_case.name]}") for each in running_dashboards(use_case.name)
    ]
    following = service.next
    if following == [run_py("monitor")]:  # it runs
        following = [next_while_serving(use_case, read_state(workspace) if backend.is_local else None)]
    return replace(
        service, facts=[*service.facts, *_verdict(workspace), *loop_facts(use_case), *dashboards], next=following
    )


def _verdict(workspace: Workspace) -> Facts:
    history = read(history_file(workspace))
    if not history:
        return [("verdict", "none yet")]
    last = history[-1]
    return [("verdict", f"{last.verdict} on version {last.version}, {last.at:%Y-%m-%d %H:%M} UTC: {last.reasons[0]}")]
