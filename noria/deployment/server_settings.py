"""The settings that a server is started with."""

import ipaddress
import socket
from pathlib import Path

from noria.config import UseCase
from noria.config.section import Section
from noria.config.serving import ServingConfig
from noria.deployment.service_secrets import require_tokens, secrets_fingerprint
from noria.predictions.database import shown_url
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace


class ServerSettings(Section):
    """The settings of a server; changing one requires a restart."""

    host: str
    """Address that it listens on."""
    predictions_url: str
    """Without its password: this is written to a file."""
    spool: Path
    """Folder where predictions wait for the prediction store."""
    serving: ServingConfig
    """With defaults for settings that need no restart: variants, canary, start timeout, batch size."""
    secrets: str
    """Fingerprint of the tokens and of the key."""
    image: str = ""
    """The image that it runs in; empty: it is a process on this machine."""

    @classmethod
    def of(cls, use_case: UseCase, workspace: Workspace, image: str = "") -> "ServerSettings":
        """From the use case, the workspace and the environment.

        Raises:
            NoriaError: the host cannot be resolved, or it is reachable by others and no tokens are set.
        """
        host = _address(use_case.serving.host)
        require_tokens(host)
        defaults = ServingConfig()
        without = {name: getattr(defaults, name) for name in ("variants", "canary", "start_timeout_s", "batch_rows")}
        return cls(
            host=host,
            predictions_url=shown_url(workspace.predictions_url),
            spool=workspace.spool,
            serving=use_case.serving.model_copy(update=without),
            secrets=secrets_fingerprint(workspace.service),
            image=image,
        )

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return self.serving.port

    @property
    def workers(self) -> int:
        """Server processes."""
        return self.serving.workers

    @property
    def max_rows(self) -> int:
        """Most rows in one request."""
        return self.serving.max_rows


def _address(host: str) -> str:
    """The host as an address: BentoML does not listen on names."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            return socket.gethostbyname(host)
        except OSError as error:
            raise NoriaError(
                f"serving.host `{host}` cannot be found",
                code="deployment.host_unknown",
                where="the use case",
                fix="write an address such as 127.0.0.1",
            ) from error
    return host
