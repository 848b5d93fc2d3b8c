"""Keys with their old names: files, bundles and plans written with them still load, and files are rewritten."""

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.command_result import CommandResult
from noria.bundle.manifest import Manifest
from noria.config import UseCase, load_use_case
from noria.config.migration import RENAMED, migrate_text, with_new_names
from noria.models.decision_policy import DecisionPolicy
from noria.system import progress
from noria.system.errors import NoriaError
from noria.traffic.activation import PlannedVariant, TrafficPlan, read_plan, write_plan
from noria.traffic.plan_history import earlier_plans, remember_plan
from tests.bundles import churn, make
from tests.errors_raised import raises

CHURN, BIKE = Path("configs/telco_churn.yaml"), Path("configs/bike_demand.yaml")
KEYS = {old.split(".")[1]: new.split(".")[1] for old, new in RENAMED.items()}


@pytest.fixture
def warnings() -> list[str]:
    """What is warned of from now on."""
    heard: list[str] = []
    progress.ProgressHandler(lambda kind, _, text: heard.append(text) if kind == progress.WARNING else None).attach()
    return heard


def aged(text: str) -> str:
    """The text as it was written before the keys were renamed."""
    for old, new in KEYS.items():
        text = re.sub(rf"\b{new}\b", old, text)
    return text


def aged_file(path: Path, folder: Path) -> Path:
    text = path.read_text(encoding="utf-8")
    assert aged(text) != text
    old = folder / path.name
    old.write_text(aged(text), encoding="utf-8")
    return old


@pytest.mark.parametrize("path", [CHURN, BIKE], ids=lambda path: path.stem)
def test_old_keys_work_with_one_warning(path: Path, tmp_path: Path, warnings: list[str]) -> None:
    old = aged_file(path, tmp_path)
    assert load_use_case(old) == load_use_case(path)
    assert len(warnings) == 1
    assert "\n" not in warnings[0]
    assert f"python run.py config migrate {old}" in warnings[0]
    used = [(before, after) for before, after in RENAMED.items() if before.split(".")[1] in old.read_text("utf-8")]
    assert used
    assert all(f"{before} is now {after}" in warnings[0] for before, after in used)


def test_new_keys_work_without_a_warning(warnings: list[str]) -> None:
    load_use_case(CHURN)
    assert warnings == []


@pytest.mark.parametrize("path", RENAMED)
def test_both_names_are_refused(path: str, tmp_path: Path) -> None:
    section, old = path.split(".")
    raw = yaml.safe_load(CHURN.read_text(encoding="utf-8"))
    raw[section] |= {old: raw[section].get(KEYS[old]), KEYS[old]: raw[section].get(KEYS[old])}
    file = tmp_path / "both.yaml"
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    for read in (lambda: load_use_case(file), lambda: migrate_text(file.read_text("utf-8"), str(file))):
        with pytest.raises(NoriaError) as caught:
            read()
        assert f"`{path}`" in caught.value.what
        assert f"`{RENAMED[path]}`" in caught.value.what
        assert caught.value.where == str(file)
        assert caught.value.fix
    with pytest.raises(ValueError, match=f"`{old}` is the old name of `{KEYS[old]}`"):
        UseCase.model_validate(raw)


@pytest.mark.parametrize("path", [CHURN, BIKE], ids=lambda path: path.stem)
def test_only_keys_change(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    new, changes = migrate_text(aged(text))
    assert new == text
    assert changes
    assert migrate_text(new) == (new, {})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("decision: {ask_within: 0.1} # ask_within", "decision: {review_margin: 0.1} # ask_within"),
        ('decision:\r\n  "ask_below" : 0.5\r\n', 'decision:\r\n  "review_below" : 0.5\r\n'),
        ("decision:\n  'act_above': # é\n    3", "decision:\n  'act_from': # é\n    3"),
        ("decision:\n  ? ask_within\n  : 0", "decision:\n  ? review_margin\n  : 0"),
        ('decision: {"ask\\x5fwithin": 0}', "decision: {review_margin: 0}"),
        ("\ufeffdecision:\n  ask_within: 0", "\ufeffdecision:\n  review_margin: 0"),
        ("decision: &d\n  act_above: &act_above 3", "decision: &d\n  act_from: &act_above 3"),
        ("data: {target: known_too_late}", "data: {target: known_too_late}"),
        ("data: [known_too_late]\nknown_too_late: 1", "data: [known_too_late]\nknown_too_late: 1"),
        ("features: {ask_within: 1}", "features: {ask_within: 1}"),
    ],
)
def test_keys_are_found_however_they_are_written(old: str, new: str) -> None:
    assert migrate_text(old)[0] == new


def test_a_key_that_cannot_be_renamed_is_left_and_named() -> None:
    with raises("config.migration_unsupported", "decision.ask_within"):
        migrate_text("name: &key ask_within\ndecision: {*key : 0.1}")


def test_the_command_rewrites_a_file(tmp_path: Path, command: Callable[..., Any]) -> None:
    old = aged_file(CHURN, tmp_path)
    old.chmod(0o600)
    link = tmp_path / "link.yaml"
    link.symlink_to(old)
    before = old.read_bytes()
    checked = command("config", "migrate", link, "--check")
    assert checked.code == 1
    assert "decision.ask_within" in checked.out
    assert old.read_bytes() == before
    ended = command("config", "migrate", link)
    assert ended.code == 0, ended.err
    assert "decision.review_margin" in ended.out
    assert old.read_bytes() == CHURN.read_bytes()
    assert link.is_symlink()
    assert old.stat().st_mode & 0o777 == 0o600
    for arguments in ((), ("--check",)):
        again = command("config", "migrate", link, *arguments)
        assert again.code == 0, again.err
        assert "up to date" in again.out
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.yaml", "telco_churn.yaml"]


@pytest.mark.parametrize("text", [None, "a: [", "- a", "decision: {ask_within: 0, review_margin: 0}"])
def test_the_command_refuses_what_it_cannot_read(text: str | None, tmp_path: Path, command: Callable[..., Any]) -> None:
    file = tmp_path / "bad.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    ended = command("config", "migrate", file)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert (file.read_text("utf-8") if file.exists() else None) == text


def test_an_old_manifest_loads_silently(tmp_path: Path, warnings: list[str]) -> None:
    bundle = make(churn(), "rules", tmp_path / "bundle")
    new = bundle.manifest.model_dump_json()
    assert '"review_margin"' in new
    assert "ask_within" not in new
    assert aged(new) != new
    assert Manifest.model_validate_json(aged(new)) == bundle.manifest
    assert warnings == []


def test_an_old_plan_and_its_history_load_silently(
    tmp_path: Path, warnings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    policy = DecisionPolicy(threshold=0.4, review_margin=0.1)
    variant = PlannedVariant(name="champion", bundle=tmp_path, version="1", policy=policy, policy_version="2")
    plan = TrafficPlan(variants=[variant])
    write_plan(tmp_path, plan)
    remember_plan(tmp_path, plan)
    for name in ("active.json", "history.json"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert aged(text) != text
        (tmp_path / name).write_text(aged(text), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert read_plan(tmp_path) == plan
        assert earlier_plans(tmp_path) == [plan]
    assert warnings == []
    assert json.loads(plan.model_dump_json())["variants"][0]["policy"] == {
        "threshold": 0.4, "review_margin": 0.1, "review_below": 0.0, "act_from": None,
    }  # fmt: skip


def test_a_request_may_use_old_names() -> None:
    assert with_new_names("decision", {"threshold": 0.4, "ask_within": 0.1}) == {"threshold": 0.4, "review_margin": 0.1}
    with raises("config.key_given_twice", "`ask_within`", "`review_margin`"):
        with_new_names("decision", {"ask_within": 0.1, "review_margin": 0.1})


def test_old_options_of_traffic_work_hidden_with_one_warning(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def change(_: UseCase, request: Any, *__: object) -> CommandResult:
        asked.append(request.policy)
        return CommandResult("Changed.", [])

    monkeypatch.setattr("app.commands.traffic.change_traffic", change)
    ended = command("traffic", "--config", CHURN, "--ask-within", "0.02", "--act-above", "3")
    assert ended.code == 0, ended.err
    assert asked == [{"review_margin": 0.02, "act_from": 3.0}]
    said = " ".join((ended.out + ended.err).split())
    assert said.count("Old names of options") == 1
    assert "--ask-within is now --review-margin, --act-above is now --act-from" in said
    both = command("traffic", "--config", CHURN, "--ask-within", "0.02", "--review-margin", "0.02")
    assert both.code == 2
    assert "--ask-within is the old name of --review-margin" in " ".join(both.err.split())
    told = command("traffic", "--help").out
    assert "--review-margin" in told
    assert "--ask-within" not in told
