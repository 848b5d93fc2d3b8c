"""A reader sees the old file or the new one, whatever happens to the writer."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from noria.system.errors import NoriaError
from noria.system.files import atomic_path, scratch_folder, write_text
from noria.system.workspace import PROJECT
from tests.errors_raised import raises


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "report.html"
    write_text(target, "first, with ä")
    assert target.read_text(encoding="utf-8") == "first, with ä"
    write_text(target, "second")
    assert target.read_text(encoding="utf-8") == "second"
    assert names(target.parent) == ["report.html"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


@pytest.mark.parametrize("error", [ValueError("bad row"), KeyboardInterrupt(), NoriaError("no", code="test.example")])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "report.html"
    write_text(target, "old")
    with pytest.raises(type(error)), atomic_path(target) as part:
        part.write_text("half")
        assert part.parent == target.parent
        raise error
    assert target.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["report.html"]


def test_an_error_where_there_was_no_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bad"), atomic_path(tmp_path / "report.html") as part:
        part.write_text("half")
        raise ValueError("bad")
    assert names(tmp_path) == []


def test_a_full_disk_is_said_and_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_text(target, "old")
    with raises("workspace.file_unwritable") as caught, atomic_path(target) as part:
        part.write_text("half")
        with Path("/dev/full").open("w") as full:
            full.write("x" * 100_000)
    assert str(target) in caught.value.where
    assert target.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["report.html"]


def test_a_path_below_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NoriaError) as caught:
        write_text(tmp_path / "file" / "below" / "report.html", "text")
    assert str(tmp_path / "file") in caught.value.where
    assert caught.value.fix
    assert names(tmp_path) == ["file"]


def test_a_reader_never_sees_half_of_a_file(tmp_path: Path) -> None:
    """While a process writes again and again, and is killed in the end, what is read is always whole."""
    target = tmp_path / "big.txt"
    script = (
        "import sys; from pathlib import Path; from noria.system.files import write_text\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1; write_text(Path(sys.argv[1]), str(n % 10) * 3_000_000)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, str(target)], cwd=PROJECT)
    try:
        seen: set[str] = set()
        until = time.monotonic() + 60
        while len(seen) < 4 and time.monotonic() < until:
            if target.is_file():
                text = target.read_text()
                assert len(text) == 3_000_000
                assert len(set(text)) == 1
                seen.add(text[0])
        assert len(seen) >= 4
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    assert len(target.read_text()) == 3_000_000


def test_scratch_folders_go_with_their_process(tmp_path: Path) -> None:
    assert scratch_folder().is_dir()
    told = subprocess.run(
        [sys.executable, "-c", "from noria.system.files import scratch_folder; print(scratch_folder())"],
        cwd=PROJECT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(told.stdout.strip()).parent == tmp_path
    assert names(tmp_path) == []
