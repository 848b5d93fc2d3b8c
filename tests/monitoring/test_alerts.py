"""What an alert says, and which verdicts are worth one."""

from datetime import timedelta

import pytest

from noria.evaluation.results import GateVerdict
from noria.monitoring.alerts import failure_alert, gate_alert, is_worth_alerting, monitoring_alert
from noria.monitoring.results import PerformanceResult
from noria.monitoring.verdict import Level, MonitoringVerdict
from noria.system.command_hints import CommandHints
from noria.system.errors import NoriaError
from tests.monitoring.served import NOW


def verdict(
    level: Level = "watch", hour: float = 0, *, confident: bool = True, version: str = "1"
) -> MonitoringVerdict:
    return MonitoringVerdict(
        use_case="telco_churn",
        version=version,
        at=NOW + timedelta(hours=hour),
        since=NOW - timedelta(days=30),
        verdict=level,
        confident=confident,
        reasons=[f"Reason {number}. " + "x" * 500 * (number == 2) for number in range(1, 6)],
        next_action="Look at it.",
        next_command="python run.py dashboard",
        drift=None,
        performance=PerformanceResult(labels=0, unusable=0, waiting=0, overdue=0, metric=None, worth=None, target=None),
    )


def test_a_verdict_says_what_was_found_why_and_what_to_do() -> None:
    first, *reasons, action, command = monitoring_alert(verdict(version="7")).splitlines()
    assert first == "telco_churn: attention, a person should look (version 7)"
    assert [each[:10] for each in reasons] == ["• Reason 1", "• Reason 2", "• Reason 3"]
    assert max(map(len, reasons)) < 410
    assert (action, command) == ("Look at it.", "python run.py dashboard")
    assert "time to train again" in monitoring_alert(verdict("retrain"))
    assert "data look broken" in monitoring_alert(verdict("fix_data"))
    assert "all is well" in monitoring_alert(verdict("ok"))
    assert "labels are needed" in monitoring_alert(verdict("ok", confident=False))


@pytest.mark.parametrize(
    ("newest", "earlier", "told"),
    [
        (verdict("ok"), [], False),
        (verdict("ok", confident=False), [], True),
        (verdict("watch"), [], True),
        (verdict("retrain", 1), [verdict("watch")], True),
        (verdict("ok", 1), [verdict("watch")], True),
        (verdict("ok", 30), [verdict("ok")], False),
        (verdict("watch", 1), [verdict("watch")], False),
        (verdict("watch", 1, version="2"), [verdict("watch")], True),
        (verdict("watch", 24), [verdict("ok", -1), *(verdict("watch", hour) for hour in range(24))], True),
        (verdict("watch", 25), [verdict("ok", -1), *(verdict("watch", hour) for hour in range(25))], False),
        (verdict("watch", 31), [verdict("watch"), verdict("ok", 20), verdict("watch", 30)], False),
    ],
)
def test_a_verdict_is_told_when_it_is_new_and_then_once_a_day(
    newest: MonitoringVerdict, earlier: list[MonitoringVerdict], told: bool
) -> None:
    assert is_worth_alerting(newest, earlier) is told


def test_a_promoted_model_is_no_alert_and_every_other_end_is() -> None:
    def gate(promote: str) -> str:
        told = GateVerdict(promote=promote, candidate="tree", reason="So it is.", comparisons=[], ml_needed=True)
        return gate_alert("telco_churn", "3", told)

    assert gate("challenger") == ""
    assert gate("none").startswith("telco_churn: nothing new is promoted (version 3)\nSo it is.\n")
    assert "no model beats the rules" in gate("rules")
    assert gate("rules").endswith("\npython run.py deploy")


def test_a_failure_quotes_only_what_was_written_for_people() -> None:
    told = failure_alert(
        "bike_demand", "batch_inference", "predict_file", NoriaError("no file", code="test.example", fix="name another")
    )
    assert told.splitlines() == [
        "bike_demand: `predict` failed in step `predict_file`",
        "no file",
        "To fix it: name another",
        "python run.py predict",
    ]
    assert "Jane" not in failure_alert("bike_demand", "training", "", ValueError("Jane Doe"))


def test_commands_are_for_the_use_case_the_stack_and_the_workspace_of_the_run() -> None:
    told = failure_alert(
        "bikes", "training", "", NoriaError("say python run.py train --config x to nobody", code="test.example")
    )
    hints = CommandHints("out/my bikes.yaml", "my team", "/srv/noria")
    first, reason, command = hints.complete(told).splitlines()
    assert first == "bikes: `train` failed"
    assert reason == "say NORIA_HOME=/srv/noria python run.py train --stack 'my team' --config x to nobody"
    assert command == "NORIA_HOME=/srv/noria python run.py train --config 'out/my bikes.yaml' --stack 'my team'"
    assert hints.complete("python run.py dashboard") == (
        "NORIA_HOME=/srv/noria python run.py dashboard --config 'out/my bikes.yaml'"
    )
