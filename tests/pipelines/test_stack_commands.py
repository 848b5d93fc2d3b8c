"""`stack list`, `up`, `check`, `use` and `down`, against the real ZenML of this process."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.stacks import stacks
from tests.conftest import Command

pytestmark = pytest.mark.e2e


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stacks, "STACK_FILES", tmp_path)
    return tmp_path


@pytest.fixture
def write(files: Path, command: Command) -> Iterator[Any]:
    """Writes `mine.yaml` with these components; what it registered is taken away afterwards."""

    def written(**components: dict[str, Any]) -> None:
        members = {
            "orchestrator": {"flavor": "local"},
            "artifact_store": {"flavor": "local", "configuration": {"path": str(files / "store")}},
        } | components
        listed = {kind: [{"name": "mine", "type": kind, **each}] for kind, each in members.items()}
        content = {"zenml_version": "0.98.0", "stack_name": "mine", "components": listed}
        (files / "mine.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    yield written
    if (files / "mine.yaml").exists():
        command("stack", "down", "mine")


def component(kind: str) -> Any:
    from zenml.client import Client

    return Client().get_stack_component(kind, "mine", allow_name_prefix_match=False)  # type: ignore[arg-type]


def test_up_registers_once_and_changes_what_differs(write: Any, files: Path, command: Command) -> None:
    write()
    assert "local, not registered" in command("stack", "list").out
    assert command("stack", "check", "mine").code == 2
    first = command("stack", "up", "mine")
    assert (first.code, "the stack is not registered" in first.out) == (0, True)
    assert command("stack", "check", "mine").code == 0
    again = command("stack", "up", "mine")
    assert (again.code, "mended" in again.out) == (0, False)
    before = component("artifact_store").id
    write(artifact_store={"flavor": "local", "configuration": {"path": str(files / "elsewhere")}})
    told = command("stack", "check", "mine")
    assert (told.code, "`path` differs" in told.err, "stack up mine" in told.err) == (2, True, True)
    assert "`path` differs" in command("stack", "up", "mine").out
    assert component("artifact_store").configuration["path"] == str(files / "elsewhere")
    assert component("artifact_store").id == before
    assert command("stack", "check", "mine").code == 0


def test_a_secret_is_kept_as_one_and_goes_with_its_stack(
    write: Any, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zenml.client import Client

    settings = {"tracking_uri": "http://127.0.0.1:9", "tracking_token": "${env:NORIA_TEST_TOKEN}"}
    write(experiment_tracker={"flavor": "mlflow", "configuration": settings})
    refused = command("stack", "up", "mine")
    assert (refused.code, "NORIA_TEST_TOKEN is not set" in refused.err) == (2, True)
    monkeypatch.setenv("NORIA_TEST_TOKEN", "hunter2")
    done = command("stack", "up", "mine")
    assert done.code == 0, done.err
    assert component("experiment_tracker").configuration["tracking_token"] == (
        "{{noria-experiment-tracker-mine.tracking_token}}"  # noqa: S105 - where it is, not what it is
    )
    kept = Client().get_secret("noria-experiment-tracker-mine").secret_values
    assert kept == {"tracking_token": "hunter2"}
    assert command("stack", "check", "mine").code == 0
    down = command("stack", "down", "mine")
    assert (down.code, "experiment_tracker `mine`" in down.out) == (0, True)
    assert "noria-experiment-tracker-mine" not in {secret.name for secret in Client().list_secrets(size=1000)}
    assert "hunter2" not in done.out + done.err + down.out


def test_a_secret_goes_with_its_stack_although_the_file_is_gone(
    write: Any, files: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zenml.client import Client

    monkeypatch.setenv("NORIA_TEST_TOKEN", "hunter2")
    settings = {"tracking_uri": "http://127.0.0.1:9", "tracking_token": "${env:NORIA_TEST_TOKEN}"}
    write(experiment_tracker={"flavor": "mlflow", "configuration": settings})
    assert command("stack", "up", "mine").code == 0
    assert "noria-experiment-tracker-mine" in {secret.name for secret in Client().list_secrets(size=1000)}
    (files / "mine.yaml").unlink()
    down = command("stack", "down", "mine")
    assert (down.code, "experiment_tracker `mine`" in down.out) == (0, True)
    assert "noria-experiment-tracker-mine" not in {secret.name for secret in Client().list_secrets(size=1000)}


@pytest.mark.parametrize(
    ("components", "said"),
    [
        ({"orchestrator": {"flavor": "locale"}}, "no flavor is named `locale`"),
        ({"orchestrator": {"flavor": "local", "configuration": {"speed": 9}}}, "`local` has no setting `speed`"),
        ({"artifact_store": {"flavor": "local", "configuration": {"path": "${env:NORIA_NO}"}}}, "NORIA_NO is not set"),
        (
            {"container_registry": {"flavor": "default", "configuration": {"uri": "127.0.0.1:1/images"}}},
            "http://127.0.0.1:1/v2/ cannot be reached",
        ),
        (
            {"experiment_tracker": {"flavor": "wandb", "configuration": {"api_key": "{{nowhere.key}}"}}},
            "there is no secret `nowhere`",
        ),
        ({"experiment_tracker": {"flavor": "wandb"}}, "the integration `wandb` is not installed"),
        ({"image_builder": {"flavor": "local"}}, "command `docker` is not installed"),
    ],
)
def test_the_preflight_tells_what_is_amiss(
    write: Any, command: Command, components: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    write(**components)
    told = command("stack", "check", "mine")
    assert told.code == 2
    assert said in told.err
    assert told.err.count("✘") == told.err.count("fix")


def test_a_cluster_needs_a_context_and_a_server_that_it_can_reach(
    write: Any, command: Command, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kubernetes", reason="the Kubernetes integration is not installed")
    (files / "config").write_text("contexts: [{name: other}]", encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(files / "config"))
    write(orchestrator={"flavor": "kubernetes", "configuration": {"kubernetes_context": "cluster"}})
    told = command("stack", "check", "mine")
    assert "has no context `cluster`" in told.err
    assert "choose one of other" in told.err
    assert "cannot reach the ZenML embedded here" in told.err


@pytest.mark.parametrize(
    ("kind", "component", "lock"),
    [
        ("orchestrator", {"flavor": "sagemaker"}, "requirements-aws.lock"),
        (
            "container_registry",
            {"flavor": "azure", "configuration": {"uri": "ours.azurecr.io"}},
            "requirements-azure.lock",
        ),
    ],
)
def test_a_cloud_s_packages_come_from_its_lock(
    write: Any, command: Command, kind: str, component: dict[str, Any], lock: str
) -> None:
    for package in ("sagemaker", "azure"):
        if importlib.util.find_spec(package) is not None:
            pytest.skip("the packages of a cloud are installed here")
    write(**{kind: component})
    assert f"install {lock} into an environment of its own" in command("stack", "check", "mine").err


def test_use_holds_for_later_commands(write: Any, command: Command) -> None:
    write()
    command("stack", "up", "mine")
    try:
        assert command("stack", "use", "mine").code == 0
        assert "registered, in use" in command("stack", "list").out
        refused = command("stack", "down", "mine")
        assert (refused.code, "is the stack in use" in refused.err) == (2, True)
    finally:
        from zenml.client import Client

        Client().activate_stack("local")


def test_a_stack_that_is_not_ready_is_not_used_and_all_that_is_missing_is_said(write: Any, command: Command) -> None:
    from zenml.client import Client

    write(
        artifact_store={"flavor": "local", "configuration": {"path": "${env:NORIA_TEST_NOWHERE}"}},
        container_registry={"flavor": "default", "configuration": {"uri": "127.0.0.1:1/images"}},
    )
    before = Client().active_stack_model.name
    refused = command("stack", "use", "mine")
    assert refused.code == 2
    assert "`mine` is not ready, and not in use." in refused.err
    assert "NORIA_TEST_NOWHERE is not set" in refused.err
    assert "127.0.0.1:1" in refused.err
    assert "python run.py stack up mine" not in refused.err, "`use` registers it"
    assert Client().active_stack_model.name == before


def test_a_stack_is_registered_when_it_is_used_first(write: Any, command: Command) -> None:
    from zenml.client import Client

    write()
    try:
        assert command("stack", "use", "mine").code == 0
        assert Client().active_stack_model.name == "mine"
    finally:
        Client().activate_stack("local")


def test_another_flavor_under_the_same_name_is_refused(write: Any, command: Command) -> None:
    write()
    command("stack", "up", "mine")
    write(orchestrator={"flavor": "local_docker"})
    refused = command("stack", "up", "mine")
    assert refused.code == 2
    assert "registered with flavor `local`, and the file says `local_docker`" in refused.err
    assert "give it another name" in refused.err
    write()
