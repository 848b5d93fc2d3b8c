"""`watch`: one process, refuses what it cannot watch, survives looks that fail, and sends each message once."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scenes import Clock, verdict
from world import BY_ITSELF, Service

from app.commands.history import history
from app.commands.loop_facts import loop_facts
from app.commands.watch import watch
from app.loop import look, messenger
from app.loop.look import Loop
from app.loop.trainer import TrainedVersion
from noria.config import UseCase
from noria.config.loop import LoopAlerts, LoopConfig, RolloutRoute
from noria.loop import Journal, LoopState, channels, journal_file
from noria.monitoring.causes import Cause
from noria.monitoring.results import PreviousComparison
from noria.monitoring.verdict import MonitoringVerdict
from noria.monitoring.verdict_history import append, history_file
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from tests.conftest import Command
from tests.errors_raised import raises
from tests.small_cases import small_case, write_config


class Trainings:
    """Trainings that end as a test says."""

    def __init__(self) -> None:
        self.ends: list[TrainedVersion | Exception] = []
        self.begun = 0

    def find(self, action: str) -> None:
        return None

    def train(self, action: str) -> TrainedVersion:
        self.begun += 1
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    def has_new_data(self) -> bool:
        return True


class Scene:
    """A loop whose service, trainings, verdicts and channel are a test's."""

    def __init__(self, use_case: UseCase, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.use_case, self.clock, self.trainings = use_case, Clock(), Trainings()
        self.verdicts: list[MonitoringVerdict | Exception] = []
        self.posted: list[str] = []
        (folder / "service").mkdir()
        self.service = Service(folder / "service")
        patch.setattr(look, "LocalService", lambda use_case, stack: self.service)
        patch.setattr(look, "Trainer", lambda *_: self.trainings)
        patch.setattr(look, "run_monitoring", lambda *_, **__: (self._next(), SimpleNamespace(name="monitoring-run")))
        patch.setattr(Loop, "_record", lambda *_: None)
        patch.setattr(messenger.Messenger, "_post_to_stack", lambda self, text: None)
        self._patch, self._send = patch, channels.send
        patch.setattr(channels, "send", lambda urls, text: self.posted.append(text) or True)

    def send_for_real(self) -> None:
        """To the addresses of the use case."""
        self._patch.setattr(channels, "send", self._send)

    def _next(self) -> MonitoringVerdict:
        found = self.verdicts.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def journal(self) -> Journal:
        return Journal(journal_file(Workspace(self.use_case.name)), self.clock)

    def look(self, found: MonitoringVerdict | Exception, **config: Any) -> Any:
        """One look in a new process, so to speak."""
        self.verdicts.append(found)
        case = self.use_case.model_copy(update={"loop": LoopConfig(**config)})
        return Loop(case, None, self.journal).look()

    @property
    def titles(self) -> list[str]:
        return [text.partition("\n")[0] for text in self.posted]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseCase:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    return small_case("watched_case", tmp_path / "few.csv")


@pytest.fixture
def scene(case: UseCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(case, tmp_path, monkeypatch)


WINDOW = "the last 60 days: better than all rows by 0.02 ± 0.005 in roc_auc"


def trained(promote: str, version: str = "2") -> TrainedVersion:
    return TrainedVersion(version, "tree", promote, f"the gate said {promote}", "training-run", "report.html", WINDOW)


def test_a_second_watch_says_so_and_ends_with_2(case: UseCase, tmp_path: Path, command: Command) -> None:
    config = write_config(case, tmp_path / "case.yaml")
    with exclusive("watch", Workspace(case.name)):
        ended = command("watch", "--config", config, "--once")
    assert ended.code == 2
    assert "workspace.locked" in ended.err and "another `watch`" in ended.err


def test_watch_before_the_first_deploy_says_what_to_do_and_ends_with_2(
    case: UseCase, tmp_path: Path, command: Command
) -> None:
    ended = command("watch", "--config", write_config(case, tmp_path / "case.yaml"), "--every", "30m")
    assert ended.code == 2
    assert "loop.nothing_deployed" in ended.err and "python run.py deploy" in ended.err
    assert not journal_file(Workspace(case.name)).exists()


@pytest.mark.parametrize("every", ["soon", "10", "0s", "-1h", "400d", "1 h 30"])
def test_a_time_that_cannot_be_read_is_an_error(case: UseCase, every: str) -> None:
    with raises("loop.interval_invalid"):
        watch(case, None, every=every, once=True)


def test_addresses_are_checked_before_the_first_look(case: UseCase, monkeypatch: pytest.MonkeyPatch) -> None:
    def checked(url: str) -> str:
        loop = LoopConfig(alert=LoopAlerts(urls=[url]))
        with pytest.raises(NoriaError) as caught:
            watch(case.model_copy(update={"loop": loop}), None, once=True)
        return caught.value.code

    monkeypatch.delenv("CHANNEL", raising=False)
    assert checked("${env:CHANNEL}") == "config.variable_unset"
    assert checked("not an address") == "loop.alert_address_invalid"
    assert checked("https://hooks.example.com/secret") == "loop.nothing_deployed", "a webhook needs nothing"


def test_a_look_that_fails_is_told_once_and_the_next_one_goes_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.look(verdict("ok"))
    broken = NoriaError("the store is away", code="predictions.store_unavailable")
    scene.verdicts += [broken, broken, RuntimeError("unforeseen"), verdict("ok")]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch(scene.use_case, None, every="30m", sleep=sleep)
    assert slept == [1800.0] * 4
    assert sum("could not look" in title for title in scene.titles) == 2, "one for each kind of failure"
    looks = [(each.kind, each.outcome) for each in scene.journal.entries if each.kind.startswith("look")]
    assert looks == [("look", "ok"), *[("look_failed", "")] * 3, ("look", "ok")]
    with raises("predictions.store_unavailable"):
        scene.verdicts.append(broken)
        watch(scene.use_case, None, once=True)


def test_by_default_it_trains_and_proposes_the_way_into_service(scene: Scene) -> None:
    scene.trainings.ends = [trained("challenger")]
    result = scene.look(verdict("retrain"))
    assert (result.decision.action, result.decision.mode) == ("introduce", "propose")
    assert result.decision.command == "python run.py traffic --shadow 2"
    assert scene.service.plan().champion.version == "1" and len(scene.service.plan().variants) == 1
    for _ in range(3):
        scene.clock.forward(hours=1)
        assert scene.look(verdict("retrain")).decision.action == "introduce"
    assert scene.trainings.begun == 1, "never twice the same training"
    assert scene.titles == ["watched_case: a new version can go into service (version 2)"]
    scene.clock.forward(hours=22)
    scene.look(verdict("retrain"))
    assert len(scene.titles) == 2, "once a day again while it waits"


def test_by_itself_it_brings_a_version_into_service(scene: Scene) -> None:
    scene.trainings.ends = [trained("challenger")]
    by_itself = {"actions": BY_ITSELF, "route": RolloutRoute(shadow_hours=2)}
    scene.look(verdict("retrain"), **by_itself)
    assert [(each.version, each.shadow) for each in scene.service.plan().variants[1:]] == [("2", True)]
    scene.clock.forward(hours=1)
    assert scene.look(verdict("retrain"), **by_itself).decision is None, "nothing is decided meanwhile"
    scene.clock.forward(hours=1.1)
    scene.look(verdict("ok", version="2"), **by_itself)
    assert (scene.service.plan().champion.version, scene.service.registered) == ("2", "2")
    assert scene.titles == ["watched_case: a new champion answers (version 2)"]
    assert scene.service.plan().canary is None


def test_where_an_image_must_be_built_it_trains_and_proposes(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "backend_of", lambda stack: SimpleNamespace(is_local=False))
    scene.trainings.ends = [trained("challenger")]
    result = scene.look(verdict("retrain"), actions=BY_ITSELF)
    assert (result.decision.action, result.decision.mode) == ("introduce", "propose")
    assert result.decision.command == "python run.py promote --version 2"
    assert scene.service.plan().champion.version == "1"


@pytest.mark.parametrize(
    ("end", "title"),
    [
        (trained("none"), "the retraining found nothing better, the champion stays"),
        (NoriaError("no space is left", code="workspace.file_unwritable"), "the retraining failed, the champion stays"),
        (MemoryError(), "the retraining failed, the champion stays"),
    ],
    ids=["lost", "failed", "broke"],
)
def test_a_retraining_that_loses_or_fails_leaves_the_champion_and_is_told(
    scene: Scene, end: TrainedVersion | Exception, title: str
) -> None:
    scene.trainings.ends = [end]
    scene.look(verdict("retrain"))
    assert scene.service.plan().champion.version == scene.service.registered == "1"
    assert [title in each for each in scene.titles] == [True]
    scene.clock.forward(hours=1)
    again = scene.look(verdict("retrain"))
    assert (again.decision.action, again.decision.why[-1].rule) == ("alert", "fruitless")
    assert "did not help" in again.decision.reason and scene.trainings.begun == 1


def test_rules_that_suffice_are_proposed(scene: Scene) -> None:
    scene.trainings.ends = [trained("rules")]
    scene.look(verdict("retrain"))
    again = scene.look(verdict("retrain"))
    assert (again.decision.action, again.decision.mode) == ("fall_back_to_rules", "propose")
    assert again.decision.command == "python run.py promote --version rules"


def worse_than(version: str) -> dict[str, Any]:
    """What a verdict holds where the model before would have decided better."""
    previous = PreviousComparison(version=version, model=500.0, previous=900.0, low=-500.0, high=-300.0, worse=True)
    sentence = f"Version {version} would do better."
    return {
        "previous": previous,
        "causes": [Cause(kind="worse_than_previous", severity="watch", sentence=sentence)],
    }


def test_a_version_that_is_worse_than_the_one_before_is_rolled_back(scene: Scene) -> None:
    scene.look(verdict("watch", version="1", **worse_than("0")), actions=BY_ITSELF)
    assert (scene.service.plan().champion.version, scene.service.registered) == ("0", "0")
    assert scene.titles == ["watched_case: rolled back"]


def test_two_versions_do_not_take_turns_while_the_world_becomes_worse(scene: Scene) -> None:
    scene.look(verdict("watch", version="1", **worse_than("0")), actions=BY_ITSELF)
    again = scene.look(verdict("watch", version="0", **worse_than("1")), actions=BY_ITSELF)
    assert again.decision.action != "roll_back"
    assert scene.service.plan().champion.version == "0"


def test_a_person_who_takes_the_new_version_out_ends_the_rollout(scene: Scene) -> None:
    scene.trainings.ends = [trained("challenger")]
    by_itself = {"actions": BY_ITSELF, "route": RolloutRoute(shadow_hours=2)}
    scene.look(verdict("retrain"), **by_itself)
    scene.service.withdraw("2")
    scene.clock.forward(hours=1)
    scene.look(verdict("ok"), **by_itself)
    actions = LoopState.of(scene.journal).actions
    assert [(each.name, each.outcome) for each in actions] == [("retrain", "done"), ("introduce", "lost")]


def test_a_training_by_hand_is_waited_for(scene: Scene) -> None:
    busy = NoriaError("another `train` is running", code="workspace.locked")
    scene.trainings.ends = [busy, trained("none")]
    scene.look(verdict("retrain"))
    assert LoopState.of(scene.journal).open is not None and scene.titles == []
    scene.look(verdict("retrain"))
    assert LoopState.of(scene.journal).actions[0].outcome == "lost"


def test_a_clock_that_is_set_back_neither_stops_the_loop_nor_shortens_a_rest(scene: Scene) -> None:
    scene.trainings.ends = [trained("none"), trained("none", "3")]
    scene.look(verdict("retrain"), cooldown_days=1)
    scene.clock.forward(days=-300)
    assert scene.look(verdict("retrain"), cooldown_days=1).decision.why[-1].rule == "fruitless"
    scene.clock.forward(days=2.1)
    assert scene.look(verdict("retrain"), cooldown_days=1).decision.action == "retrain"
    assert scene.trainings.begun == 2
    assert [each.seq for each in scene.journal.entries] == list(range(1, len(scene.journal.entries) + 1))


def test_status_and_history_show_where_the_loop_stands(scene: Scene) -> None:
    assert loop_facts(scene.use_case) == []
    assert "has not looked yet" in history(scene.use_case).headline
    scene.trainings.ends = [trained("none")]
    scene.look(verdict("ok"))
    scene.look(verdict("retrain"))
    facts = dict(loop_facts(scene.use_case))
    assert "not watching" in facts["loop"] and "retrain" in facts["last look"] and "retrain" in facts["decision"]
    shown = history(scene.use_case)
    said = " ".join(str(value) for _, value in shown.facts)
    assert "2 looks" in shown.headline and "train done" in said and "retrain lost" in said
    assert "ZenML training-run" in said and "verdict retrain" in said
    assert ("learned from", WINDOW) in shown.facts
    with exclusive("watch", Workspace(scene.use_case.name)):
        assert "watching (process" in dict(loop_facts(scene.use_case))["loop"]


def test_the_next_look_is_shown_while_it_watches(scene: Scene) -> None:
    scene.verdicts.append(verdict("ok"))
    Loop(scene.use_case, None, scene.journal, every=timedelta(hours=2)).look()
    with exclusive("watch", Workspace(scene.use_case.name)):
        assert dict(loop_facts(scene.use_case))["next look"] == "2026-05-01 14:00 UTC"


class Hook(BaseHTTPRequestHandler):
    """Takes messages as the webhook of a chat does, or refuses them."""

    taken: list[dict[str, str]] = []
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.end_headers()
        if self.status == 200:
            self.taken.append(json.loads(body))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.taken, Hook.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def test_a_message_that_does_not_arrive_is_sent_again_and_one_that_did_is_not(
    scene: Scene, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.send_for_real()
    monkeypatch.setenv("HOOK", hook)
    alert = LoopAlerts(urls=["${env:HOOK}"])
    case = scene.use_case.model_copy(update={"loop": LoopConfig(alert=alert)})

    def looked() -> int:
        scene.verdicts.append(verdict("watch"))
        Loop(case, None, scene.journal).look()
        return len(Hook.taken)

    Hook.status = 500
    assert looked() == 0
    Hook.status = 200
    assert [looked(), looked()] == [1, 1]
    assert Hook.taken[0]["text"].startswith("watched_case: a person should look (version 1)\n")
    assert "--config" in Hook.taken[0]["text"], "its command can be copied"


def test_the_monitoring_page_tells_what_the_look_has_done(scene: Scene) -> None:
    workspace = Workspace(scene.use_case.name)
    scene.trainings.ends = [trained("none")]
    found = verdict("retrain")
    append(history_file(workspace), found)

    scene.look(found, actions=BY_ITSELF)

    page = (workspace.monitoring / "monitoring.html").read_text()
    assert "The retraining found nothing better, the champion stays" in page
    assert "No: the model should be trained again." in page
