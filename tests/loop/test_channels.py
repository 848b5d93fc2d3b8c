"""Where messages go: webhooks by themselves, other addresses through Apprise; no secret is shown."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

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
def apprise(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """A module of that name that takes messages."""
    module: Any = ModuleType("apprise")
    module.__spec__ = ModuleSpec("apprise", None)
    exec(_APPRISE, module.__dict__)  # noqa: S102 - the text above
    monkeypatch.setitem(sys.modules, "apprise", module)
    found: list[tuple[str, str, str]] = module.Apprise.sent
    return found


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


class _Received(BaseHTTPRequestHandler):
    bodies: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_message_arrives_through_apprise_itself() -> None:
    pytest.importorskip("apprise")
    received: Any = type("Received", (_Received,), {"bodies": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), received) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"json://127.0.0.1:{server.server_port}/alerts"
        check_channels([address])
        arrived = send([address], "churn: labels are needed\nSend them.\npython run.py monitor")
        server.shutdown()
    assert arrived
    (body,) = received.bodies
    assert (body["title"], body["message"]) == ("churn: labels are needed", "Send them.\npython run.py monitor")


def test_an_address_that_apprise_cannot_read_is_an_error(apprise: list[tuple[str, str, str]]) -> None:
    with raises("loop.alert_address_invalid", "unknown://"):
        check_channels(["mailto://me:secret@example.com", "unknown://secret"])


def test_without_apprise_its_addresses_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with raises("loop.apprise_missing", "mailto://", "requirements-alerts.lock"):
        check_channels(["https://hooks.example.com/x", "mailto://me:secret@example.com"])


def test_addresses_go_into_no_run_of_a_pipeline(tmp_path: Path) -> None:
    urls = ["https://hooks.example.com/secret"]
    case = small_case("quiet_case", tmp_path / "few.csv", loop={"alert": {"urls": urls}})
    assert "secret" in case.model_dump_json()
    assert all("secret" not in each.model_dump_json() for each in (case.without_loop(), case.for_training()))
