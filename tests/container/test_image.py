"""What goes into the image; no engine is needed for that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.images import project_images
from app.images.project_images import PIPELINE, SERVICE, ImageTarget, image_of, stage
from app.images.service_image import answering, build_image
from noria.bundle import Bundle, revise_bundle
from noria.bundle.fast_format import FAST
from noria.bundle.seal import seal
from noria.system.workspace import PROJECT, Workspace
from noria.traffic import activation
from noria.traffic.activation import TrafficPlan
from tests.errors_raised import raises

pytestmark = pytest.mark.slow


def copied(until: str) -> set[str]:
    """What the Dockerfile copies from the folder that it is built in, in its stages up to a target."""
    before, target, after = (PROJECT / "Dockerfile").read_text(encoding="utf-8").partition(f" AS {until}\n")
    assert target, f"the Dockerfile has no target {until}"
    lines = [*before.splitlines(), *after.partition("\nFROM ")[0].splitlines()]
    copies = [line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    return {copied.rstrip("/").replace("${LOCK}", PIPELINE.lock) for copied in copies}


@pytest.mark.parametrize("target", [SERVICE, PIPELINE], ids=lambda target: target.name)
def test_everything_that_the_dockerfile_copies_is_there_and_nothing_secret(target: ImageTarget, tmp_path: Path) -> None:
    stage(target, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} - {"Dockerfile"} == copied(target.name)
    assert list((tmp_path / "bundle").iterdir()) == []


def test_the_bundle_is_in_the_service(bundle: Bundle, tmp_path: Path) -> None:
    stage(SERVICE, tmp_path, bundle.folder)
    assert Bundle.open(tmp_path / "bundle").manifest == bundle.manifest


def test_what_is_ignored_by_hand_is_what_is_staged() -> None:
    """`docker build .` in the project folder sends as little to the engine."""
    ignored = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert kept == copied(PIPELINE.name) | {"requirements-*.lock"}  # LOCK= takes another one


def test_an_image_is_named_after_its_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So that a change of the code, and no change of a use case or its data, asks for another image."""
    stage(PIPELINE, tmp_path)
    monkeypatch.setattr(project_images, "PROJECT", tmp_path)
    before = image_of(PIPELINE), image_of(SERVICE)
    (tmp_path / "configs" / "mine.yaml").write_text("name: mine", encoding="utf-8")
    assert (image_of(PIPELINE), image_of(SERVICE)) == before
    (tmp_path / "steps" / "__init__.py").write_text("# changed", encoding="utf-8")
    assert image_of(PIPELINE) != before[0]
    assert image_of(SERVICE) == before[1]


def test_a_model_that_needs_the_training_libraries_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    slow = shutil.copytree(bundle.folder, tmp_path / "slow")
    (slow / FAST).unlink()
    seal(slow, bundle.manifest)
    with raises("bundle.fast_form_missing"):
        build_image(TrafficPlan.of(slow, "1"), "never-built")


def test_a_bundle_that_was_changed_does_not_go_into_an_image(bundle: Bundle, tmp_path: Path) -> None:
    changed = shutil.copytree(bundle.folder, tmp_path / "changed")
    (changed / "model.ubj").write_bytes(b"another model")
    with raises("bundle.checksum_mismatch"):
        build_image(TrafficPlan.of(changed, "1"), "never-built")


def test_the_bundle_that_answers_now_goes_into_the_image(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    folder = revise_bundle(bundle, tmp_path / "challenger", version="7").folder
    running = SimpleNamespace(bento=tmp_path / "bento")
    monkeypatch.setattr("noria.deployment.read_state", lambda workspace: running)
    activation.write_plan(Workspace("churn").service, activation.TrafficPlan.of(folder, "7"))
    assert answering("churn").manifest.version == "7"


def test_without_a_champion_make_image_says_so_and_looks_at_no_zenml_but_the_workspace_s(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZENML_", "NORIA_"))}
    places = {"HOME": str(tmp_path / "home"), "NORIA_HOME": str(tmp_path / "workspace")}
    command = [sys.executable, "run.py", "image"]
    ended = subprocess.run(
        command, cwd=PROJECT, env=kept | places, capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 2, ended.stderr
    assert "python run.py train" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "home" / ".config").exists()
