"""`data.since` and `data.until`: the rows of a period."""

from pathlib import Path

import pandas as pd
import pytest

from noria.config.data import DataConfig
from noria.data.sources import read
from noria.system.errors import NoriaError


def source(folder: Path, **keys: object) -> DataConfig:
    frame = pd.DataFrame({"at": pd.date_range("2024-01-01", periods=10, freq="D").astype(str), "y": range(10)})
    frame.loc[3, "at"] = None
    frame.to_csv(folder / "t.csv", index=False)
    raw = {"sources": [{"name": "t", "path": str(folder / "t.csv")}], "target": "y", "time": "at"} | keys
    return DataConfig.model_validate(raw)


def test_the_first_moment_is_in_the_period_and_the_last_is_not(tmp_path: Path) -> None:
    rows = read(source(tmp_path, since="2024-01-02", until="2024-01-07"))

    assert rows["y"].tolist() == [1, 2, 4, 5]  # the row without a time is left out
    assert rows.index.tolist() == [0, 1, 2, 3]


def test_a_moment_with_a_zone_is_compared_as_utc(tmp_path: Path) -> None:
    assert read(source(tmp_path, until="2024-01-02T23:00:00-05:00"))["y"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"since": "2030-01-01"}, "data.period_empty"),
        ({"since": "2023-01-01", "time": "y"}, "data.period_not_comparable"),
    ],
)
def test_a_period_that_leaves_nothing_or_cannot_be_compared_is_refused(
    tmp_path: Path, keys: dict[str, object], code: str
) -> None:
    with pytest.raises(NoriaError) as error:
        read(source(tmp_path, **keys))

    assert error.value.code == code


def test_a_period_needs_a_time_and_goes_forward(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time"):
        source(tmp_path, until="2024-01-05", time=None)
    with pytest.raises(ValueError, match="before"):
        source(tmp_path, since="2024-01-05", until="2024-01-05")
