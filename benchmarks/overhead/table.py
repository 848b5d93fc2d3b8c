"""The table and the use case that both sides work on."""

import sys
from pathlib import Path
from typing import Any

import yaml

from noria.system.workspace import PROJECT

_SEED = 42
_FEW_VALUES = 2
_JITTER = 0.02
MODELS: dict[str, Any] = {
    "candidates": {
        "dummy": {},
        "linear": {"params": {"max_iter": 100}, "tune": False},
        "tree": {},
        "xgboost": {
            "params": {"n_estimators": 40},
            "search": {
                "learning_rate": {"low": 0.03, "high": 0.3, "log": True},
                "max_depth": {"low": 3, "high": 6, "integer": True},
            },
        },
    },
    "trials": 2,
    "folds": 3,
}
"""Fewer and smaller models than a real use case has: what the pipeline adds is compared with little work."""


def write_table(rows: int, path: Path) -> None:
    """Write the churn table, resampled to `rows` rows whose numbers are jittered, as Parquet.

    Flags and categories keep their values, whole numbers stay whole, amounts are changed by about 2 %, and what is
    missing stays missing. The same `rows` give the same table.
    """
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(_SEED)
    churn = pd.read_csv(PROJECT / "data" / "telco_churn.csv")
    table = churn.iloc[random.integers(0, len(churn), rows)].reset_index(drop=True)
    for name in table.select_dtypes("number"):
        values = table[name]
        if values.nunique() <= _FEW_VALUES:
            continue
        if pd.api.types.is_integer_dtype(values):
            table[name] = (values + random.integers(-1, 2, rows)).clip(churn[name].min(), churn[name].max())
        else:
            table[name] = values * (1 + _JITTER * random.standard_normal(rows))
    table.to_parquet(path, index=False)


def write_use_case(name: str, table: Path, path: Path) -> None:
    """Write the churn use case for another table and with `MODELS`."""
    raw = yaml.safe_load((PROJECT / "configs" / "telco_churn.yaml").read_text(encoding="utf-8"))
    raw["name"] = name
    raw["data"]["sources"] = [{"name": "customers", "path": str(table)}]
    raw["models"] = MODELS
    path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":  # `python -m benchmarks.overhead.table ROWS FILE`
    write_table(int(sys.argv[1]), Path(sys.argv[2]))
