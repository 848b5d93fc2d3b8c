"""The service in a container: `python -m service.container_entrypoint`.

It looks at what it is told before anything starts, so that what is wrong is said at once, and then becomes the server.
"""

import os
import sys
from datetime import UTC, datetime

from noria.bundle.seal import bundle_digest
from noria.system.errors import NoriaError
from noria.traffic.activation import TrafficPlan, built_in_plan, clear_reports, read_plan, write_plan
from service.prediction.loaded_models import BUILT_IN
from service.settings import FIXED, SERVICE_DIR, TOKENS, Settings, service_dir

HOST, PORT = "0.0.0.0", "3000"  # noqa: S104 - a container is reached from outside or not at all


def main() -> None:
    """Become `bentoml serve`.

    Exits with status 2 if the environment is wrong, or lacks the tokens without which everybody could ask.
    """
    try:
        settings = Settings.from_environment()
        _refuse_open(settings)
        _settle(settings)
    except NoriaError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    server = [sys.executable, "-m", "bentoml", "serve", "service.service:Noria", "--host", HOST, "--port", PORT]
    os.execv(sys.executable, server)  # noqa: S606 - no shell is wanted


def _settle(settings: Settings) -> None:
    """Give what is changed while it runs a folder that belongs to what the image holds, and outlives the container."""
    order, folder = built_in_plan(BUILT_IN), service_dir()
    if folder is None and order is not None and order.canary is not None:
        # its keeper grows the canary, or takes it back; nobody else changes one of several servers
        folder = settings.spool_dir.parent / "live"
        os.environ[FIXED] = "1"
    if folder is None:
        return
    mine = folder / (bundle_digest(BUILT_IN) if order is None else order.serial)[:12]
    os.environ[SERVICE_DIR] = str(mine)
    try:
        clear_reports(mine)
        if order is not None and read_plan(mine) is None:
            write_plan(mine, _begun(order))
    except OSError as error:
        raise NoriaError(
            f"what is changed while it runs cannot be kept: {error.strerror}",
            where=str(mine),
            fix="give that volume to the user that the container runs as",
        ) from error


def _begun(order: TrafficPlan) -> TrafficPlan:
    """A canary begins when it answers first, not when its image was built."""
    if order.canary is None:
        return order
    now = datetime.now(UTC)
    return order.model_copy(update={"canary": order.canary.model_copy(update={"began": now, "since": now})})


def _refuse_open(settings: Settings) -> None:
    if not settings.tokens:
        raise NoriaError(
            "others can reach a container, and no token guards the service",
            where=f"environment variables {', '.join(TOKENS.values())}",
            fix="set each to a secret of its own, such as `openssl rand -hex 32` prints",
        )


if __name__ == "__main__":
    main()
