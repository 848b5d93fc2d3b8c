"""A ZenML server of its own, started as the chart starts it, but for ports, folders and secrets."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rendered import container_of, environment, example

from app.servers import zenml_server
from app.servers.env_files import read
from tests.running import running
from tests.service.serving import free_port


@dataclass(frozen=True)
class Server:
    """A running server and the key of a service account."""

    url: str
    password: str
    database: Path
    key: str = ""

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        """What a command needs that is to use it, and nothing else of ZenML."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZENML_", "NORIA_"))}
        return kept | {"NORIA_HOME": str(home), "ZENML_STORE_URL": self.url, "ZENML_STORE_API_KEY": self.key} | more

    def get(self, path: str) -> Any:
        """What the server's API answers."""
        answered = httpx.get(f"{self.url}/api/v1/{path}", headers=login(self.url, self.password), timeout=30)
        answered.raise_for_status()
        return answered.json()


def login(url: str, password: str) -> dict[str, str]:
    """As docs/kubernetes.md does it."""
    answered = httpx.post(f"{url}/api/v1/login", data={"username": "default", "password": password}, timeout=30)
    answered.raise_for_status()
    return {"Authorization": f"Bearer {answered.json()['access_token']}"}


def api_key(url: str, password: str, folder: Path) -> str:
    """A service account and its key, as docs/kubernetes.md makes them."""
    zenml_server.set_up(url, folder / "zenml.env", password)
    return read(folder / "zenml.env")[zenml_server.KEY]


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Start it, wait for the address that the chart's probe asks, and make a service account."""
    container, port, password = container_of(example("small"), "noria-zenml"), free_port(), secrets.token_hex(16)
    told = {name: value for name, value in environment(container).items() if isinstance(value, str)}
    told |= {
        "HOME": str(folder),
        "ZENML_CONFIG_PATH": str(folder / "config"),
        "ZENML_STORE_URL": f"sqlite:///{folder / 'zenml.db'}",
        "ZENML_DEFAULT_USER_PASSWORD": password,
        "ZENML_SERVER_JWT_SECRET_KEY": secrets.token_hex(32),
        "ZENML_SECRETS_STORE_ENCRYPTION_KEY": secrets.token_hex(32),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZENML_", "NORIA_"))}
    said = ["--host", "127.0.0.1", "--port", str(port), *container["args"][4:]]
    command = [sys.executable, *container["command"][1:], *said]
    url, path = f"http://127.0.0.1:{port}", container["readinessProbe"]["httpGet"]["path"]
    with running(command, kept | told, folder / "log", ready=url + path, cwd=folder):
        yield Server(url, password, folder / "zenml.db", api_key(url, password, folder))
