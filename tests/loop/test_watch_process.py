"""`watch` as a process: a second one is refused while it waits, and Ctrl-C ends it tidily."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from noria.loop import Journal, journal_file
from noria.system.locks import holder
from noria.system.workspace import PROJECT, Workspace
from tests.small_cases import small_case, write_config

pytestmark = pytest.mark.e2e
_LOOKED_S = 240.0


def test_one_process_watches_and_ctrl_c_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    environment = {name: value for name, value in os.environ.items() if name != "ZENML_CONFIG_PATH"}
    workspace = Workspace("waiting_case")
    Journal(journal_file(workspace)).append("look", outcome="ok", version="1")  # it was deployed once
    config = write_config(small_case("waiting_case", tmp_path / "few.csv"), tmp_path / "case.yaml")
    command = [sys.executable, "run.py", "watch", "--config", str(config), "--every", "1h"]
    with (tmp_path / "log").open("w") as log:
        first = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
    try:
        _wait_for_a_look(workspace, first)
        second = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        assert (second.returncode, "workspace.locked" in second.stderr) == (2, True), second.stderr
        assert holder("watch", workspace) == first.pid
        first.send_signal(signal.SIGINT)
        assert first.wait(timeout=60) == 128 + signal.SIGINT
    finally:
        first.kill()
        first.wait()
    said = (tmp_path / "log").read_text()
    assert "this look failed" in said and "look at" in said and "Stopped." in said and "Traceback" not in said
    assert holder("watch", workspace) is None
    assert not (workspace.folder / "watch.pid").exists()


def _wait_for_a_look(workspace: Workspace, process: "subprocess.Popen[bytes]") -> None:
    """Its look fails, for no model was promoted in this workspace; then it waits for the next one."""
    until = time.monotonic() + _LOOKED_S
    while time.monotonic() < until and process.poll() is None:
        if any(each.kind == "look_failed" for each in Journal(journal_file(workspace)).entries):
            time.sleep(2)  # it reports the failure, and begins to wait
            return
        time.sleep(0.5)
    raise AssertionError("it has not looked")
