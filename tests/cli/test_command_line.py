"""The command line as a user meets it: help, mistakes, and what every command says in the end."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.command_result import CommandResult
from app.commands import cycle
from cli.main import app
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT
from tests.small_cases import churn_table, small_case, write_config

Command = Callable[..., Any]
COMMANDS = [str(each.callback.__name__) for each in app.registered_commands if each.callback]
REQUIRED = {
    "new": ["--data", "data/telco_churn.csv", "--target", "churn"],
    "predict": ["--input", "rows.csv"],
    "replay": ["--from", "2013-03-01", "--to", "2013-04-01"],
    "forget": ["--entity", "C-1017"],
}
TAKE_A_CONFIG = [name for name in COMMANDS if name not in ("new", "platform", "image", "images")]
HEAVY = {"zenml", "mlflow", "bentoml", "evidently", "pandas", "numpy", "sklearn", "xgboost", "pydantic", "sqlalchemy"}


@pytest.fixture(autouse=True)
def home(pipeline_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NORIA_HOME", str(pipeline_home))
    return pipeline_home


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A use case that nobody has trained."""
    churn_table(400).to_csv(tmp_path / "few.csv", index=False)
    return write_config(small_case("never_trained", tmp_path / "few.csv"), tmp_path / "case.yaml")


def assert_told(ended: Any, *parts: str) -> None:
    """A clear error: exit code 2, what, where and fix, and no traceback."""
    assert ended.code == 2
    assert "Error" in ended.err
    assert "where" in ended.err or "fix" in ended.err
    assert "Traceback" not in ended.out + ended.err
    for part in parts:
        assert part in ended.err


def test_all_commands_are_there() -> None:
    wanted = "demo new explore train deploy promote rollback traffic predict monitor watch history replay label"
    wanted += " cycle status forget stop dashboard platform image images"
    assert sorted(COMMANDS) == sorted(wanted.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_by_example(command: Command, name: str) -> None:
    ended = command(name, "--help")
    assert ended.code == 0
    assert f"Example: python run.py {name}" in ended.out
    assert command(name, "-h").out == ended.out


def test_without_arguments_the_help_is_shown(command: Command) -> None:
    ended = command()
    assert ended.code == 0
    assert ended.out.strip() == command("--help").out.strip()
    for name in COMMANDS:
        assert name in ended.out
    assert "python run.py --config configs/my.yaml" in ended.out


@pytest.mark.parametrize(
    ("arguments", "allowed"), [(["--help"], set()), (["train", "--help"], {"pydantic"})], ids=["all", "one"]
)
def test_help_imports_nothing_heavy(arguments: list[str], allowed: set[str]) -> None:
    """Typer itself checks the options before a command by Pydantic."""
    script = (
        "import json, runpy, sys\n"
        "sys.argv = ['run.py', *json.loads(sys.argv[1])]\n"
        "try: runpy.run_path('run.py', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print('modules', json.dumps(list(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, json.dumps(arguments)],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {name.partition(".")[0] for name in json.loads(told.stdout.rpartition("modules ")[2])}
    assert imported & HEAVY <= allowed


@pytest.mark.parametrize(
    "arguments",
    [
        ["trian"],
        ["train", "--konfig", "x.yaml"],
        ["--konfig"],
        ["train", "stray"],
        ["predict"],
        ["new", "--data", "x.csv"],
    ],
    ids=" ".join,
)
def test_a_mistyped_command_or_option_ends_with_2(command: Command, arguments: list[str]) -> None:
    ended = command(*arguments)
    assert ended.code == 2
    assert "run.py" in ended.err
    assert "--help" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("name", TAKE_A_CONFIG)
def test_a_missing_config_is_said(command: Command, name: str, tmp_path: Path) -> None:
    missing = tmp_path / "nothing.yaml"
    ended = command(name, *REQUIRED.get(name, []), "--config", missing)
    assert_told(ended, "config.file_not_found", str(missing), "fix")
    assert ended.out == ""


@pytest.mark.parametrize("name", TAKE_A_CONFIG)
def test_a_mistake_in_the_config_is_said(command: Command, name: str, config: Path) -> None:
    config.write_text(config.read_text(encoding="utf-8").replace("folds:", "fold:"), encoding="utf-8")
    ended = command(name, *REQUIRED.get(name, []), "--config", config)
    assert_told(ended, "config.invalid", "`models.fold`", "did you mean `folds`?", str(config))


@pytest.mark.parametrize("content", [b"name: [unclosed", b"\xff\xfe\x00", b"", b"- a\n- b\n"])
def test_a_config_that_is_no_use_case_is_said(command: Command, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    assert_told(command("train", "--config", path), str(path))
    assert_told(command("--config", path), str(path))
    assert_told(command("train", "--config", tmp_path), str(tmp_path))


def test_new_needs_a_table(command: Command, tmp_path: Path) -> None:
    missing = tmp_path / "nothing.csv"
    ended = command("new", "--data", missing, "--target", "y", "--output", tmp_path / "new.yaml")
    assert_told(ended, str(missing))
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback(command: Command, tmp_path: Path) -> None:
    for arguments in (["--debug", "status"], ["status", "--debug"]):
        ended = command(*arguments, "--config", tmp_path / "nothing.yaml")
        assert ended.code == 2
        assert "Traceback" in ended.err
        assert "load_use_case" in ended.err
        assert "config file not found" in ended.err


def test_an_unforeseen_error_is_told_without_a_traceback(
    command: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("[red]division[/] by zero")

    monkeypatch.setattr("app.commands.explore.explore", fail)
    ended = command("explore", "--config", config)
    assert ended.code == 1
    assert "Unexpected error  ZeroDivisionError: [red]division[/] by zero" in ended.err
    assert "--debug" in ended.err
    assert "Traceback" not in ended.err
    shown = command("explore", "--config", config, "--debug")
    assert shown.code == 1
    assert "Traceback" in shown.err


@pytest.mark.parametrize("name", ["train", "status", "deploy"])
def test_a_workspace_that_cannot_be_written_is_said(
    command: Command, config: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "file" / "noria"))
    assert_told(command(name, "--config", config), str(tmp_path / "file" / "noria"), "NORIA_HOME")


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["deploy", "predict", "monitor"])
def test_what_needs_a_model_says_so_before_training(command: Command, config: Path, home: Path, name: str) -> None:
    needed = ["--input", config.parent / "few.csv", "--output", config.parent / "out.parquet"]
    ended = command(name, "--config", config, *(needed if name == "predict" else []))
    assert_told(ended, "registry.champion_missing", "`never_trained`", "python run.py train")
    assert not (config.parent / "out.parquet").exists()
    assert not (home / "never_trained" / "service" / "state.json").exists()


def test_status_and_stop_where_nothing_runs(command: Command, config: Path, home: Path) -> None:
    told = command("status", "--config", config)
    assert told.code == 0
    assert "never_trained is not deployed on this machine." in told.out
    assert f"next  NORIA_HOME={home} python run.py deploy --config {config}" in told.out
    stopped = command("stop", "--config", config)
    assert stopped.code == 0
    assert "Nothing was running on this machine." in stopped.out


def test_a_config_before_the_command_counts(command: Command, config: Path) -> None:
    assert "never_trained is not deployed on this machine." in command("--config", config, "status").out


def test_a_config_without_a_command_is_the_cycle(
    command: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Train, deploy and monitor, in this order, on the same stack."""
    calls: list[tuple[object, ...]] = []
    outcome = CommandResult("Done.", [("fact", "known")])

    def note(name: str) -> Callable[..., Any]:
        return lambda use_case, *given: calls.append((name, use_case.name, *given)) or outcome

    for name in ("train", "deploy", "monitor"):
        monkeypatch.setattr(cycle, name, note(name))
    short = command("--config", config, "--stack", "mine")
    turn = [
        ("train", "never_trained", "mine"),
        ("deploy", "never_trained", "mine"),
        ("monitor", "never_trained", None, "mine"),
    ]
    assert calls == turn
    long = command("cycle", "--config", config, "--stack", "mine")
    assert calls == turn * 2
    assert (short.code, short.out) == (long.code, long.out) == (0, long.out)
    assert "Done. Done. Done." in short.out


def test_a_cycle_ends_where_training_fails(command: Command, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise NoriaError("the table is empty", code="test.example", fix="fill it")

    def never(*_: object) -> None:
        raise AssertionError("must not run")

    monkeypatch.setattr(cycle, "train", fail)
    monkeypatch.setattr(cycle, "deploy", never)
    assert_told(command("cycle", "--config", config), "the table is empty", "fill it")


def test_exit_codes_leave_the_process() -> None:
    for arguments, code in ((["status", "--config", "nothing.yaml"], 2), (["trian"], 2), (["--help"], 0)):
        ended = subprocess.run(
            [sys.executable, "run.py", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
        )
        assert ended.returncode == code
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("name", "option"), [("predict", "--input"), ("monitor", "--labels"), ("label", "--import")])
def test_a_mistyped_path_is_told_before_anything_is_started(
    command: Command, config: Path, name: str, option: str
) -> None:
    ended = command(name, "--config", config, option, config.parent / "nothing.csv")
    assert_told(ended, "data.file_not_found", f"{option} {config.parent / 'nothing.csv'}")
    assert "starting ZenML" not in ended.err


def test_a_target_that_predict_refuses_is_told_before_anything_is_started(command: Command) -> None:
    ended = command("predict", "--input", "data/telco_churn.csv", "--output", "answers.xlsx")
    assert ended.code == 2
    assert "batch.target_format_unknown" in ended.err
    assert "starting ZenML" not in ended.out


@pytest.mark.parametrize("option", [["--by", "Ann"], ["--resolve", "majority"]])
def test_options_about_answers_need_answers(command: Command, config: Path, option: list[str]) -> None:
    assert_told(command("label", "--config", str(config), *option), "cli.import_missing", "--import")


def test_label_refuses_a_stack_that_does_not_exist(command: Command, config: Path) -> None:
    assert_told(command("label", "--config", str(config), "--stack", "nowhere"), "stack.", "nowhere")
