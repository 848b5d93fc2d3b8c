"""A ZenML server of its own: orchestrators in a cloud refuse the one that is embedded in the client."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.servers.env_files import read
from app.servers.zenml_server import set_up
from tests.running import running
from tests.service.serving import free_port


@contextmanager
def running_server(folder: Path) -> Iterator[dict[str, str]]:
    """What a client needs in its environment."""
    port = free_port()
    url, access = f"http://127.0.0.1:{port}", folder / "zenml.env"
    told = os.environ | {
        "ZENML_CONFIG_PATH": str(folder / "config"),
        "ZENML_SERVER": "true",
        "ZENML_STORE_URL": f"sqlite:///{folder / 'zenml.db'}",
        "ZENML_SERVER_DEPLOYMENT_TYPE": "docker",
        "ZENML_SERVER_AUTH_SCHEME": "OAUTH2_PASSWORD_BEARER",
        "ZENML_SERVER_JWT_SECRET_KEY": secrets.token_hex(32),
        "ZENML_ANALYTICS_OPT_IN": "false",
    }
    command = [sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--port", str(port)]
    with running(command, told, folder / "server.log", ready=f"{url}/health"):
        set_up(url, access, secrets.token_hex(16))
        yield read(access)
