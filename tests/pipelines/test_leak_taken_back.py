"""A column that is known too late is reported and taken back; the model that used it never serves again.

The rules are mined: they keep no model out, and no report says that they make learning needless.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline_runs import at_home, output, runs_of

from app.command_result import CommandResult
from app.commands.monitor import monitor
from app.commands.train import train
from noria.config import UseCase
from noria.system import progress
from steps.shared.champion import require_champion
from tests.listening import listen
from tests.small_cases import churn_table, small_case, write_config

pytestmark = pytest.mark.e2e
RULES = {"source": "mined", "conditions": [{"when": "tenure <= 12", "then": "Yes"}], "otherwise": "No"}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Customers, with how grave their complaint was: nearly only those who leave have made one."""
    path = tmp_path_factory.mktemp("data") / "complaints.csv"
    rows, random = churn_table(1500), np.random.default_rng(3)
    complained = np.where(rows["churn"] == "Yes", random.random(len(rows)) < 0.97, random.random(len(rows)) < 0.01)
    rows.assign(severity=np.where(complained, random.integers(1, 6, len(rows)), 0)).to_csv(path, index=False)
    return path


def case_of(table: Path, **sections: dict[str, Any]) -> UseCase:
    raw = small_case("complaints", table, models={"trials": 0}).model_dump(mode="json", exclude_unset=True)
    raw["rules"] = RULES
    for name, keys in sections.items():
        raw[name] = {**raw.get(name, {}), **keys}
    return UseCase.model_validate(raw)


@pytest.fixture(scope="module")
def leaky(table: Path, pipeline_home: Path) -> tuple[CommandResult, list[str]]:
    """The first training, and what was shouted meanwhile."""
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text) if kind == progress.WARNING else None)
    with at_home(pipeline_home):
        return train(case_of(table), None), heard


@pytest.fixture(scope="module")
def honest(leaky: object, table: Path, pipeline_home: Path) -> CommandResult:
    """The second, after the column was declared."""
    with at_home(pipeline_home):
        return train(case_of(table, data={"unavailable_at_prediction": ["severity"]}), None)


def test_training_tells_of_the_leak_with_the_line_to_write(leaky: tuple[CommandResult, list[str]]) -> None:
    result, heard = leaky
    for text in (*(each for each in heard if "leakage" in each), str(result.fact("leakage"))):
        assert "`severity`: alone" in text
        assert "AUC 0.9" in text
        assert "data.unavailable_at_prediction: [severity]" in text
    assert any("severity" in each for each in heard)
    assert "Promoted" in result.headline
    assert "not needed" not in str(result.fact("verdict"))
    page = Path(str(result.fact("model report"))).read_text(encoding="utf-8")
    assert "Machine learning pays here" in page
    assert "Mined rules" in page


def test_the_leaky_model_is_not_deployed(
    leaky: object, table: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    case = case_of(table, data={"unavailable_at_prediction": ["severity"]})
    ended = command("deploy", "--config", write_config(case, tmp_path / "case.yaml"))
    assert ended.code == 2
    for text in ("deployment.version_disqualified", "Version 1", "`severity`", "python run.py train"):
        assert text in ended.err
    verdict = monitor(case, None, None)
    assert "retrain" in verdict.headline
    assert "Version 1 is disqualified: it uses `severity`" in str(verdict.fact("why"))


def test_the_honest_model_takes_over_though_its_figures_are_lower(honest: CommandResult, table: Path) -> None:
    champion = require_champion("complaints")
    verdict = output(runs_of(case_of(table))[0], "gate", "verdict").load()
    assert (verdict.promote, champion.manifest.version) == ("challenger", "2")
    assert "severity" not in champion.manifest.schema_.names
    assert [each.rival for each in verdict.comparisons if each.rival == "champion"] == []
    assert "Version 1 is disqualified: it uses `severity`" in str(honest.fact("verdict"))


def test_nor_can_the_leaky_version_be_promoted_again(
    honest: object, table: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    case = case_of(table, data={"unavailable_at_prediction": ["severity"]})
    config = write_config(case, tmp_path / "case.yaml")
    ended = command("promote", "--config", config, "--version", 1, "--yes")
    assert (ended.code, "deployment.version_disqualified" in ended.err) == (2, True)
    assert require_champion(case.name).manifest.version == "2"
