"""What a process in a container reports reaches the person who started it."""

import os
import subprocess
import sys

from listening import listen

from noria.system import progress
from noria.system.workspace import PROJECT

_PROGRAM = """
from noria.system import progress
print("a library says something")
progress.tick("half of it")
progress.stage("ingest", "7 rows")
progress.warn("a column is empty")
"""


def said(**environment: str) -> str:
    told = {name: value for name, value in os.environ.items() if name != "NORIA_PROGRESS"} | environment
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=PROJECT, env=told, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_stages_and_warnings_are_relayed_and_nothing_else() -> None:
    heard: list[tuple[str, str]] = []
    listen(lambda kind, text: heard.append((kind, text)))
    progress.relay(said(NORIA_PROGRESS="1"))
    assert heard == [("stage", "ingest 7 rows"), ("warn", "a column is empty")]


def test_without_the_variable_nothing_is_printed() -> None:
    assert said() == "a library says something\n"
