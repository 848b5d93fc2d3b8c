"""What a stack file may say, and what it is told when it says something else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.stacks.definition import (
    STEPS,
    RegisteredStack,
    StackMember,
    StepsConfig,
    differences,
    looks_secret,
    only_referenced,
    read_stack,
)
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT


def plain() -> dict[str, Any]:
    return {
        "zenml_version": "0.98.0",
        "stack_name": "mine",
        "components": {
            "orchestrator": [{"name": "o", "type": "orchestrator", "flavor": "local"}],
            "artifact_store": [
                {"name": "a", "type": "artifact_store", "flavor": "local", "configuration": {"path": "${env:PLACE}"}}
            ],
        },
    }


def written(folder: Path, content: Any, name: str = "mine") -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return file


@pytest.mark.parametrize("file", sorted((PROJECT / "configs" / "stacks").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_project_s_own_files_are_right(file: Path) -> None:
    assert read_stack(file).orchestrator.flavor


def test_variables_are_filled_in_everywhere(tmp_path: Path) -> None:
    raw = plain()
    raw["components"]["artifact_store"][0]["configuration"] = {"path": "${env:PLACE}/a", "x": {"y": ["${env:Z}"]}}
    store = read_stack(written(tmp_path, raw)).components["artifact_store"][0]
    assert store.variables == ["PLACE", "Z"]
    assert store.filled({"PLACE": "/p"}) == {"path": "/p/a", "x": {"y": ["${env:Z}"]}}


def test_how_steps_run_is_read(tmp_path: Path) -> None:
    assert read_stack(written(tmp_path, plain())).noria == StepsConfig()
    raw = changed(
        components__orchestrator__0__flavor="local_docker",
        noria={"image": "${env:REGISTRY}/steps:${env:TAG}", "resources": {"cpu": 0.5, "memory": "512MiB"}},
    )
    running = read_stack(written(tmp_path, raw)).noria
    assert running.variables == ["REGISTRY", "TAG"]
    assert running.filled({"REGISTRY": "r", "TAG": "1"}).image == "r/steps:1"
    assert (running.code, running.resources.cpu, running.service) == ("image", 0.5, "process")


TWO = [{"name": name, "type": "step_operator", "flavor": "kubernetes"} for name in ("x", "y")]


def test_a_step_asks_for_more_than_the_others(tmp_path: Path) -> None:
    steps = {"tune": {"image": "${env:REGISTRY}/tune:1", "resources": {"memory": "8GB"}}, "champion": {}}
    raw = changed(
        components__orchestrator__0__flavor="local_docker",
        noria={"image": "steps:1", "resources": {"cpu": 0.5, "memory": "512MiB"}, "steps": steps},
    )
    stack = read_stack(written(tmp_path, raw))
    assert stack.noria.variables == ["REGISTRY"]
    assert stack.noria.filled({"REGISTRY": "r"}).steps["tune"].image == "r/tune:1"
    (tune,) = stack.noria.of_pipeline("training").values()
    assert (tune.resources.cpu, tune.resources.memory, tune.resources.memory_bytes) == (0.5, "8GB", 8 * 10**9)
    (champion,) = stack.noria.of_pipeline("monitoring").values()
    assert (champion.image, champion.resources.memory_bytes) == ("steps:1", 512 * 2**20)
    assert stack.noria.of_pipeline("deployment") == {}, "the service must not be started elsewhere"
    assert stack.images_of("local_docker")["noria.image"] == "steps:1"


def changed(**changes: Any) -> dict[str, Any]:
    raw = plain()
    for path, value in changes.items():
        at, *keys = path.split("__")
        place: Any = raw["components"] if at == "components" else raw
        for key in keys[:-1]:
            place = place[int(key) if key.isdigit() else key]
        place[keys[-1] if keys else at] = value
    return raw


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (changed(components__orchestrator=[]), "it has no orchestrator"),
        (changed(components__orchestrator__0__flavour="local"), "unknown key `components.orchestrator.0.flavour`"),
        (changed(components__orchestrator__0__type="alerter"), "alerter `o` stands under `orchestrator`"),
        (changed(components__orkestrator=[]), "components.orkestrator"),
        (
            changed(
                components__step_operator=[{"name": "s", "type": "step_operator", "flavor": "spark"} for _ in range(2)]
            ),
            "the step_operator `s` is named twice",
        ),
        (
            changed(
                components__alerter=[{"name": name, "type": "alerter", "flavor": "slack"} for name in ("x", "y")],
            ),
            "one is all that it can have",
        ),
        (changed(components__artifact_store__0__configuration={"secret": "hunter2"}), "the secret `secret` is written"),
        (changed(components__artifact_store__0__configuration={"a": {"api_key": "k"}}), "the secret `api_key` is"),
        (
            changed(components__artifact_store__0__configuration={"a": {"api_key": "${env:KEY}"}}),
            "the secret `api_key` stands inside another setting",
        ),
        (changed(stack_name="other"), "named `other` in a file named `mine`"),
        (changed(resources={}), "unknown key `resources`"),
        (changed(noria={"imgae": "x"}), "unknown key `noria.imgae`"),
        (changed(noria={"image": "x:1"}), "`local` runs every step in this process"),
        (changed(noria={"code": "artifact_store"}), "no `image` is named"),
        (changed(noria={"resources": {"memory": "much"}}), "`noria.resources.memory`"),
        (changed(noria={"resources": {"cpu": 0}}), "`noria.resources.cpu`"),
        (changed(noria={"retries": -1}), "`noria.retries`"),
        (changed(noria={"service": "cloud"}), "`noria.service`"),
        (changed(noria={"service": "cloud"}), "no serving backend is named `cloud`; there are process, container"),
        (changed(noria={"steps": {"tun": {}}}), "no step that runs on a stack is named `tun`; did you mean `tune`?"),
        (changed(noria={"steps": {"start": {}}}), "no step that runs on a stack is named `start`"),
        (changed(noria={"steps": {"tune": {"gpus": 1}}}), "unknown key `noria.steps.tune.gpus`"),
        (changed(noria={"steps": {"tune": {"resources": {"cpu": -1}}}}), "`noria.steps.tune.resources.cpu`"),
        (changed(noria={"steps": {"tune": {"image": "x:1"}}}), "`local` runs that step in this process"),
        (
            changed(noria={"steps": {"tune": {"step_operator": True}}}),
            "the step operator of `tune` runs it in an image",
        ),
        (
            changed(noria={"steps": {"tune": {"step_operator": True, "image": "x:1"}}}),
            "`noria.steps.tune` has a step operator run it, and the stack has none",
        ),
        (
            changed(components__step_operator=TWO, noria={"steps": {"tune": {"step_operator": True, "image": "x:1"}}}),
            "which step operator runs it? One of x, y",
        ),
        (
            changed(components__step_operator=TWO, noria={"steps": {"tune": {"step_operator": "z", "image": "x:1"}}}),
            "has no step operator `z`, only x, y",
        ),
        (changed(noria={"steps": {"tune": {"settings": {"a": {"api_key": "hunter2"}}}}}), "kept as plain text"),
        ("a: [", "not valid YAML"),
        (yaml.safe_dump(plain()) + "stack_name: again\n", "`stack_name` is written twice"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, raw: Any, said: str) -> None:
    with pytest.raises(NoriaError) as caught:
        read_stack(written(tmp_path, raw))
    assert said in str(caught.value)
    assert "mine.yaml" in caught.value.where
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_names_those_that_are_there(tmp_path: Path) -> None:
    written(tmp_path, plain())
    with pytest.raises(NoriaError) as caught:
        read_stack(tmp_path / "other.yaml")
    assert "mine" in caught.value.fix


@pytest.mark.parametrize(
    ("key", "value", "is_secret", "is_reference"),
    [
        ("password", "x", True, False),
        ("tracking_token", "${env:TOKEN}", True, True),
        ("aws_secret_access_key", "{{aws.key}}", True, True),
        ("password", "a${env:TOKEN}", True, False),
        ("authentication_secret", "s3", False, False),
        ("credentials_path", "/c.json", False, False),
        ("pass_zenml_token_as_secret", True, False, True),
    ],
)
def test_secrets_are_known_by_their_keys(key: str, value: Any, is_secret: bool, is_reference: bool) -> None:
    assert (looks_secret(key), only_referenced(value)) == (is_secret, is_reference)


def test_differences_are_told_in_words() -> None:
    wanted = {
        ("orchestrator", "o"): StackMember("local"),
        ("artifact_store", "a"): StackMember("local", {"path": "/new"}),
    }
    assert differences(wanted, RegisteredStack({}, None)) == [
        "orchestrator `o` is not registered",
        "artifact_store `a` is not registered",
        "the stack is not registered",
    ]
    known = {
        ("orchestrator", "o"): StackMember("local_docker"),
        ("artifact_store", "a"): StackMember("local", {"path": "/old"}),
    }
    standing = RegisteredStack(known, [("orchestrator", "o"), ("alerter", "x")])
    assert differences(wanted, standing) == [
        "orchestrator `o` is `local_docker` instead of `local`",
        "artifact_store `a`: `path` differs",
        "artifact_store `a` is not in the stack",
        "alerter `x` is in the stack as well",
    ]
    filled_in = StackMember("local", {"path": "/new", "by_itself": True})
    agreed = RegisteredStack({**wanted, ("artifact_store", "a"): filled_in}, list(wanted))
    assert differences(wanted, agreed) == []


def test_the_steps_that_a_file_may_name_are_those_of_the_pipelines() -> None:
    import ast

    for pipeline, names in STEPS.items():
        tree = ast.parse((PROJECT / "pipelines" / f"{pipeline}.py").read_text(encoding="utf-8"))
        modules = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported = {name.name for node in modules if str(node.module).startswith("steps") for name in node.names}
        called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "id")}
        assert called & imported - {"pipeline"} == set(names), pipeline
