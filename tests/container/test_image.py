"""What goes into the image; no engine is needed for that."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from noria import handover
from noria.bundle import Bundle, revise
from noria.errors import NoriaError
from noria.fast.stored import FAST
from noria.workspace import PROJECT, Workspace
from pipelines.platform.image import answering, build_image, stage


def test_everything_that_the_dockerfile_copies_is_there_and_nothing_secret(bundle: Bundle, tmp_path: Path) -> None:
    stage(bundle, tmp_path)
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"Dockerfile", "requirements-serving.lock", "noria", "service", "bundle"}
    lines = (tmp_path / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = {line.split()[1].rstrip("/") for line in lines if line.startswith("COPY ") and "--from" not in line}
    assert copied == there - {"Dockerfile"}
    assert Bundle.open(tmp_path / "bundle").manifest == bundle.manifest


def test_what_is_ignored_by_hand_is_what_is_staged() -> None:
    """`docker build .` in the project folder sends as little to the engine."""
    ignored = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert kept == {"requirements-serving.lock", "noria", "service", "bundle"}


def test_a_model_that_needs_the_training_libraries_is_refused(bundle: Bundle) -> None:
    files = {name: digest for name, digest in bundle.manifest.files.items() if name != FAST}
    slow = Bundle(bundle.manifest.model_copy(update={"files": files}), bundle.folder)
    with pytest.raises(NoriaError, match="no fast form"):
        build_image(slow, "never-built")


def test_the_bundle_that_answers_now_goes_into_the_image(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    folder = revise(bundle, tmp_path / "challenger", version="7").folder
    running = SimpleNamespace(bento=tmp_path / "bento")
    monkeypatch.setattr("noria.deployment.state", lambda workspace: running)
    handover.activate(Workspace("churn").service, handover.Activation.of(folder, "7"))
    assert answering("churn").manifest.version == "7"
