"""After a retraining that did not help, `monitor` gives other advice, until there is something new to learn."""

from pathlib import Path
from typing import Any

import pytest
from scenes import NOW, evidence

from app.loop import tried
from app.loop.tried import tried_in_vain
from app.runs.training_record import TrainingInputs, TrainingRecord, record_training
from noria.config import UseCase
from noria.loop import Journal, choose, journal_file
from noria.loop.actions import begin
from noria.system.workspace import Workspace
from tests.small_cases import small_case

INPUTS = TrainingInputs(data="a", config="b", code="c", stack="local", store="d")


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseCase:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tried, "checked_inputs", lambda *_: INPUTS)
    return small_case("tried_case", tmp_path / "few.csv")


def record(case: UseCase, **more: Any) -> None:
    known = {"inputs": INPUTS, "version": "2", "kind": "tree", "promote": "none", "reason": "It is no better."}
    known |= {"champion": "1", "promoted_at": None, "at": NOW, "report": ""}
    record_training(Workspace(case.name), TrainingRecord(**(known | more)))


def test_a_training_by_hand_that_was_not_promoted_is_not_advised_again(case: UseCase) -> None:
    assert tried_in_vain(case, None) == ""
    record(case)
    advice = tried_in_vain(case, None)
    assert "version 2" in advice and "It is no better." in advice and "python run.py cycle" not in advice
    record(case, inputs=INPUTS.model_copy(update={"data": "older"}))
    assert tried_in_vain(case, None) == "", "there are new rows"
    record(case, version="1", promote="challenger")
    assert tried_in_vain(case, None) == "", "it was promoted"


def test_a_retraining_of_the_loop_counts_too(case: UseCase) -> None:
    record(case, promote="challenger", version="2")
    journal = Journal(journal_file(Workspace(case.name)))
    action = begin(journal, choose(evidence(), case.loop), "1")
    facts = {"version": "2"}
    journal.append("step_ended", name="train", action=action.id, outcome="done", facts=facts)
    journal.append("action_ended", name="retrain", action=action.id, outcome="lost", why=["its canary failed"])
    assert "its canary failed" in tried_in_vain(case, None)
