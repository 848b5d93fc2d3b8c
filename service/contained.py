"""The service in a container: `python -m service.contained`.

It looks at what it is told before anything starts, so that what is wrong is said at once, and then becomes the server.
"""

import os
import sys

from noria.bundle.seal import bundle_digest
from noria.errors import NoriaError
from noria.handover import clear_reports
from service.active import BUILT_IN
from service.settings import SERVICE_DIR, TOKENS, Settings, service_dir

HOST, PORT = "0.0.0.0", "3000"  # noqa: S104 - a container is reached from outside or not at all


def main() -> None:
    """Become `bentoml serve`.

    Exits with status 2 if the environment is wrong, or lacks the tokens without which everybody could ask.
    """
    try:
        _refuse_open(Settings.from_environment())
    except NoriaError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    folder = service_dir()
    if folder is not None:  # what is changed while it runs belongs to this model, and outlives the container
        digest = bundle_digest(BUILT_IN)[:12]
        os.environ[SERVICE_DIR] = str(folder / digest)
        clear_reports(folder / digest)
    server = [sys.executable, "-m", "bentoml", "serve", "service.service:Noria", "--host", HOST, "--port", PORT]
    os.execv(sys.executable, server)  # noqa: S606 - no shell is wanted


def _refuse_open(settings: Settings) -> None:
    if not settings.tokens:
        raise NoriaError(
            "others can reach a container, and no token guards the service",
            where=f"environment variables {', '.join(TOKENS.values())}",
            fix="set each to a secret of its own, such as `openssl rand -hex 32` prints",
        )


if __name__ == "__main__":
    main()
