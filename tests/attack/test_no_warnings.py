"""Odd tables raise no warning of pandas or NumPy: what a person should know is said in plain words."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.config import load_use_case
from noria.data.sources import read
from noria.data.validation import validate
from noria.profiling.report import exploration_report, profile_table
from noria.profiling.scaffold import propose
from tests.errors_raised import raises

_ROWS = 300


def _table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"a": random.normal(size=_ROWS), "b": random.choice(list("xyz"), _ROWS)})
    return table.assign(y=np.where(table["a"] + random.normal(size=_ROWS) > 0, "yes", "no"))


def _wide() -> pd.DataFrame:
    random = np.random.default_rng(1)
    more = {f"n{place}": random.normal(size=_ROWS) for place in range(200)}
    more |= {f"c{place}": random.choice(list("ab"), _ROWS) for place in range(100)}
    return pd.concat([_table(), pd.DataFrame(more)], axis=1)


def _huge() -> pd.DataFrame:
    random = np.random.default_rng(2)
    table = _table().assign(
        near=random.uniform(-3.3e38, 3.3e38, _ROWS), tiny=1e-310, whole=random.integers(-(2**63), 2**63 - 1, _ROWS)
    )
    table.loc[::60, "near"] = 1e300
    return table


def _mixed() -> pd.DataFrame:
    places = range(_ROWS)
    return _table().assign(
        number=[str(place) if place % 3 else "abc" for place in places],
        beyond=["1e400" if place % 9 == 0 else str(place) for place in places],
        digits=["9" * 30 if place % 5 else "1" for place in places],
        when=[f"2024-01-0{place % 9 + 1}" if place % 7 else "soon" for place in places],
        empty=np.nan,
        lone=1,
    )


@pytest.mark.slow
@pytest.mark.parametrize("make", [_wide, _huge, _mixed])
def test_new_and_explore_raise_no_warning(make: Callable[[], pd.DataFrame], tmp_path: Path) -> None:
    table, config = tmp_path / "table.csv", tmp_path / "case.yaml"
    make().to_csv(table, index=False)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        config.write_text(propose(str(table), "y").yaml, encoding="utf-8")
        use_case = load_use_case(config)
        valid = validate(read(use_case.data), use_case, quarantine=tmp_path / "quarantine.csv")
        exploration_report(profile_table(valid.frame, use_case, valid.quarantined), valid.frame, use_case)
    shown = [each for each in raised if issubclass(each.category, RuntimeWarning | UserWarning | FutureWarning)]
    shown += [each for each in raised if issubclass(each.category, pd.errors.PerformanceWarning)]
    assert [f"{each.filename}:{each.lineno} {each.message}" for each in shown] == []


def test_a_table_of_nothing_but_numbers_beyond_models_is_refused(tmp_path: Path) -> None:
    _table().assign(a=1e300).to_csv(tmp_path / "table.csv", index=False)
    with raises("profiling.rows_missing"):
        propose(str(tmp_path / "table.csv"), "y")
