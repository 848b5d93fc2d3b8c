"""`platform`: servers of your own in containers on this machine."""

from typing import Literal

from app.command_result import CommandResult
from app.servers import compose_platform
from noria.system.shell_commands import run_py, source_variables

Action = Literal["up", "store", "serve", "watch", "down"]


def platform(action: Action, image: str | None) -> CommandResult:
    """Start the platform and make its ZenML server ready, add to it, or stop it.

    Args:
        action: `up`: the servers; `store`: with an S3-compatible store; `serve`: a model, too; `watch`: Prometheus and
            Grafana, too; `down`: stop everything.
        image: for `serve`: the image of the service; None: the one that it had.

    Raises:
        NoriaError: Docker or Compose cannot be used, or a server does not come up.
    """
    if action == "serve":
        url, chosen = compose_platform.serve(image)
        tokens = str(compose_platform.settings_file())
        facts: list[tuple[str, object]] = [("service", url), ("image", chosen), ("tokens", tokens)]
        return CommandResult("The service answers.", facts, ["make platform ARGS=watch"])
    if action == "watch":
        return CommandResult("The service is watched.", [*compose_platform.watch()], ["make platform ARGS=down"])
    if action == "down":
        compose_platform.down()
        return CommandResult("The platform is stopped; its volumes keep what it held.", [], ["make platform"])
    started = compose_platform.with_store() if action == "store" else compose_platform.start()
    stack = "platform_s3" if action == "store" else "platform"
    access = source_variables(compose_platform.access())
    return CommandResult("The platform runs.", [*started], [access, run_py("train --stack", stack)])
