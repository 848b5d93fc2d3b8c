"""The log of a server is bounded while the server runs."""

import logging
from pathlib import Path

import pytest

from noria.deployment.server_log import fresh_log, last_lines
from noria.system.log_rotation import older_log, rotate_log
from service.http.log_limit import RepeatFilter


def test_a_log_is_rotated_while_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    with fresh_log(path) as written:
        for number in range(100):
            written.write(b"line %d\n" % number)
            written.flush()
            rotate_log(path, longest=200)
    assert path.stat().st_size < 300
    assert older_log(path).stat().st_size < 300
    assert b"\0" not in path.read_bytes(), "a writer that does not append leaves a hole"
    assert last_lines(path).endswith("line 99")
    assert {one.name for one in tmp_path.iterdir()} == {"server.log", "server.log.1"}


def test_what_is_short_or_not_there_stays_as_it_is(tmp_path: Path) -> None:
    assert not rotate_log(tmp_path / "server.log")
    (tmp_path / "server.log").write_text("short")
    assert not rotate_log(tmp_path / "server.log")


def test_a_line_that_repeats_is_counted_instead(caplog: pytest.LogCaptureFixture) -> None:
    logger, repeats = logging.getLogger("test.repeats"), RepeatFilter(most=2, window_s=0.2)
    logger.addFilter(repeats)
    for number in range(50):
        logger.warning("bad request %d", number)
    logger.warning("something else")
    assert len(caplog.records) == 3
    repeats._window_s = 0.0
    logger.warning("bad request %d", 50)
    assert "48" in caplog.records[-1].getMessage()
