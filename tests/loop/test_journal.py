"""The journal survives a crash in the middle of a line, a full disk, and a clock that is set back."""

import resource
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from scenes import Clock, journal

from noria.loop import Journal
from noria.system.workspace import PROJECT
from tests.errors_raised import raises


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    one = journal(tmp_path)
    one.append("look", outcome="ok", version="3", why=["All is well."])
    one.append("decision", name="nothing", evidence={"gain": None, "moved": ["tenure"]})
    assert Journal(one.file).entries == one.entries


def test_a_line_that_was_cut_short_is_left_out_and_the_next_one_is_whole(tmp_path: Path) -> None:
    one = journal(tmp_path)
    for number in range(3):
        one.append("look", outcome="ok", version=str(number))
    text = one.file.read_bytes()
    for cut in range(1, len(text.splitlines()[-1]) + 1):
        one.file.write_bytes(text[:-cut])
        again = Journal(one.file)
        read = [each.version for each in again.entries]
        assert read in (["0", "1"], ["0", "1", "2"])
        again.append("look", outcome="ok", version="next")
        assert [each.version for each in Journal(one.file).entries] == [*read, "next"]
        assert [each.seq for each in Journal(one.file).entries] == list(range(1, len(read) + 2))


def test_waits_are_counted_on_when_the_clock_is_set_back(tmp_path: Path) -> None:
    clock = Clock()
    one = journal(tmp_path, clock)
    begun = one.append("look")
    clock.forward(hours=5)
    one.append("look")
    clock.forward(days=-400)
    assert one.clock_went_back == timedelta(days=400)
    assert one.elapsed(begun) == timedelta(hours=5), "a step back is no time"
    one.append("look")
    clock.forward(hours=2)
    assert one.elapsed(begun) == timedelta(hours=7), "and the wait goes on at once"
    assert [each.seq for each in one.entries] == [1, 2, 3]


_FULL = """
import resource, signal, sys
from pathlib import Path
from noria.loop import Journal
from noria.system.errors import NoriaError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(Path(sys.argv[1]))
journal.append("look", version="whole")
size = journal.file.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
try:
    journal.append("look", version="does not fit")
except NoriaError as error:
    print(error.code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append("look", version="fits again")
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system has no limit of file sizes")
def test_a_full_disk_is_an_error_and_leaves_no_half_line(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    done = subprocess.run([sys.executable, "-c", _FULL, file], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["loop.journal_unwritable"]
    assert [each.version for each in Journal(file).entries] == ["whole", "fits again"]


def test_a_journal_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "loop").write_text("a file where the folder should be")
    with raises("loop.journal_unwritable"):
        journal(tmp_path).append("look")
