"""Places that cannot be written to: said plainly, and nothing is left behind."""

from pathlib import Path

import pandas as pd
import pytest

from app.commands.new import new
from noria.system.files import write_text
from noria.system.workspace import Workspace
from tests.errors_raised import raises

CHURN = "data/telco_churn.csv"


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("mine")
    with raises("workspace.file_unwritable", "file"):
        write_text(tmp_path / "file" / "report.html", "text")
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "file" / "home"))
    with raises("workspace.unwritable", "file") as caught:
        _ = Workspace("churn").folder
    assert "NORIA_HOME" in caught.value.fix
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_is_said_and_kept(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with raises("workspace.file_unwritable"):
        write_text(tmp_path / "folder", "text")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_a_name_that_is_too_long_is_said(tmp_path: Path) -> None:
    with raises("workspace.file_unwritable", "xxx"):
        write_text(tmp_path / ("x" * 300), "text")
    with raises("workspace.file_unwritable", "xxx"):
        new(CHURN, "churn", None, tmp_path / f"{'x' * 300}.yaml", force=False)


def test_a_file_that_is_there_is_told_before_the_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    with raises("cli.output_taken", "mine.yaml"):
        new("no/such/table.csv", "churn", None, tmp_path / "mine.yaml", force=False)
    assert (tmp_path / "mine.yaml").read_text() == "mine"


def test_numbers_beyond_computing_do_not_stop_a_proposal(tmp_path: Path) -> None:
    table = pd.read_csv(CHURN).head(400)
    table["x"] = [1e300 if row % 4 == 0 else float(row) for row in range(400)]
    table.to_csv(tmp_path / "table.csv", index=False)
    result = new(str(tmp_path / "table.csv"), "churn", None, tmp_path / "new.yaml", force=False)
    assert result.fact("file") == tmp_path / "new.yaml"
    assert (tmp_path / "new.yaml").is_file()


def test_a_constant_target_is_shown_as_a_person_writes_it(tmp_path: Path) -> None:
    pd.read_csv(CHURN).head(100).assign(churn=1).to_csv(tmp_path / "table.csv", index=False)
    with raises("profiling.target_constant", ", 1 "):
        new(str(tmp_path / "table.csv"), "churn", None, tmp_path / "new.yaml", force=False)
