"""Where messages go: webhooks by themselves, other addresses through Apprise; no secret is shown."""

import sys
from pathlib import Path

import pytest

from noria.loop.channels import check_channels, send
from noria.system.progress import WARNING, ProgressHandler
from tests.errors_raised import raises
from tests.small_cases import small_case

_APPRISE = """
class Apprise:
    sent = []

    def add(self, address):
        self.address = address
        return address.startswith("mailto://")

    def notify(self, title, body):
        self.sent.append((self.address, title, body))
        return "refused" not in self.address
"""


@pytest.fixture
def warnings() -> list[str]:
    found: list[str] = []
    ProgressHandler(lambda kind, stage, text: found.append(text) if kind == WARNING else None).attach()
    return found


@pytest.fixture
def apprise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """A module of that name that takes messages."""
    (tmp_path / "apprise.py").write_text(_APPRISE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "apprise", raising=False)
    import apprise

    return apprise.Apprise.sent


def test_other_addresses_go_to_apprise_with_a_title(
    apprise: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL", "mailto://me:secret@example.com")
    check_channels(["${env:MAIL}"])
    assert send(["${env:MAIL}"], "churn: labels are needed\nSend them.\npython run.py monitor")
    expected = ("mailto://me:secret@example.com", "churn: labels are needed", "Send them.\npython run.py monitor")
    assert apprise == [expected]


@pytest.mark.parametrize("address", ["mailto://me:secret@refused", "unknown://secret", "http://127.0.0.1:9/secret"])
def test_what_does_not_arrive_is_a_warning_without_the_secret(
    apprise: list[tuple[str, str, str]], warnings: list[str], address: str
) -> None:
    assert not send([address, "mailto://me:secret@example.com"], "churn: look")
    assert len(warnings) == 1 and "secret" not in warnings[0]
    assert apprise[-1][0] == "mailto://me:secret@example.com", "the others get it all the same"


def test_without_apprise_its_addresses_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with raises("loop.apprise_missing", "mailto://", "pip install apprise"):
        check_channels(["https://hooks.example.com/x", "mailto://me:secret@example.com"])


def test_addresses_go_into_no_run_of_a_pipeline(tmp_path: Path) -> None:
    urls = ["https://hooks.example.com/secret"]
    case = small_case("quiet_case", tmp_path / "few.csv", loop={"alert": {"urls": urls}})
    assert "secret" in case.model_dump_json()
    assert all("secret" not in each.model_dump_json() for each in (case.without_loop(), case.for_training()))
