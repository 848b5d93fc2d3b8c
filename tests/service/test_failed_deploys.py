"""A deployment that cannot work says why at once, and the running service answers all the time."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from serving import free_port, with_serving

from noria.bundle import Bundle
from noria.bundle.fast_format import FAST
from noria.bundle.seal import seal
from noria.client import Client
from noria.config import UseCase
from noria.config.serving import PrivacyConfig
from noria.deployment import Deployment, VariantSpec, change_plan, read_state, start_or_roll, stop
from noria.deployment.service_secrets import TOKENS
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from noria.traffic import activation, plan_transforms
from tests.errors_raised import raises

pytestmark = pytest.mark.e2e
_TOKENS = dict(zip(TOKENS, ("p" * 20, "f" * 20, "a" * 20), strict=True))
_EVERY_S = 0.05
_LIMIT_S = 120.0
"""What a start may take; failures must be known long before."""


class Asker:
    """Asks a service for a prediction twenty times a second, with the tokens that it was deployed with."""

    def __init__(self, url: str, rows: list[dict[str, object]]) -> None:
        self.failures: list[str] = []
        self.answers = 0
        self._url, self._rows, self._stop = url, rows, threading.Event()

    @contextmanager
    def asking(self) -> Iterator["Asker"]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _run(self) -> None:
        with Client(self._url, timeout_s=5.0, token=_TOKENS["NORIA_PREDICT_TOKEN"]) as client:
            while not self._stop.wait(_EVERY_S):
                try:
                    client.predict(self._rows)
                    self.answers += 1
                except NoriaError as error:
                    self.failures.append(str(error))


@pytest.fixture(scope="module")
def alone(use_case: UseCase) -> UseCase:
    return with_serving(use_case, port=free_port(), workers=1, start_timeout_s=_LIMIT_S)


@pytest.fixture(scope="module")
def running(alone: UseCase, bento: Path, bundle: Bundle, service_home: Path) -> Iterator[Deployment]:
    """A service with tokens of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(service_home))
        for name, token in _TOKENS.items():
            patch.setenv(name, token)
        workspace = Workspace("failed_deploys")
        yield start_or_roll(alone, workspace, bento, bundle)
        assert stop(workspace)


@pytest.fixture
def workspace(running: Deployment, home: None, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Of the running service, whose tokens are in the environment."""
    for name, token in _TOKENS.items():
        monkeypatch.setenv(name, token)
    return Workspace("failed_deploys")


@pytest.fixture
def fresh(home: None, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """Without a service."""
    made = Workspace(f"fresh_{abs(hash(request.node.name))}")
    yield made
    assert not stop(made), "the test left a server behind"


@contextmanager
def unnoticed(running: Deployment, workspace: Workspace, bundle: Bundle) -> Iterator[Asker]:
    """The running service answers all that it is asked meanwhile, and is still the one that runs."""
    with Asker(running.url, bundle.examples()[:1]).asking() as asker:
        yield asker
    assert asker.failures == []
    assert read_state(workspace) == running


def weak_tokens(case: UseCase, patch: pytest.MonkeyPatch, _: Path) -> UseCase:
    for name in TOKENS:
        patch.setenv(name, "short")
    return case


def missing_tokens(case: UseCase, patch: pytest.MonkeyPatch, _: Path) -> UseCase:
    patch.delenv(TOKENS[1])
    return case


def spool_in_a_file(case: UseCase, patch: pytest.MonkeyPatch, folder: Path) -> UseCase:
    (folder / "file").write_text("not a folder")
    patch.setenv("NORIA_SPOOL_DIR", str(folder / "file"))
    return case


def privacy_of_an_unknown_column(case: UseCase, _: pytest.MonkeyPatch, __: Path) -> UseCase:
    return with_serving(case, privacy=PrivacyConfig(drop=["a column that nobody has"]))


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (weak_tokens, "service.token_weak"),
        (missing_tokens, "service.tokens_incomplete"),
        (spool_in_a_file, "spool.unwritable"),
        (privacy_of_an_unknown_column, "predictions.column_unknown"),
    ],
)
def test_nobody_notices_settings_that_cannot_work(
    broken: Callable[[UseCase, pytest.MonkeyPatch, Path], UseCase],
    code: str,
    workspace: Workspace,
    *,
    running: Deployment,
    alone: UseCase,
    bento: Path,
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = broken(alone, monkeypatch, tmp_path)
    began = time.monotonic()
    with unnoticed(running, workspace, bundle) as asker, raises(code):
        start_or_roll(case, workspace, bento, bundle)
    assert time.monotonic() - began < _LIMIT_S / 2
    assert asker.answers > 0


def test_nobody_notices_that_another_port_is_taken(
    workspace: Workspace, running: Deployment, alone: UseCase, bento: Path, bundle: Bundle
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = with_serving(alone, port=other.getsockname()[1])
        with unnoticed(running, workspace, bundle), raises("deployment.port_taken"):
            start_or_roll(taken, workspace, bento, bundle)


@pytest.mark.parametrize("module", ["service/service.py", "service/app.py", "noria/serving/predictor.py"])
def test_nobody_notices_code_that_cannot_be_loaded(
    module: str,
    workspace: Workspace,
    running: Deployment,
    *,
    alone: UseCase,
    bento: Path,
    bundle: Bundle,
    tmp_path: Path,
) -> None:
    broken = with_line(bento, tmp_path, module, "raise RuntimeError('the cellar is flooded')")
    with (
        unnoticed(running, workspace, bundle),
        raises("deployment.start_failed", "RuntimeError", "the cellar is flooded"),
    ):
        start_or_roll(alone, workspace, broken, bundle)


def test_nobody_notices_a_bundle_that_is_sealed_and_cannot_be_loaded(
    workspace: Workspace, running: Deployment, alone: UseCase, *, bento: Path, bundle: Bundle, tmp_path: Path
) -> None:
    """With other settings the service would be restarted for it."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundle.folder, folder)
    (folder / FAST).write_bytes(b"no model")
    broken = Bundle(seal(folder, bundle.manifest), folder)
    with unnoticed(running, workspace, bundle) as asker, pytest.raises(NoriaError) as caught:
        start_or_roll(with_serving(alone, max_rows=7), workspace, bento, broken)
    assert caught.value.code.partition(".")[0] in {"bundle", "deployment"}
    assert asker.answers > 0


def with_line(bento: Path, folder: Path, module: str, line: str) -> Path:
    """A copy of a Bento whose module ends with a line."""
    copy = folder / "bento"
    shutil.copytree(bento, copy)
    with (copy / "src" / module).open("a") as file:
        file.write(f"\n{line}\n")
    return copy


def test_a_change_of_traffic_by_someone_without_the_tokens_changes_nothing(
    workspace: Workspace, running: Deployment, alone: UseCase, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smoke tests would need the token, and other models would answer until they fail."""
    before = activation.read_plan(workspace.service)
    challenger = VariantSpec(bundle, "challenger", share=0.0).variant(workspace)
    monkeypatch.setenv("NORIA_PREDICT_TOKEN", _TOKENS["NORIA_ADMIN_TOKEN"])
    with raises("request.token_refused"):
        change_plan(alone, workspace, lambda plan: plan_transforms.with_variant(plan, challenger))
    assert activation.read_plan(workspace.service) == before
    assert read_state(workspace) == running


def test_a_challenger_that_cannot_be_loaded_changes_nothing(
    workspace: Workspace, running: Deployment, alone: UseCase, bundle: Bundle
) -> None:
    before = activation.read_plan(workspace.service)
    challenger = VariantSpec(bundle, "challenger", share=0.0).variant(workspace)
    lost = challenger.model_copy(update={"bundle": workspace.service / "no bundle"})
    with raises("bundle.not_found"):
        change_plan(alone, workspace, lambda plan: plan_transforms.with_variant(plan, lost))
    assert activation.read_plan(workspace.service) == before
    assert read_state(workspace) == running


def test_what_fails_after_the_end_of_the_old_server_is_put_back_with_its_own_tokens(
    workspace: Workspace,
    running: Deployment,
    *,
    alone: UseCase,
    bento: Path,
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("noria.deployment.rollover.rehearse", lambda *_, **__: None)
    for name in TOKENS:
        monkeypatch.setenv(name, "short")
    began = time.monotonic()
    with raises("service.token_weak"):
        start_or_roll(alone, workspace, bento, bundle)
    assert time.monotonic() - began < _LIMIT_S
    restored = read_state(workspace)
    assert restored is not None
    assert (restored.ready, restored.settings) == (True, running.settings)
    with Client(restored.url, token=_TOKENS["NORIA_PREDICT_TOKEN"]) as client:
        assert len(client.predict(bundle.examples()[:1])) == 1
    with Client(restored.url, token=_TOKENS["NORIA_FEEDBACK_TOKEN"]) as client, raises("request.token_refused"):
        client.predict(bundle.examples()[:1])


@pytest.mark.parametrize(
    ("module", "line", "code"),
    [
        ("service/app.py", "raise RuntimeError('the cellar is flooded')", "deployment.start_failed"),
        ("service/settings.py", "import os; os.kill(os.getpid(), 9)", "deployment.server_died"),
    ],
)
def test_a_first_start_fails_at_the_first_error(
    module: str,
    line: str,
    code: str,
    *,
    fresh: Workspace,
    alone: UseCase,
    bento: Path,
    bundle: Bundle,
    tmp_path: Path,
) -> None:
    began = time.monotonic()
    with raises(code):
        start_or_roll(with_serving(alone, port=free_port()), fresh, with_line(bento, tmp_path, module, line), bundle)
    assert time.monotonic() - began < _LIMIT_S / 2


def test_a_first_start_with_weak_tokens_says_so_at_once(
    fresh: Workspace, alone: UseCase, bento: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in TOKENS:
        monkeypatch.setenv(name, "short")
    began = time.monotonic()
    with raises("service.token_weak", TOKENS[0]):
        start_or_roll(with_serving(alone, port=free_port()), fresh, bento, bundle)
    assert time.monotonic() - began < _LIMIT_S / 2
