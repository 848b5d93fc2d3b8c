"""Locks between real processes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from noria.system.locks import exclusive, wait_lock
from noria.system.workspace import PROJECT, Workspace
from tests.errors_raised import raises

HOLD = """
import sys
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
with exclusive("train", Workspace(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
COUNT = """
import sys, time
from pathlib import Path
from noria.system.locks import wait_lock
from noria.system.workspace import Workspace
for _ in range(20):
    with wait_lock("setup", Workspace("zenml")):
        file = Path(sys.argv[1])
        number = int(file.read_text())
        time.sleep(0.002)
        file.write_text(str(number + 1))
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@contextmanager
def held(use_case: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of `train`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, use_case], cwd=PROJECT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_second_is_refused_by_name() -> None:
    with held("churn") as other:
        refused = raises("workspace.locked", "`train`", "churn", f"process {other.pid}")
        with refused, exclusive("train", Workspace("churn")):
            raise AssertionError("must not get here")
        with exclusive("deploy", Workspace("churn")), exclusive("train", Workspace("bikes")):
            pass  # other actions and other use cases are free
        other.communicate()  # it ends
        with exclusive("train", Workspace("churn")):
            pass


def test_a_killed_process_holds_nothing(home: Path) -> None:
    with held("churn") as other:
        other.kill()
        other.wait()
        assert (home / "churn" / "train.pid").read_text() == str(other.pid)
        with exclusive("train", Workspace("churn")):
            pass
    assert not (home / "churn" / "train.pid").exists()


def test_an_error_frees_the_lock() -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), exclusive("train", Workspace("churn")):
            raise ZeroDivisionError


def test_a_lock_that_cannot_be_written_is_said(home: Path) -> None:
    (home / "churn" / "train.lock").mkdir(parents=True)
    refused = raises("workspace.lock_unwritable", "`train`")
    with refused as caught, exclusive("train", Workspace("churn")):
        raise AssertionError("must not get here")
    assert caught.value.where == str(home / "churn" / "train.lock")


def test_processes_go_in_turn(tmp_path: Path) -> None:
    file = tmp_path / "number"
    file.write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", COUNT, str(file)], cwd=PROJECT) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert file.read_text() == "60"
    with wait_lock("setup", Workspace("zenml")):
        time.sleep(0)
