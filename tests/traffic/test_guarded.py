"""No service where others can reach it without tokens, and a new one when a secret changes."""

from pathlib import Path

import pytest

from noria.config import UseCase
from noria.deployment import ServerSettings
from noria.deployment.server_process import server_variables
from noria.deployment.service_secrets import TOKENS, require_tokens
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from tests.bundles import changed, churn
from tests.conftest import Command
from tests.errors_raised import raises
from tests.small_cases import write_config


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    for name in (*TOKENS, "NORIA_PRIVACY_KEY", "NORIA_SPOOL_DIR", "NORIA_PREDICTIONS_URL"):
        monkeypatch.delenv(name, raising=False)


def settings(**serving: object) -> ServerSettings:
    case: UseCase = changed(churn().use_case, serving=serving)
    return ServerSettings.of(case, Workspace(case.name))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "10.0.0.1", "2001:db8::1"])  # noqa: S104
def test_a_public_address_needs_all_three_tokens(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, name in enumerate(TOKENS):
        with pytest.raises(NoriaError) as caught:
            require_tokens(host)
        missing = [each for each in TOKENS[place:] if each in caught.value.what]
        assert missing == list(TOKENS[place:])
        assert not any(each in caught.value.what for each in TOKENS[:place])
        assert f"export {name}=$(openssl rand -hex 32)" in caught.value.fix
        monkeypatch.setenv(name, "x" * 32)
    require_tokens(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_alone_needs_none(host: str) -> None:
    require_tokens(host)


def test_an_empty_token_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TOKENS:
        monkeypatch.setenv(name, "")
    with raises("deployment.tokens_missing", "NORIA_PREDICT_TOKEN, NORIA_FEEDBACK_TOKEN, NORIA_ADMIN_TOKEN"):
        settings(host="0.0.0.0")  # noqa: S104


@pytest.mark.parametrize("name", [*TOKENS, "NORIA_PRIVACY_KEY"])
def test_another_secret_is_another_server_and_is_not_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings()
    monkeypatch.setenv(name, "a secret that nobody guesses")
    after = settings()
    assert before != after
    assert "secret that" not in after.model_dump_json()
    assert settings() == after


def test_what_needs_no_restart_is_no_other_server() -> None:
    assert settings() == settings(
        variants={"a": {"share": 1.0}}, canary={"steps": [0.2]}, start_timeout_s=9, batch_rows=7
    )
    assert settings() != settings(limits={"max_concurrent": 3})
    assert settings() != settings(spool={"durability": "strict"})


def test_the_server_is_told_how_it_should_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NORIA_SPOOL_DIR", str(tmp_path / "spools"))
    found = settings(max_rows=7, spool={"max_mb": 5}, variants={"a": {"share": 1.0}})
    told = server_variables(Workspace("telco_churn"), found)
    assert told["NORIA_SPOOL_DIR"] == str(tmp_path / "spools" / "telco_churn")
    assert told["NORIA_SERVICE_DIR"] == str(tmp_path / "telco_churn" / "service")
    assert found.serving.model_validate_json(told["NORIA_SERVING"]) == found.serving
    assert (found.max_rows, found.serving.spool.max_mb) == (7, 5)


def test_deploy_refuses_before_it_builds_anything(command: Command, tmp_path: Path) -> None:
    case = changed(churn().use_case, serving={"host": "0.0.0.0"})  # noqa: S104
    ended = command("deploy", "--config", write_config(case, tmp_path / "open.yaml"))
    assert ended.code == 2
    assert "0.0.0.0 is reachable by others, and the service has no tokens" in ended.err
    assert "NORIA_ADMIN_TOKEN" in ended.err
    assert not (tmp_path / case.name / "service" / "state.json").exists()
