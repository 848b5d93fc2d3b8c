"""`watch`: look at the service again and again, and act on what is found."""

import time
from collections.abc import Callable
from datetime import timedelta

from app.command_result import CommandResult, Facts, run_py
from app.commands.given_time import given_interval
from app.loop.look import LookResult, Loop
from app.serving.backend import backend_of
from noria.config import UseCase
from noria.deployment import read_state
from noria.loop import Journal, journal_file
from noria.loop.channels import check_channels
from noria.system import progress
from noria.system.errors import NoriaError, describe
from noria.system.locks import exclusive
from noria.system.workspace import Workspace

Sleep = Callable[[float], None]


def watch(
    use_case: UseCase,
    stack: str | None,
    *,
    every: str | None = None,
    once: bool = False,
    labels: str | None = None,
    sleep: Sleep = time.sleep,
) -> CommandResult:
    """Look, act, wait, and so on until it is stopped.

    Args:
        use_case: whose service.
        stack: where pipelines run.
        every: time between two looks, such as "30m"; None: `loop.every`.
        once: look once, as for cron.
        labels: a file or URL with true labels that is read at each look.
        sleep: waits for so many seconds.

    Raises:
        NoriaError: another `watch` is running, nothing was ever deployed, a message could not be sent, or, with `once`,
            the look failed.
    """
    interval = given_interval(every or use_case.loop.every)
    check_channels(use_case.loop.alert.urls)
    workspace = Workspace(use_case.name)
    with exclusive("watch", workspace):
        journal = Journal(journal_file(workspace))
        _require_service(workspace, stack, journal)
        loop = Loop(use_case, stack, journal, labels=labels, every=None if once else interval)
        if once:
            return _result(loop.look(), journal)
        while True:
            _one_look(loop, journal, interval)
            sleep(interval.total_seconds())


def _one_look(loop: Loop, journal: Journal, interval: timedelta) -> None:
    """Look once. A failure is reported and does not end the process: the next look may go well."""
    try:
        result = loop.look()
    except Exception as error:  # of any kind
        progress.warn(f"this look failed: {describe(error)}")
    else:
        progress.stage(
            "look", f"{result.verdict.verdict}, version {result.verdict.version}: {result.verdict.reasons[0]}"
        )
        progress.stage("loop", result.done)
    progress.stage("next", f"look at {journal.clock() + interval:%Y-%m-%d %H:%M} UTC")


def _result(result: LookResult, journal: Journal) -> CommandResult:
    verdict, decision = result.verdict, result.decision
    facts: Facts = [("why", reason) for reason in verdict.reasons[:3]]
    facts.append(("done", result.done))
    command = ""
    if decision is not None:
        facts += [("rule", f"{each.rule}: {each.text}") for each in decision.why]
        facts += [("to do", decision.advice)] if decision.advice else []
        command = decision.command
    facts.append(("journal", journal.file))
    return CommandResult(f"Verdict: {verdict.verdict}.", facts, [command or run_py("history")])


def _require_service(workspace: Workspace, stack: str | None, journal: Journal) -> None:
    """Refuse to watch what never was in service; one that has stopped since then is watched: each look reports it."""
    if not backend_of(stack).is_local or journal.entries:
        return
    server = read_state(workspace)
    if server is None or not server.ready:
        raise NoriaError(
            f"there is nothing to watch yet: no service of `{workspace.use_case}` is running",
            code="loop.nothing_deployed",
            fix="start it first: `python run.py deploy`; one elsewhere is found by its --stack",
        )
