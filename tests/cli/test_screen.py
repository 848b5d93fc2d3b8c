"""What is printed: every text as it is, results to one stream and progress to the other."""

from pathlib import Path

import pytest

from cli.console import Screen
from noria.system import progress
from noria.system.errors import NoriaError

ODD = ["[bold]not markup[/]", "a :bomb: in a path", "ends with \\", "[/]", "x" * 500]


@pytest.mark.parametrize("text", ODD)
def test_texts_are_printed_as_they_are(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.follow_progress()
    screen.title(text)
    progress.stage("split", text)
    progress.warn(text)
    screen.stopped(text)
    screen.error(NoriaError(text, code="test.example", where=text, fix=text))
    screen.unexpected(ValueError(text))
    assert capsys.readouterr().err.count(text) == 8
    screen.result(text, [("name", text), (text, 1)], following=[text])
    assert capsys.readouterr().out.count(text) == 4


def test_results_and_progress_go_different_ways(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.follow_progress()
    progress.stage("split", "3 rows")
    screen.result("Done.", [("report", Path("reports/report.html")), ("rows", 3)], following=["python run.py status"])
    told = capsys.readouterr()
    assert told.err.startswith("  ✔ split      3 rows")
    assert told.out.splitlines() == [
        "",
        "Done.",
        "  report  reports/report.html",
        "  rows    3",
        "  next  python run.py status",
    ]


def test_an_error_without_place_or_remedy_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().error(NoriaError("it is broken", code="test.example"))
    assert capsys.readouterr().err == "\nError  it is broken\ncode   test.example\n"


def test_a_counter_does_not_flood_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().follow_progress()
    for trial in range(1000):
        progress.tick(f"trial {trial}")
    assert capsys.readouterr().err == ""
