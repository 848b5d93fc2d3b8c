"""The service in a container: `python -m service.container_entrypoint`.

It checks the environment before anything starts, so that errors are reported at once, and then becomes the server.
"""

import os
import sys
from datetime import UTC, datetime

from noria.bundle.seal import bundle_digest
from noria.system.errors import NoriaError
from noria.traffic.activation import TrafficPlan, built_in_plan, clear_reports, read_plan, write_plan
from service.prediction.loaded_models import BUILT_IN
from service.settings import FIXED, TOKENS, Settings, service_dir
from service.variables import SERVICE_DIR

HOST, PORT = "0.0.0.0", "3000"  # noqa: S104 - a container is only reachable from outside


def main() -> None:
    """Become `bentoml serve`.

    Exits with status 2 if the environment is invalid, or lacks the tokens that guard the service.
    """
    try:
        settings = Settings.from_environment()
        _require_tokens(settings)
        _prepare_service_folder(settings)
    except NoriaError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    server = [sys.executable, "-m", "bentoml", "serve", "service.service:Noria", "--host", HOST, "--port", PORT]
    os.execv(sys.executable, server)  # noqa: S606 - no shell is wanted


def _prepare_service_folder(settings: Settings) -> None:
    """Choose the folder for changes at run time: one for each content of the image, which outlives the container."""
    plan, folder = built_in_plan(BUILT_IN), service_dir()
    if folder is None and plan is not None and plan.canary is not None:
        # its flusher grows the canary or rolls it back; single servers of several are not changed otherwise
        folder = settings.spool_dir.parent / "live"
        os.environ[FIXED] = "1"
    if folder is None:
        return
    own = folder / (bundle_digest(BUILT_IN) if plan is None else plan.plan_id)[:12]
    os.environ[SERVICE_DIR] = str(own)
    try:
        clear_reports(own)
        if plan is not None and read_plan(own) is None:
            write_plan(own, _with_canary_started(plan))
    except OSError as error:
        raise NoriaError(
            f"changes at run time cannot be stored: {error.strerror}",
            code="deployment.state_unwritable",
            where=str(own),
            fix="give that volume to the user that the container runs as",
        ) from error


def _with_canary_started(plan: TrafficPlan) -> TrafficPlan:
    """A canary begins when its server starts, not when its image was built."""
    if plan.canary is None:
        return plan
    now = datetime.now(UTC)
    return plan.model_copy(update={"canary": plan.canary.model_copy(update={"began": now, "since": now})})


def _require_tokens(settings: Settings) -> None:
    if not settings.tokens:
        raise NoriaError(
            "a container is reachable by others, and the service has no tokens",
            code="deployment.tokens_missing",
            where=f"environment variables {', '.join(TOKENS.values())}",
            fix="set each to a secret of its own, such as `openssl rand -hex 32` prints",
        )


if __name__ == "__main__":
    main()
