"""What the section `noria` of a stack file does to a run."""

import os
import subprocess
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml
from pipeline_runs import runs_of
from zenml.cli.cli import cli
from zenml.client import Client

from app.commands.explore import explore
from app.runs import step_containers
from app.runs.run_options import pipeline_options, run_options
from app.runs.run_secrets import run_secrets
from app.serving.backend import backend_of
from app.serving.container import ContainerBackend
from app.serving.process import ProcessBackend
from app.stacks import stacks
from app.stacks.definition import StepResources, StepsConfig
from app.stacks.preflight import step_image
from noria.config import UseCase
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT, home
from tests.conftest import Command
from tests.errors_raised import raises
from tests.small_cases import churn_table, small_case

pytestmark = pytest.mark.e2e


@pytest.fixture
def case(tmp_path: Path) -> UseCase:
    churn_table(400).to_csv(tmp_path / "few.csv", index=False)
    return small_case("runs_as_asked", tmp_path / "few.csv")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(stacks, "STACK_FILES", tmp_path)

    def written(name: str, noria: dict[str, Any] | None, orchestrator: str = "local") -> Path:
        components = {
            "orchestrator": [{"name": name, "type": "orchestrator", "flavor": orchestrator, "configuration": {}}],
            "artifact_store": [
                {
                    "name": name,
                    "type": "artifact_store",
                    "flavor": "local",
                    "configuration": {"path": str(tmp_path / "store")},
                }
            ],
        }
        content: dict[str, Any] = {"zenml_version": "0.98.0", "stack_name": name, "components": components}
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content | ({} if noria is None else {"noria": noria})), encoding="utf-8")
        return file

    return written


def test_a_run_asks_for_what_the_file_says(case: UseCase, trained: object, write: Any) -> None:
    write("asks", {"resources": {"cpu": 0.5, "memory": "2GB"}, "retries": 2})
    explore(case, "asks")
    steps = runs_of(case, "exploration")[0].steps.values()
    assert {(each.config.resource_settings.cpu_count, each.config.resource_settings.memory) for each in steps} == {
        (0.5, "2GB")
    }
    assert {each.config.retry.max_retries for each in steps} == {2}


def test_a_stack_without_the_section_or_without_a_file_runs_as_zenml_would(write: Any) -> None:
    write("plain", None)
    for name in ("plain", "registered_by_hand"):
        with pipeline_options(
            name, "training", run="run-1", model="model", parameters={}, files=step_containers.MountedFiles()
        ) as options:
            assert options == {}


@pytest.mark.parametrize(("code", "downloads"), [("image", False), ("artifact_store", True)])
def test_the_image_is_taken_as_it_is(code: Any, downloads: bool) -> None:
    docker = options_of(StepsConfig(image="steps:1", code=code))["settings"]["docker"]
    assert (docker.parent_image, docker.skip_build) == ("steps:1", True)
    assert docker.allow_download_from_artifact_store is downloads
    assert docker.allow_including_files_in_images is not downloads


def test_only_what_is_asked_for_is_told(trained: object) -> None:
    assert set(options_of(StepsConfig(resources=StepResources(cpu=1)))) == {"settings"}
    assert set(options_of(StepsConfig(retries=1))) == {"retry"}


def options_of(running: StepsConfig) -> dict[str, Any]:
    stack = stacks.read_stack(PROJECT / "configs" / "stacks" / "docker.yaml")
    return run_options(stack.model_copy(update={"noria": running}), "training")


def test_an_unset_variable_is_told_before_anything_runs(case: UseCase, trained: object, write: Any) -> None:
    write("unset", {"image": "${env:NORIA_TEST_IMAGE}"}, "local_docker")
    with raises("config.variable_unset", "NORIA_TEST_IMAGE") as caught:
        stacks.running_on("unset")
    assert "unset.yaml" in caught.value.where
    assert "export NORIA_TEST_IMAGE=" in caught.value.fix


def test_zenml_imports_a_file_with_the_section(trained: object, write: Any) -> None:
    from click.testing import CliRunner

    file = write("imported", {"image": "steps:1", "retries": 1}, "local_docker")
    ended = CliRunner().invoke(cli, ["stack", "import", str(file)])
    assert ended.exit_code == 0, ended.output
    assert Client().get_stack("imported").components


def test_the_preflight_asks_for_an_image(
    trained: object, write: Any, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("checked", None, "local_docker")
    assert "the file names no image" in command("stack", "check", "checked").err
    write("checked", {"image": "${env:NORIA_TEST_IMAGE}"}, "local_docker")
    assert "NORIA_TEST_IMAGE is not set" in command("stack", "check", "checked").err
    monkeypatch.setenv("NORIA_TEST_IMAGE", "nowhere/steps:1")

    def no_image(*arguments: str, **_: Any) -> Any:
        said = "Error: No such image: nowhere/steps:1" if "image" in arguments else ""
        return type("Done", (), {"returncode": 1 if said else 0, "stderr": said, "stdout": ""})

    monkeypatch.setattr(step_image, "run_docker", no_image)
    assert "has no image `nowhere/steps:1`" in command("stack", "check", "checked").err


def test_variables_go_with_a_run_as_a_secret(trained: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that are named; and one that is not needed any more does not stay."""
    monkeypatch.delenv("NORIA_PREDICTIONS_URL", raising=False)
    monkeypatch.setenv("NORIA_TEST_PASSWORD", "hunter2")
    monkeypatch.setenv("NORIA_TEST_OTHER", "x")
    assert run_secrets(Client(), "with_secrets", "no variable") == {}
    options = run_secrets(Client(), "with_secrets", "postgresql://u:${env:NORIA_TEST_PASSWORD}@h/d")
    assert "hunter2" not in str(options)
    (name,) = options["secrets"]
    assert Client().get_secret(name).secret_values == {"NORIA_TEST_PASSWORD": "hunter2"}
    monkeypatch.setenv("NORIA_PREDICTIONS_URL", "postgresql://${env:NORIA_TEST_OTHER}@h/d")
    assert run_secrets(Client(), "with_secrets", "") == options
    assert set(Client().get_secret(name).secret_values) == {"NORIA_PREDICTIONS_URL", "NORIA_TEST_OTHER"}


def test_containers_see_the_files_of_the_run_and_run_as_its_user(
    trained: object, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_containers, "engine_findings", lambda *_: [])
    monkeypatch.setattr(step_containers, "image_findings", lambda *_: [])
    monkeypatch.setattr(step_containers, "run_docker", lambda *told: CompletedProcess(told, 0, "", ""))
    monkeypatch.setenv("NORIA_TEST_PLACE", str(tmp_path))
    stack = stacks.read_stack(write("mounts", {"image": "steps:1"}, "local_docker"))
    table = tmp_path / "few.csv"
    table.write_text("a\n1\n", encoding="utf-8")
    files = step_containers.MountedFiles(
        reads=["data/telco_churn.csv", "${env:NORIA_TEST_PLACE}/few.csv", "s3://bucket/x.csv", "data/missing.csv"],
        writes=[str(tmp_path / "new" / "out.parquet")],
    )
    with step_containers.in_containers(stack, "run-1", files, Client()) as arguments:
        assert os.environ["ZENML_LOCAL_STORES_PATH"] == str(home())
    assert arguments["user"] == f"{os.getuid()}:{os.getgid()}"
    assert arguments["environment"]["NORIA_HOME"] == str(home())
    assert arguments["volumes"] == {
        str(PROJECT / "data/telco_churn.csv"): {"bind": "/app/data/telco_churn.csv", "mode": "ro"},
        str(table): {"bind": str(table), "mode": "ro"},
        str(tmp_path / "new"): {"bind": str(tmp_path / "new"), "mode": "rw"},
    }
    assert (tmp_path / "new").is_dir()
    assert "ZENML_LOCAL_STORES_PATH" not in os.environ


def test_code_that_steps_download_is_not_mounted_over(
    trained: object, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    for name in ("data/known.csv", "out/ignored.csv"):
        (project / name).parent.mkdir(parents=True)
        (project / name).write_text("a\n1\n", encoding="utf-8")
    (project / ".gitignore").write_text("out/\n", encoding="utf-8")
    monkeypatch.setattr(step_containers, "PROJECT", project)
    monkeypatch.setattr(step_image, "PROJECT", project)
    monkeypatch.setattr(step_containers, "engine_findings", lambda *_: [])
    monkeypatch.setattr(step_image, "missing_image", lambda *_: [])
    monkeypatch.setattr(step_containers, "run_docker", lambda *told: CompletedProcess(told, 0, "", ""))
    stack = stacks.read_stack(write("downloads", {"image": "steps:1", "code": "artifact_store"}, "local_docker"))
    files = step_containers.MountedFiles(reads=["data/known.csv", "out/ignored.csv"])
    with raises("stack.not_ready"), step_containers.in_containers(stack, "r", files, Client()):
        pass
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    with step_containers.in_containers(stack, "run-1", files, Client()) as arguments:
        ignored = {"bind": "/app/code/out/ignored.csv", "mode": "ro"}
        assert arguments["volumes"] == {str(project / "out" / "ignored.csv"): ignored}
    assert arguments["tmpfs"] == {"/app": ""}, "ZenML unpacks the code there"


def test_the_service_is_deployed_from_here_also_where_steps_run_in_an_image(trained: object, write: Any) -> None:
    write("in_an_image", {"image": "steps:1", "service": "container"}, "local_docker")
    write("here", {"retries": 1})
    assert (stacks.stack_here("in_an_image"), stacks.stack_here("here")) == ("local", "here")
    container, process = backend_of("in_an_image"), backend_of("here")
    assert isinstance(container, ContainerBackend) and container.image.startswith("noria-service:")
    assert isinstance(process, ProcessBackend) and process.image == ""


@pytest.mark.parametrize(
    ("docker", "said"),
    [
        ("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1", "Cannot connect to the Docker daemon"),
        ("#!/bin/sh\n[ $1 = version ] || { echo 'No such image' >&2; exit 1; }", "has no image `steps:1`"),
    ],
    ids=["no engine", "no image"],
)
def test_without_what_it_runs_in_a_run_does_not_begin(
    case: UseCase,
    trained: object,
    write: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    docker: str,
    said: str,
) -> None:
    (tmp_path / "docker").write_text(docker, encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    name = "no_engine" if "Cannot" in said else "no_image"
    write(name, {"image": "steps:1"}, "local_docker")
    with pytest.raises(NoriaError) as caught:
        explore(case, name)
    assert said in caught.value.what
    assert runs_of(case, "exploration") == [] or runs_of(case, "exploration")[0].stack.name != name
