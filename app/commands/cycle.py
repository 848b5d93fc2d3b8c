"""`cycle`: train, deploy and monitor, one turn of the wheel."""

from collections.abc import Callable

from app.command_result import CommandResult, run_py
from app.commands.deploy import deploy
from app.commands.monitor import monitor
from app.commands.train import train
from noria.config import UseCase


def cycle(use_case: UseCase, stack: str | None, *, title: Callable[[str], None]) -> CommandResult:
    """Train, deploy and monitor; ends where one of them fails.

    Args:
        use_case: what is trained and served.
        stack: where pipelines run.
        title: is called with the name of each part when it begins.
    """
    trained = train(use_case, stack)
    title("Deploying")
    deployed = deploy(use_case, stack)
    title("Monitoring")
    monitored = monitor(use_case, None, stack)
    return CommandResult(
        f"{trained.headline} {deployed.headline} {monitored.headline}",
        [*trained.facts, *deployed.facts, *monitored.facts],
        [*monitored.next, run_py("stop")],
    )
