"""`new` tells how columns are read, first what needs a decision, then what weighs most; and writes it down."""

from pathlib import Path

import yaml

from tests.conftest import Command
from tests.faults.customers import amounts, customers, cycled, days, drive_of, spread
from tests.faults.roads import propose, train, write_csv


def table(folder: Path) -> Path:
    """A date that is thin evidence, postal codes, and a few question marks among numbers."""
    early = [day.replace(day=1 + day.day % 12) for day in days()]
    codes = cycled(["01099", "10115", "99084"])
    fees = [one if row % 24 else "?" for row, one in enumerate(amounts())]
    drive = spread([a + b for a, b in zip(spread(amounts()), drive_of(codes), strict=True)])
    columns = {"fee": fees, "zip": codes, "signed": [f"{day:%d/%m/%Y}" for day in early]}
    return write_csv(folder, customers(drive, **columns))


def test_new_tells_first_what_needs_a_decision_and_then_what_weighs_most(command: Command, tmp_path: Path) -> None:
    ended = command("new", "--data", table(tmp_path), "--target", "left", "--output", tmp_path / "case.yaml")
    assert ended.code == 0, ended.err
    places = [(ended.out + ended.err).index(f"`{name}`:") for name in ("signed", "zip", "fee")]
    assert places == sorted(places)


def test_what_was_learned_stands_in_the_file_and_can_be_changed_there(tmp_path: Path) -> None:
    proposed = propose(table(tmp_path))
    columns = yaml.safe_load(proposed.yaml)["data"]["columns"]
    assert columns["signed"]["format"] == "%d/%m/%Y"
    assert columns["fee"]["missing"] == ["?"]
    changed = {**columns, "signed": {"type": "date", "format": "%m/%d/%Y"}}
    model = train(proposed.use_case, tmp_path, data={"columns": changed}, features={"calendar": ["month"]})
    assert model.column("signed").reading.format == "%m/%d/%Y"


def test_training_says_the_same_where_the_file_says_nothing(tmp_path: Path) -> None:
    proposed = propose(table(tmp_path))
    model = train(proposed.use_case, tmp_path, data={"columns": {}, "expectations": {}})
    assert model.messages
    assert all(any(line in said for said in proposed.messages) for line in model.messages)
