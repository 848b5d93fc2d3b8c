"""What people read in the channel of a stack's alerter: ZenML's own Slack alerter with its real client."""

import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_here import CHANNEL, TOKEN, Slack, slack_served, use

from app.commands.explore import explore
from app.commands.train import train
from app.stacks import stacks
from noria.config import UseCase
from noria.evaluation.results import GateVerdict
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT, Workspace
from tests.conftest import Command
from tests.errors_raised import raises
from tests.small_cases import churn_table, small_case, write_config

pytestmark = pytest.mark.e2e
_LOCAL = stacks.STACK_FILES / "local.yaml"
_PAGE = (PROJECT / "docs" / "stacks.md").read_text(encoding="utf-8")
_LINES = yaml.safe_load(_PAGE.split("```yaml\n  alerter:")[1].split("```")[0])
"""As the page says to write them."""


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slack]:
    with slack_served(monkeypatch) as one:
        yield one


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, trained: object) -> Iterator[Any]:
    """Writes the stack `alerted`: `local` with an alerter."""
    folder = tmp_path / "stacks"
    folder.mkdir()
    monkeypatch.setenv("NORIA_SLACK_TOKEN", TOKEN)
    monkeypatch.setenv("NORIA_SLACK_CHANNEL", CHANNEL)
    monkeypatch.setattr(stacks, "STACK_FILES", folder)

    def written(**settings: object) -> None:
        content = yaml.safe_load(_LOCAL.read_text(encoding="utf-8")) | {"stack_name": "alerted"}
        (alerter,) = _LINES
        told = {key: value for key, value in (alerter["configuration"] | settings).items() if value is not None}
        content["components"]["alerter"] = [alerter | {"configuration": told}]
        (folder / "alerted.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    yield written
    if "alerted" in stacks.registered_stacks(stacks.zenml_client()):
        command("stack", "down", "alerted")


@pytest.fixture
def stack(write: Any, slack: Slack, command: Command) -> str:
    write()
    done = command("stack", "up", "alerted")
    assert done.code == 0, done.err
    return "alerted"


@pytest.fixture
def case(tmp_path: Path) -> UseCase:
    table = churn_table(400)
    table.loc[:39, "tenure"] = -1
    table.to_csv(tmp_path / "few.csv", index=False)
    return small_case("alerted_case", tmp_path / "few.csv")


def test_the_token_is_a_secret_and_a_second_up_changes_nothing(stack: str, slack: Slack, command: Command) -> None:
    from zenml.client import Client

    (alerter,) = Client().list_stack_components(type="alerter", name="slack")
    assert TOKEN not in str(alerter.configuration)
    again = command("stack", "up", stack)
    assert (again.code, "is as its file says" in again.out) == (0, True)
    assert command("stack", "check", stack).code == 0
    assert slack.posted == [], "checking tells nobody anything"


def test_a_step_that_fails_is_told_with_what_to_do(stack: str, slack: Slack, case: UseCase, home: Path) -> None:
    with pytest.raises(NoriaError):
        explore(case, stack)
    (message,) = slack.posted
    first, what, mend, command = message["text"].splitlines()
    assert message["channel"] == CHANNEL
    assert first == "alerted_case: `explore` failed in step `validate`"
    assert "tenure" in what
    assert mend.startswith("To fix it: ")
    assert command == (f"NORIA_HOME={home} python run.py explore --config configs/alerted_case.yaml --stack alerted")


def test_what_nobody_foresaw_quotes_no_data(
    stack: str, slack: Slack, case: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("could not convert 'Jane Doe' to a number")

    churn_table(400).to_csv(case.data.sources[0].path, index=False)
    monkeypatch.setattr("noria.profiling.report.profile_table", fail)
    with pytest.raises(ValueError, match="Jane Doe"):
        explore(case, stack)
    (text,) = slack.texts
    assert "ValueError" in text
    assert "Jane Doe" not in text


def test_a_run_that_dies_outside_its_steps_is_told(
    stack: str, slack: Slack, case: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zenml.orchestrators.step_launcher import StepLauncher

    def die(*_: object) -> None:
        raise RuntimeError("the machine is gone")

    monkeypatch.setattr(StepLauncher, "launch", die)
    with raises("pipelines.run_failed"):
        explore(case, stack)
    (text,) = slack.texts
    assert text.startswith("alerted_case: `explore` failed\nthe run did not complete")


def test_a_model_that_does_not_pass_the_gate_is_told(
    stack: str, slack: Slack, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = small_case("not_better", table)
    reason = "The rules <!channel> are & remain better."
    verdict = GateVerdict(promote="none", candidate="tree", reason=reason, comparisons=[], ml_needed=True)
    monkeypatch.setattr("noria.evaluation.promotion_gate.gate", lambda *_, **__: verdict)
    report = "noria.evaluation.report.evaluation_report.evaluation_report"
    monkeypatch.setattr(report, lambda *_, **__: "<p>report</p>")
    train(case, stack)
    (text,) = slack.texts
    first, why, command = text.splitlines()
    assert first.startswith("not_better: nothing new is promoted (version ")
    assert why == "The rules &lt;!channel&gt; are &amp; remain better.", "values of the data call nobody"
    assert command.endswith(" python run.py status --config configs/not_better.yaml --stack alerted")


def test_the_verdict_of_monitoring_is_told_once(
    stack: str, slack: Slack, use_case: UseCase, tmp_path: Path, *, command: Command, home: Path
) -> None:
    config = write_config(use_case, tmp_path / "my case.yaml")
    monitor = ("monitor", "--config", config, "--stack", stack)
    ended = command(*monitor)
    assert ended.code == 0
    assert command(*monitor).code == 0
    (text,) = slack.texts
    assert text.startswith(f"{use_case.name}: more predictions or labels are needed (version 1)")
    assert "• It is too early to tell." in text
    following = f"NORIA_HOME={home} python run.py monitor --config '{config}' --stack alerted"
    assert text.splitlines()[-1] == following
    # the terminal and the report say the same
    assert ended.out.splitlines()[-1] == f"  next  {following}"
    report = next(line.split()[-1] for line in ended.out.splitlines() if line.strip().startswith("summary"))
    assert following in unescape(Path(report).read_text(encoding="utf-8"))


@pytest.mark.parametrize("refuses", ["is_archived", ""], ids=["refused", "not reached"])
def test_an_alerter_that_does_not_take_it_fails_no_run(
    stack: str,
    slack: Slack,
    use_case: UseCase,
    tmp_path: Path,
    command: Command,
    *,
    monkeypatch: pytest.MonkeyPatch,
    refuses: str,
) -> None:
    slack.refuses = refuses
    if not refuses:
        use(monkeypatch, "http://127.0.0.1:1/")
    (Workspace(use_case.name).monitoring / "history.jsonl").write_text("")  # the first verdict is told
    ended = command("monitor", "--config", write_config(use_case, tmp_path / "case.yaml"), "--stack", stack)
    assert ended.code == 0
    assert "the alerter could not be reached" in ended.err
    assert (refuses or "refused") in ended.err
    assert "Traceback" not in ended.err
    assert TOKEN not in ended.err


@pytest.mark.parametrize(
    ("settings", "said", "fix"),
    [
        ({"slack_channel_id": None}, "it names no channel", "slack_channel_id: C"),
        ({"slack_token": "${env:NORIA_TEST_WRONG}"}, "Slack refuses: invalid_auth", "xoxb-"),
        ({"slack_token": "${env:NORIA_TEST_NONE}"}, "NORIA_TEST_NONE is not set", "export NORIA_TEST_NONE="),
    ],
)
def test_the_preflight_says_what_is_missing(
    write: Any,
    slack: Slack,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    *,
    settings: dict[str, object],
    said: str,
    fix: str,
) -> None:
    monkeypatch.setenv("NORIA_TEST_WRONG", "xoxb-another")
    write(**settings)
    told = command("stack", "check", "alerted")
    assert told.code == 2
    assert said in told.err
    assert fix in " ".join(told.err.split())
    assert "Traceback" not in told.err
    assert "xoxb-another" not in told.err


def test_the_preflight_says_what_slack_lacks(
    write: Any, slack: Slack, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write()
    slack.lacks_scope = True
    assert "channels:read" in command("stack", "check", "alerted").err
    use(monkeypatch, "http://127.0.0.1:1/")
    assert "Slack cannot be reached" in command("stack", "check", "alerted").err
    refused = command("stack", "up", "alerted")
    assert refused.code == 2
    assert "ZenML refuses it" in refused.err
    monkeypatch.setitem(sys.modules, "slack_sdk", None)
    for name in [each for each in sys.modules if each.startswith("zenml.integrations.slack.alerters")]:
        monkeypatch.delitem(sys.modules, name)
    assert "install slack-sdk==" in command("stack", "check", "alerted").err


def test_a_token_that_is_written_out_is_refused(write: Any, command: Command) -> None:
    write(slack_token="xoxb-written")  # noqa: S106
    told = command("stack", "check", "alerted")
    assert (told.code, "the secret `slack_token` is written out" in told.err) == (2, True)
