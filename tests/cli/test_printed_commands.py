"""Commands that are printed: a shell reads it as data."""

import ast
import json
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from app.commands import config as config_command
from app.commands import stack as stack_command
from app.serving import compose as compose_backend
from app.serving.kubernetes_rollout import Cluster
from app.serving.service_probe import curl_command
from app.stacks.kube_contexts import another
from app.stacks.stacks import unknown_stack
from cli.console import Screen
from noria.config import load_use_case
from noria.system.command_hints import CommandHints
from noria.system.shell_commands import run_py, source_variables
from noria.system.workspace import PROJECT
from tests.listening import listen

HOSTILE = [
    "it's",
    "'; touch hacked; '",
    "$(touch hacked)",
    "`touch hacked`",
    '"quoted" and \\ back',
    "two\nlines; touch hacked",
    "-d @/etc/passwd",
    "a & b | c > hacked",
    "python run.py deploy",
    "it's python run.py deploy's",
    "[bold]x[/] \\[y] ünïcode \x1b[31m",
]
NAMES = [text for text in HOSTILE if not text.startswith("-") and "\x1b" not in text]


class Listener:
    """Hears what is sent to it."""

    def __init__(self) -> None:
        heard: list[tuple[bytes, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append((body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.heard = heard
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def printed(command: str, capsys: pytest.CaptureFixture[str], hints: CommandHints) -> str:
    """A command as the screen shows it under `next`."""
    screen = Screen()
    screen.hints = hints
    screen.result("Done.", [], following=[command])
    return capsys.readouterr().out.partition("next  ")[2].removesuffix("\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_the_printed_curl_sends_the_row_as_it_is(
    text: str, listener: Listener, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {text: text, "plain": 1.5, "none": None}
    monkeypatch.setenv("NORIA_PREDICT_TOKEN", "t" * 20)
    shown = printed(
        curl_command(listener.url, row, "$NORIA_PREDICT_TOKEN"), capsys, CommandHints("it's.yaml", "my stack", "/o'h")
    )
    done = subprocess.run(["bash", "-c", shown], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    [(body, headers)] = listener.heard
    assert json.loads(body) == {"rows": [row]}
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == f"Bearer {'t' * 20}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", NAMES)
def test_a_path_in_a_printed_command_is_one_word(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for hints in (CommandHints(), CommandHints(f"configs/{text}.yaml", text, f"/home/{text}")):
        words = shlex.split(printed(run_py("config migrate", f"{text}.yaml"), capsys, hints))
        assert words[-3:] == ["config", "migrate", f"{text}.yaml"]
    hints = CommandHints(f"{text}.yaml", text, f"/home/{text}")
    words = shlex.split(printed(run_py("deploy"), capsys, hints))
    assert words == [
        f"NORIA_HOME=/home/{text}", "python", "run.py", "deploy", "--config", f"{text}.yaml", "--stack", text,
    ]  # fmt: skip
    again = hints.complete(hints.complete(run_py("deploy")))
    assert shlex.split(again) == words, "completed twice, as texts from a step are"


@pytest.mark.parametrize("text", NAMES)
def test_names_from_files_and_clusters_are_one_word(text: str, tmp_path: Path) -> None:
    def words(command: str) -> list[str]:
        return shlex.split(command.strip("`"))

    cluster = Cluster(context=text, namespace=text, registry="registry")
    assert words(cluster.rollback_command)[-4:] == ["--namespace", text, "--kube-context", text]
    assert words(another("c", "here", "there", text)[1].rpartition(": ")[2])[-1:] == [text]
    assert words(unknown_stack(text, []).fix.partition("or `")[2])[-1:] == [text]
    done = subprocess.run(
        ["bash", "-c", f"{source_variables(tmp_path / text.replace('/', ''))}; :"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["it's; touch hacked", "$(touch hacked)"])
def test_a_stack_of_an_odd_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.stacks.registration.register_stack", lambda _: [])
    monkeypatch.setattr("app.stacks.registration.remove_stack", lambda _: [])
    for result in (stack_command.up(name), stack_command.down(name)):
        assert all(shlex.split(command)[-1] == name for command in result.next)


def test_the_file_with_the_tokens_of_compose_may_lie_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "it's $(touch hacked) here"
    folder.mkdir()
    (folder / "compose.env").write_text(f"NORIA_PREDICT_TOKEN={'t' * 20}\n")
    monkeypatch.setattr("app.servers.compose_platform.settings_file", lambda: folder / "compose.env")
    shown = curl_command("http://127.0.0.1:1", {"a": 1}, compose_backend.token_in_shell())
    script = f"curl() {{ printf '%s\\n' \"$@\"; }}; {shown}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"Authorization: Bearer {'t' * 20}" in done.stdout.splitlines()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_warning_about_old_keys_quotes_the_file(tmp_path: Path) -> None:
    text = (Path("configs") / "telco_churn.yaml").read_text(encoding="utf-8")
    path = tmp_path / "it's; touch hacked.yaml"
    path.write_text(text.replace("review_margin:", "ask_within:"), encoding="utf-8")
    heard: list[str] = []
    listen(lambda kind, said: heard.append(said))
    load_use_case(path)
    [command] = [said[said.index("python run.py") :] for said in heard if "config migrate" in said]
    assert shlex.split(command)[-1] == str(path)
    told = config_command.migrate(path, write=False)
    assert shlex.split(told.next[0])[-1] == str(path)


def test_no_command_is_built_without_quoting() -> None:
    """A value that is put into the text of a command belongs into `shell_command` or `run_py`."""
    begun = re.compile(r"(?:python run\.py|\b(?:kubectl|helm|zenml|curl) [a-z-]+|\bdocker [a-z]+|set -a; \.)[^`|;:)]*$")
    known = {
        ("noria/monitoring/alerts.py", "python run.py "),  # the name of a command of Noria
        ("noria/system/command_hints.py", "python run.py "),
        ("noria/system/shell_commands.py", "python run.py "),
    }
    found = set()
    for root in ("app", "cli", "noria", "pipelines", "steps", "service"):
        for path in (PROJECT / root).rglob("*.py"):
            for text in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(text, ast.JoinedStr):
                    for before, after in pairwise(text.values):
                        if not (isinstance(before, ast.Constant) and isinstance(after, ast.FormattedValue)):
                            continue
                        if match := begun.search(str(before.value)):
                            found.add((path.relative_to(PROJECT).as_posix(), match[0]))
    assert found == known
