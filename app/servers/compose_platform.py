"""The platform on this machine: servers in containers of Docker Compose, and their settings."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import httpx

from app.images.project_images import PIPELINE, PIPELINE_IMAGE, PIPELINE_S3, build, docker, image_of
from app.servers import zenml_server
from app.servers.env_files import read, write
from noria.deployment.docker_cli import run_docker
from noria.deployment.rehearsal import MODULE, read_outcome
from noria.deployment.start_errors import start_refused
from noria.system import progress
from noria.system.errors import NoriaError, last_line
from noria.system.workspace import PROJECT, Workspace

FILE = PROJECT / "deploy" / "compose" / "compose.yaml"
PORTS = {
    "ZENML_PORT": "8080",
    "MLFLOW_PORT": "5000",
    "SERVICE_PORT": "3000",
    "GRAFANA_PORT": "3001",
    "PROMETHEUS_PORT": "9090",
    "S3_PORT": "8333",
}
_SECRETS = {
    "ZENML_JWT_SECRET": 32,
    "ZENML_ENCRYPTION_KEY": 32,
    zenml_server.PASSWORD: 16,
    "DATABASE_PASSWORD": 16,
    "GRAFANA_PASSWORD": 16,
    "NORIA_MLFLOW_TOKEN": 16,
    "NORIA_S3_KEY": 16,
    "NORIA_S3_SECRET": 32,
    "NORIA_PREDICT_TOKEN": 32,
    "NORIA_FEEDBACK_TOKEN": 32,
    "NORIA_ADMIN_TOKEN": 32,
}
"""Variable → how many random bytes it is made of."""
SERVICE_IMAGE, IMAGE_BEFORE = "NORIA_SERVICE_IMAGE", "NORIA_SERVICE_IMAGE_BEFORE"
BUCKET, _STORE = "noria", "NORIA_PLATFORM_STORE"
_START_S, _POLL_S = 240.0, 2.0


def with_store() -> list[tuple[str, str]]:
    """`start`, with an S3-compatible store, from now on."""
    _settings({_STORE: "s3"})
    return start()


def watch() -> list[tuple[str, str]]:
    """Start Prometheus and Grafana; returns their addresses."""
    settings = _settings()
    compose("--profile", "watch", "up", "--detach")
    grafana = f"{url_of(settings, 'GRAFANA_PORT')}, user `admin`, password: GRAFANA_PASSWORD in {settings_file()}"
    return [("Grafana", grafana), ("Prometheus", url_of(settings, "PROMETHEUS_PORT"))]


def down() -> None:
    """Stop everything; the volumes keep what they hold."""
    _settings()
    compose("--profile", "service", "--profile", "watch", "--profile", "store", "down")


def start() -> list[tuple[str, str]]:
    """Build the image if it is not there, start the containers, and wait for them; safe to repeat.

    Returns:
        What to open, in words.

    Raises:
        NoriaError: Docker or Compose cannot be used, or a server does not come up in four minutes.
    """
    target = PIPELINE_S3 if known_settings().get(_STORE) else PIPELINE
    settings = _settings({PIPELINE_IMAGE: os.environ.get(PIPELINE_IMAGE) or image_of(target)})
    if not docker("images", "--quiet", settings[PIPELINE_IMAGE], quiet=True).strip():
        build(target, settings[PIPELINE_IMAGE])
    compose("up", "--detach")
    zenml, mlflow = url_of(settings, "ZENML_PORT"), url_of(settings, "MLFLOW_PORT")
    for url in (zenml, mlflow):
        _wait(f"{url}/health")
    handed_on = {name: settings[name] for name in (PIPELINE_IMAGE, "NORIA_MLFLOW_TOKEN")}
    stored = start_store() if settings.get(_STORE) else {}
    others = {"NORIA_MLFLOW_URL": mlflow, **handed_on, **stored}
    zenml_server.set_up(zenml, access(), settings[zenml_server.PASSWORD], others)
    return [
        ("ZenML", f"{zenml}, user `{zenml_server.ADMIN}`, password: {zenml_server.PASSWORD} in {settings_file()}"),
        ("MLflow", mlflow),
        *([("S3", f"{stored['NORIA_S3_ENDPOINT']}, bucket `{BUCKET}`")] if stored else []),
    ]


def start_store() -> dict[str, str]:
    """Start the S3-compatible store, and make its bucket if it has none; safe to repeat.

    Returns:
        The variables of the stack `platform_s3`.

    Raises:
        NoriaError: Compose fails, or the store does not come up in four minutes.
    """
    settings = _settings({"NORIA_S3_BUCKET": BUCKET})
    compose("--profile", "store", "up", "--detach", "store")
    url = url_of(settings, "S3_PORT")
    _wait(url, is_open=False)
    compose("--profile", "bucket", "run", "--rm", "bucket")
    keys = {name: settings[name] for name in ("NORIA_S3_BUCKET", "NORIA_S3_KEY", "NORIA_S3_SECRET")}
    return {"NORIA_S3_ENDPOINT": url, **keys}


def serve(image: str | None) -> tuple[str, str]:
    """Let the service answer with an image, by default the one that it had; its spool is kept.

    Returns:
        Where it answers, and the image.

    The image is tried in a container beside the running one first. If it fails later, the image before is put back.

    Raises:
        NoriaError: no image is named, the image cannot start, Compose fails, or the service does not come up in four
            minutes.
    """
    known = read(settings_file())
    before = known.get(SERVICE_IMAGE)
    if not (image or before):
        raise NoriaError(
            "no image is named",
            code="platform.image_missing",
            where="--image",
            fix="make image, then name what it has built",
        )
    _settings()
    _rehearse(image or str(before))
    if not (image and before and image != before):
        return _up({SERVICE_IMAGE: image} if image else {})
    try:
        return _up({SERVICE_IMAGE: image, IMAGE_BEFORE: before})
    except BaseException:
        progress.warn(f"that failed; {before} is started again")
        _put_back({SERVICE_IMAGE: before, IMAGE_BEFORE: known.get(IMAGE_BEFORE, "")})
        raise


def service_container() -> dict[str, Any] | None:
    """What Docker says of the container of the service; None: there is none."""
    names = composed("--profile", "service", "ps", "--all", "--quiet", "service").split()
    return dict(json.loads(docker("inspect", names[0], quiet=True))[0]) if names else None


def known_settings() -> dict[str, str]:
    """The settings of Compose as they were last; empty: there never was a platform here."""
    return read(settings_file())


def settings_file() -> Path:
    """The settings of Compose, secrets among them; for its owner alone."""
    return Workspace("platform").folder / "compose.env"


def access() -> Path:
    """What pipelines need: variables with the servers' addresses and a key."""
    return Workspace("platform").folder / "zenml.env"


def compose(*arguments: str) -> None:
    """One command of Docker Compose, of version 2 or 1.

    Raises:
        NoriaError: there is none, or it fails.
    """
    _run(arguments, quiet=False)


def composed(*arguments: str) -> str:
    """What a command of Docker Compose prints.

    Raises:
        NoriaError: there is none, or it fails.
    """
    return _run(arguments, quiet=True)


def _rehearse(image: str) -> None:
    """Try in a container of its own what the service will do when it starts.

    Raises:
        NoriaError: it could not start; the code is that of the reason.
    """
    trial = ("--profile", "service", "run", "--rm", "--no-deps", "-T", "service", "python", "-m", MODULE)
    done = subprocess.run(  # noqa: S603 - our own command
        [*_command(), *_which(), *trial],
        env=os.environ | {SERVICE_IMAGE: image},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if said := read_outcome(done):
        raise start_refused(said, FILE)


def _up(chosen: Mapping[str, str]) -> tuple[str, str]:
    settings = _settings(chosen)
    compose("--profile", "service", "up", "--detach")
    url = url_of(settings, "SERVICE_PORT")
    _wait_for_service(url)
    return url, settings[SERVICE_IMAGE]


def _put_back(settings: Mapping[str, str]) -> None:
    try:
        _up(settings)
    except NoriaError as error:
        progress.warn(f"{settings[SERVICE_IMAGE]} could not be started again: {error.what}")


def _wait_for_service(url: str) -> None:
    """Until it is ready; its container must not end meanwhile.

    Raises:
        NoriaError: it ends, or is not ready in four minutes.
    """
    restarts = _restarts(service_container())
    _wait(f"{url}/readyz", lambda: _require_running(service_container(), restarts))


def _require_running(container: Mapping[str, Any] | None, restarts: int) -> None:
    if container is None or not container.get("Id"):
        return
    status = container.get("State", {}).get("Status")
    if status not in {"exited", "dead", "restarting"} and _restarts(container) <= restarts:
        return
    log = run_docker("logs", "--tail", "50", str(container["Id"]))
    said = (log.stdout or "") + (log.stderr or "")
    errors = [line for line in said.splitlines() if NoriaError.parse(line)]
    raise start_refused(errors[-1] if errors else last_line(said), FILE)


def _restarts(container: Mapping[str, Any] | None) -> int:
    return int((container or {}).get("RestartCount") or 0)


def _which() -> list[str]:
    return ["--env-file", str(settings_file()), "--file", str(FILE)]


def _run(arguments: tuple[str, ...], *, quiet: bool) -> str:
    done = subprocess.run(  # noqa: S603 - our own command
        [*_command(), *_which(), *arguments], stdout=subprocess.PIPE if quiet else None, text=True, check=False
    )
    if done.returncode:
        raise NoriaError(
            f"Compose failed with status {done.returncode}",
            code="platform.compose_failed",
            where=str(FILE),
            fix="see what it said above",
        )
    return done.stdout or ""


def _command() -> list[str]:
    plugin = ["docker", "compose"]
    try:
        if subprocess.run([*plugin, "version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return plugin
    except FileNotFoundError:
        pass
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise NoriaError(
        "Docker Compose is not installed",
        code="platform.compose_missing",
        where="docker compose",
        fix="install Docker with Compose",
    )


def _settings(chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """The settings of Compose: secrets that were made once, and what holds at present."""
    known = read(settings_file())
    made = {name: known.get(name) or secrets.token_hex(size) for name, size in _SECRETS.items()}
    now = {
        "BIND": known.get("BIND") or _reachable(),
        "COMPOSE_PROJECT_NAME": known.get("COMPOSE_PROJECT_NAME") or "noria",
    }
    settings = {**PORTS, **known, **made, **now, **(chosen or {})}
    if settings != known:
        write(settings_file(), settings)
    return settings


def url_of(settings: Mapping[str, str], port: str) -> str:
    """Where the container whose port the settings call `port` is reached."""
    return f"http://{settings['BIND']}:{settings[port]}"


def _reachable() -> str:
    """An address of this machine that containers reach, and other machines do not."""
    if sys.platform != "linux":
        return "127.0.0.1"  # Docker Desktop passes containers on to it
    ipam = docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}", quiet=True)
    for part in json.loads(ipam) or []:
        if address := part.get("Gateway") or _first(part.get("Subnet", "")):
            return str(address)
    raise NoriaError(
        "Docker does not tell which address of this machine containers reach",
        code="platform.address_unknown",
        where="docker network inspect bridge",
        fix=f"write BIND=ADDRESS into {settings_file()}; every machine that reaches this address reaches the platform",
    )


def _first(subnet: str) -> str:
    """The address that Docker gives this machine in a network of its own; it does not always tell it."""
    return str(next(IPv4Network(subnet).hosts())) if "." in subnet else ""


def _wait(url: str, check: Callable[[], None] = lambda: None, *, is_open: bool = True) -> None:
    """Until it answers; what is not open to everybody may answer with a refusal. `check` raises what ends the wait."""
    until = time.monotonic() + _START_S
    while True:
        try:
            if httpx.get(url, timeout=5).is_success or not is_open:
                return
        except httpx.HTTPError:
            pass
        check()
        if time.monotonic() > until:
            raise NoriaError(
                "it does not come up",
                code="platform.not_ready",
                where=url,
                fix="see its log: docker ps, then docker logs NAME",
            )
        time.sleep(_POLL_S)
