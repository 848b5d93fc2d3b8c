"""One image with a small churn model, and one container of it, run as strictly as an operator can."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bundles import churn, make
from docker_engine import Container, address, docker

from app.images.service_image import build_image
from noria.bundle import Bundle
from noria.client import Client
from noria.traffic.activation import TrafficPlan

STRICT = ["--read-only", "--user", "10001:10001", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
STRICT += ["--tmpfs", "/tmp"]  # noqa: S108 - the container's own
TOKENS = ("NORIA_PREDICT_TOKEN", "NORIA_FEEDBACK_TOKEN", "NORIA_ADMIN_TOKEN")
_READY_WITHIN_S = 90


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make(churn(), "xgboost", tmp_path_factory.mktemp("container") / "bundle")


@contextmanager
def built(plan: TrafficPlan) -> Iterator[str]:
    """An image of what an order names, while the block runs."""
    name = f"noria-test-{secrets.token_hex(4)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_BUILDKIT", "0")  # the classic builder must do
        build_image(plan, name)
    yield name
    docker("image", "rm", "--force", name, check=False)


@contextmanager
def started(image: str, **more: str) -> Iterator[Container]:
    """A container of an image that is ready; `more` are variables besides the tokens."""
    name = f"{image}-runs"
    tokens = {variable: secrets.token_hex(16) for variable in TOKENS}
    variables = tokens | more
    told = [part for variable, value in variables.items() for part in ("--env", f"{variable}={value}")]
    port = ["--publish", "127.0.0.1:0:3000"]
    docker("run", "--detach", "--name", name, *STRICT, *port, *told, image)
    try:
        running = Container(name, address(name), tokens)
        wait_until_ready(running)
        yield running
    finally:
        docker("rm", "--force", "--volumes", name, check=False)


@pytest.fixture(scope="session")
def image(engine: None, bundle: Bundle) -> Iterator[str]:
    with built(TrafficPlan.of(bundle.folder, "1")) as name:
        yield name


@pytest.fixture(scope="session")
def container(image: str) -> Iterator[Container]:
    with started(image, NORIA_SERVICE_DIR="/data/live") as running:  # as Compose has it
        yield running


@pytest.fixture
def client(container: Container) -> Iterator[Client]:
    tokens = container.tokens
    with Client(
        container.url,
        token=tokens["NORIA_PREDICT_TOKEN"],
        feedback_token=tokens["NORIA_FEEDBACK_TOKEN"],
        admin_token=tokens["NORIA_ADMIN_TOKEN"],
    ) as one:
        yield one


def wait_until_ready(container: Container) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    with Client(container.url) as client:
        while not client.ready():
            if time.monotonic() > until or not container.state()["Running"]:
                pytest.fail(f"the container does not get ready; it said:\n{container.log()}")
            time.sleep(0.2)
