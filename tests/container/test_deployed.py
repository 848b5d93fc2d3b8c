"""`deploy` on a stack that puts the service into a container: everything else is as with a process."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from bundles import changed, churn
from docker_engine import docker

from noria.bundle import Bundle, revise_bundle
from noria.bundle.fast_format import FAST
from noria.client import Client
from noria.config import UseCase
from noria.deployment import Deployment, read_state, service_status, start_or_roll, stop, wait_until_stored
from noria.deployment.container_command import container_name, require_fast_form
from noria.deployment.service_secrets import TOKENS
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from service.bento_build import build_bento
from tests.errors_raised import raises
from tests.service.serving import free_port
from tests.spool.spooled import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


class Served(NamedTuple):
    use_case: UseCase
    workspace: Workspace
    bento: Path
    deployment: Deployment

    @property
    def name(self) -> str:
        return container_name(self.workspace)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("deployed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def served(image: str, bundle: Bundle, home: Path) -> Iterator[Served]:
    case = changed(churn().use_case, serving={"port": free_port(), "workers": 2})
    workspace = Workspace(case.name)
    bento = build_bento(bundle, workspace)
    try:
        yield Served(case, workspace, bento, start_or_roll(case, workspace, bento, bundle, image=image))
    finally:
        stop(workspace)


def inspected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("inspect", name).stdout)[0]
    return found


def left(name: str) -> str:
    return docker("ps", "--all", "--quiet", "--filter", f"name={name}").stdout + (
        docker("network", "ls", "--quiet", "--filter", f"name={name}").stdout
    )


def test_it_may_do_nothing_and_belongs_to_whoever_deployed(served: Served) -> None:
    found = inspected(served.name)
    assert found["Config"]["User"] == f"{os.getuid()}:{os.getgid()}"
    host = found["HostConfig"]
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["SecurityOpt"]) == (True, ["ALL"], ["no-new-privileges"])
    published = {each["HostIp"] for ports in host["PortBindings"].values() for each in ports}
    assert published == {"127.0.0.1"}
    assert {path.stat().st_uid for path in served.workspace.folder.rglob("*")} == {os.getuid()}


def test_what_it_answered_is_known_here_and_another_version_takes_over_without_a_restart(
    served: Served, bundle: Bundle, tmp_path: Path
) -> None:
    began = inspected(served.name)["State"]["StartedAt"]
    with Client(served.deployment.url) as client:
        client.predict(bundle.examples())
    assert wait_until_stored(served.workspace)
    facts = service_status(served.workspace)
    assert (facts.ready, facts.predictions) == (True, len(bundle.examples()))
    second = revise_bundle(bundle, tmp_path / "second", version="2")
    rolled = start_or_roll(
        served.use_case, served.workspace, served.bento, second, image=served.deployment.settings.image
    )
    with Client(rolled.url) as client:
        assert {answer.version for answer in client.predict(bundle.examples())} == {"2"}
    assert inspected(served.name)["State"]["StartedAt"] == began


@pytest.mark.parametrize(
    ("other_image", "tokens", "code"),
    [("", "short", "service.token_weak"), ("nowhere:1", "", "deployment.image_missing")],
)
def test_a_container_that_cannot_start_does_not_end_the_one_that_runs(
    other_image: str, tokens: str, code: str, *, served: Served, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = inspected(served.name)["State"]["StartedAt"]
    for name in TOKENS:
        monkeypatch.setenv(name, tokens)
    with raises(code):
        start_or_roll(
            served.use_case,
            served.workspace,
            served.bento,
            bundle,
            image=other_image or served.deployment.settings.image,
        )
    assert inspected(served.name)["State"]["StartedAt"] == began
    assert left(f"{served.name}-rehearsal") == ""
    with Client(served.deployment.url) as client:
        assert client.ready()


def test_a_container_is_put_back_with_its_own_tokens(
    served: Served, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_state(served.workspace)
    assert before is not None
    changed_case = changed(served.use_case, serving={"max_rows": 3})
    trials: list[str] = []

    def fails(*_: object, **__: object) -> None:
        trials.append("tried")
        raise NoriaError("it answers nonsense", code="deployment.smoke_test_failed")

    monkeypatch.setattr("noria.deployment.rollover.smoke_test", fails)
    with raises("deployment.smoke_test_failed"):
        start_or_roll(changed_case, served.workspace, served.bento, bundle, image=served.deployment.settings.image)
    restored = read_state(served.workspace)
    assert restored is not None
    assert (restored.ready, restored.settings, trials) == (True, before.settings, ["tried"])
    with Client(restored.url) as client:
        assert len(client.predict(bundle.examples()[:1])) == 1


def test_nothing_is_left_when_it_is_stopped_or_its_guard_is_killed(served: Served, bundle: Bundle) -> None:
    assert stop(served.workspace)
    assert left(served.name) == ""
    again = start_or_roll(
        served.use_case, served.workspace, served.bento, bundle, image=served.deployment.settings.image
    )
    os.kill(again.pid, signal.SIGKILL)  # which takes its time
    assert eventually(lambda: read_state(served.workspace) is None)
    assert left(served.name) == ""


def test_without_the_image_nothing_starts(engine: None, bundle: Bundle, home: Path) -> None:
    case = churn().use_case.model_copy(update={"name": "no_image"})
    workspace = Workspace(case.name)
    with raises("deployment.image_missing", "`nowhere:1`") as caught:
        start_or_roll(case, workspace, build_bento(bundle, workspace), bundle, image="nowhere:1")
    assert "make images" in caught.value.fix
    assert read_state(workspace) is None
    assert not (workspace.service / "active.json").exists()


def test_a_model_that_needs_the_training_libraries_is_refused(bundle: Bundle) -> None:
    files = {name: digest for name, digest in bundle.manifest.files.items() if name != FAST}
    slow = Bundle(bundle.manifest.model_copy(update={"files": files}), bundle.folder)
    with raises("bundle.fast_form_missing"):
        require_fast_form([bundle, slow])
