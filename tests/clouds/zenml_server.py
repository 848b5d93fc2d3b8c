"""A ZenML server of its own: orchestrators in a cloud refuse the one that is embedded in the client."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_READY_WITHIN_S = 120


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running_server(folder: Path) -> Iterator[dict[str, str]]:
    """What a client needs in its environment."""
    port, log = free_port(), folder / "server.log"
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
    with log.open("w") as said, subprocess.Popen(command, env=told, stdout=said, stderr=said) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, log)
            yield {"ZENML_STORE_URL": url, "ZENML_STORE_API_KEY": _api_key(url)}
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=5).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise TimeoutError(f"the ZenML server does not start:\n{log.read_text(encoding='utf-8')[-3000:]}")


def _api_key(url: str) -> str:
    password = secrets.token_hex(16)
    with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
        admin = {"admin_username": "tests", "admin_password": password}
        http.put("/activate", json=admin).raise_for_status()
        token = http.post("/login", data={"username": "tests", "password": password}).raise_for_status().json()
        http.headers["Authorization"] = f"Bearer {token['access_token']}"
        account = http.post("/service_accounts", json={"name": "client", "active": True}).raise_for_status().json()
        key = http.post(f"/service_accounts/{account['id']}/api_keys", json={"name": "key"}).raise_for_status().json()
    return str(key["body"]["key"])
