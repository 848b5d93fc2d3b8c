"""A file of variables says the same to a shell and to Noria, and to nobody else."""

import stat
import subprocess
from pathlib import Path

import pytest

from app.servers.env_files import read, write
from tests.errors_raised import raises

PLAIN = {
    "KEY": "ZENKEY_eyJpZCI6IjEyMyJ9+/==",
    "URL": "postgresql+psycopg://noria@127.0.0.1:5432/noria",
    "IMAGE": "registry.example:5000/noria-service:1-0f3a@sha256:00ff",
}
ODD = {
    "TWO": "two words ",
    "SHELL": "$HOME `id` $(id) ${KEY}",
    "REST": 'say "#1" & go; a#b # c ~ * !',
    "WORD": "größer",
}


def by_shell(path: Path, name: str) -> str:
    said = subprocess.run(
        ["sh", "-c", f'set -a; . "{path}"; printenv {name}'], capture_output=True, text=True, check=True
    )
    return said.stdout.removesuffix("\n")


def test_what_is_written_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "made" / "some.env"
    write(path, PLAIN | ODD | {"EMPTY": ""})
    assert read(path) == PLAIN | ODD
    assert {name: by_shell(path, name) for name in PLAIN | ODD} == PLAIN | ODD
    assert by_shell(path, "EMPTY") == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # plain ones stand there plainly, for those who look
    assert path.read_text().splitlines()[: len(PLAIN)] == [f"{name}={value}" for name, value in PLAIN.items()]


def test_what_a_person_wrote_is_read_as_a_shell_does(tmp_path: Path) -> None:
    path = tmp_path / "some.env"
    path.write_text("# of the office\n\nexport A='1 2'\nB=\"3 #4\"\nC=5 # five\nD=\nA=6=7\n")
    assert read(path) == {"A": "6=7", "B": "3 #4", "C": "5"}
    assert {name: by_shell(path, name) for name in "ABC"} == read(path)


@pytest.mark.parametrize("value", ["it's", "a\\b", "two\nlines"])
def test_what_would_not_be_read_alike_is_not_written(value: str, tmp_path: Path) -> None:
    path = tmp_path / "some.env"
    with raises("platform.value_not_portable", "SECRET") as refused:
        write(path, PLAIN | {"SECRET": value})
    assert value not in str(refused.value)
    assert not path.exists()


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert read(tmp_path / "none.env") == {}
