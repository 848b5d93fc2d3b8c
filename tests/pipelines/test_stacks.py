"""`--stack` picks a stack for one run, and for that run only."""

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from pipeline_runs import runs_of
from zenml.client import Client
from zenml.enums import StackComponentType

from app.commands.explore import explore
from app.commands.train import train
from app.runs.tracking import TRACKED_STEPS
from app.stacks import registration, stacks
from app.stacks.active_stack import service_stack
from noria.config import UseCase
from steps.shared.champion import require_champion
from tests.errors_raised import raises
from tests.small_cases import churn_table, small_case

pytestmark = pytest.mark.e2e


@pytest.fixture
def case(tmp_path: Path) -> UseCase:
    churn_table(400).to_csv(tmp_path / "few.csv", index=False)
    return small_case("on_stacks", tmp_path / "few.csv")


@pytest.fixture(scope="module")
def other(trained: object, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A stack with an artifact store of its own."""
    store = tmp_path_factory.mktemp("other_store")
    client = Client()
    client.create_stack_component(
        name="other",
        flavor="local",
        component_type=StackComponentType.ARTIFACT_STORE,
        configuration={"path": str(store)},
    )
    client.create_stack(
        "other", {StackComponentType.ARTIFACT_STORE: "other", StackComponentType.ORCHESTRATOR: "default"}
    )
    return str(store)


def active() -> str:
    return str(Client().active_stack_model.name)


def used_stack(run: Any) -> str:
    return str(run.stack.name)


def test_without_a_name_noria_s_own_stack_is_used(trained: object, run: Any) -> None:
    assert used_stack(run) == "local"
    assert active() == "local"


@pytest.mark.parametrize("before", ["default", "local"])
def test_a_registered_stack_is_used_for_one_run(case: UseCase, other: str, before: str) -> None:
    Client().activate_stack(before)
    try:
        explore(case, "other")
        run = runs_of(case, "exploration")[0]
        assert used_stack(run) == "other"
        assert run.steps["ingest"].outputs["raw_table"][0].uri.startswith(other)
        assert active() == before
        assert "ZENML_ACTIVE_STACK_ID" not in os.environ
        explore(case, None)
        assert used_stack(runs_of(case, "exploration")[0]) == before
    finally:
        Client().activate_stack("local")


def test_the_stack_that_zenml_stack_set_chose_is_used(case: UseCase, other: str) -> None:
    Client().activate_stack("other")
    try:
        explore(case, None)
        assert used_stack(runs_of(case, "exploration")[0]) == "other"
    finally:
        Client().activate_stack("local")


def test_after_an_error_the_active_stack_is_what_it_was(
    case: UseCase, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.runs.launch.tracking_options", lambda *_: {})  # as if MLflow were needed
    with raises("stack.unfit", "experiment tracker") as caught:
        train(case, "other")
    assert "other" in caught.value.where
    assert "zenml stack update" in caught.value.fix
    assert active() == "local"


def test_a_stack_without_mlflow_trains_and_tracks_nothing(
    case: UseCase, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained = train(case, "other")
    assert "promoted" in trained.headline.lower()
    run = runs_of(case)[0]
    assert used_stack(run) == "other"
    assert run.steps["register"].outputs["registered_version"][0].load() == str(run.model_version.number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few.csv"], "MLflow would write where it is called"


def test_the_steps_that_track_are_those_that_can_be_told_not_to(trained: object) -> None:
    from steps import training

    steps = {name: getattr(training, name) for name in training.__all__}
    assert {name for name, each in steps.items() if each.configuration.experiment_tracker} == set(TRACKED_STEPS)


def test_an_unknown_stack_is_a_clear_error(case: UseCase, trained: object) -> None:
    with raises("stack.unknown", "`lokal`") as caught:
        explore(case, "lokal")
    assert "local" in caught.value.fix


def test_a_stack_file_registers_its_stack(
    case: UseCase, trained: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (stacks.STACK_FILES / "local.yaml").read_text(encoding="utf-8")
    text = text.replace("name: local", "name: from_file").replace("${env:NORIA_HOME}", "${env:NORIA_TEST_STORE}")
    (tmp_path / "from_file.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(stacks, "STACK_FILES", tmp_path)
    with raises("config.variable_unset", "NORIA_TEST_STORE"):
        explore(case, "from_file")
    monkeypatch.setenv("NORIA_TEST_STORE", str(tmp_path / "store"))
    with registration.stack_for_one_run("from_file"):
        assert active() == "from_file"
        assert Client().active_stack.artifact_store.path.startswith(str(tmp_path / "store"))
    assert active() == "local"


def test_a_model_whose_store_has_gone_is_not_deployed_and_why_is_said(
    trained: object, use_case: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Path(Client().get_stack("local").components[StackComponentType.ARTIFACT_STORE][0].configuration["path"])
    away = store.rename(store.with_name("away"))
    try:
        with raises("registry.bundle_not_fetched", "artifact store `local`") as caught:
            require_champion(use_case.name)
    finally:
        store.is_dir() and shutil.rmtree(store)
        away.rename(store)
    assert "--stack" in str(caught.value.fix)
    assert require_champion(use_case.name).manifest.name == use_case.name


def test_the_stack_in_use_is_known_without_zenml(case: UseCase, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("ZenML takes seconds to import")

    monkeypatch.setattr("app.stacks.active_stack.zenml_client", never)
    assert service_stack(None) == "local"
    assert service_stack("kubernetes") == "kubernetes"
    try:
        for chosen in ("other", "default"):
            Client().activate_stack(chosen)
            assert service_stack(None) == chosen
        Client().activate_stack("other")
        Client().update_stack("other", name="renamed")
        assert service_stack(None) == "renamed"
    finally:
        Client().update_stack("renamed", name="other")
        Client().activate_stack("local")


def test_another_process_never_sees_the_configuration_half_written(trained: object) -> None:
    file, client = Path(os.environ["ZENML_CONFIG_PATH"]) / "config.yaml", Client()
    writer = threading.Thread(target=lambda: [client.activate_stack("local") for _ in range(100)])
    writer.start()
    while writer.is_alive():
        assert "active_stack_id" in file.read_text(encoding="utf-8")
    writer.join()


def test_default_is_ours_until_the_first_use_and_zenml_s_own_when_it_was_chosen(trained: object) -> None:
    client = Client()
    mark = stacks.first_use_mark(Path(os.environ["ZENML_CONFIG_PATH"]))
    client.activate_stack("default")
    try:
        assert (stacks.active_stack(client), service_stack(None)) == ("default", "default")
        mark.unlink()
        assert (stacks.active_stack(client), service_stack(None)) == ("local", "local")
        with registration.stack_for_one_run(None) as used:
            assert used == "local"
        assert active() == "local"
        assert mark.is_file()
        registration.use_stack("default")
        assert (active(), stacks.active_stack(client)) == ("default", "default")
    finally:
        client.activate_stack("local")


def test_no_service_is_looked_for_on_a_stack_that_there_is_not(trained: object) -> None:
    with raises("stack.unknown", "`lokal`"):
        service_stack("lokal")
