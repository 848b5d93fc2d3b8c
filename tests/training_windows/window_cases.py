"""Tables whose world moves, or does not, as use cases with a window."""

from typing import Any

import numpy as np
import pandas as pd

from noria.config import UseCase

DAYS, PER_DAY = 200, 20


def table(drift: float, *, seed: int = 0, days: int = DAYS) -> pd.DataFrame:
    """Orders whose size follows from `x`; what `x` means turns by `drift` radians from the first day to the last."""
    random = np.random.default_rng(seed)
    rows = days * PER_DAY
    day = np.repeat(np.arange(days), PER_DAY)
    x, z = random.normal(size=(2, rows))
    angle = drift * day / days
    size = 10 + 3 * (np.cos(angle) * x + np.sin(angle) * z) + random.normal(scale=0.3, size=rows)
    return pd.DataFrame({"day": pd.Timestamp("2025-01-01") + pd.to_timedelta(day, unit="D"), "x": x, "z": z, "y": size})


def use_case(window: Any = "auto", **changes: Any) -> UseCase:
    """A regression on `table`, split by time."""
    sections: dict[str, Any] = {
        "split": {"method": "time", "test_share": 0.2},
        "models": {"candidates": {"linear": {}}, "folds": 3, "trials": 10},
        "features": {},
        "label_delay_days": 0,
        "data": {},
    } | changes
    return UseCase.model_validate(
        {
            "name": "orders",
            "problem": {
                "question": "How large will the order be?",
                "decided_by": "the buyer",
                "needed": "daily",
                "business_figure": "waste",
                "label_delay_days": sections["label_delay_days"],
                "task": "regression",
                "worth": {"right": 1, "tolerance": 1, "too_high_per_unit": 1, "too_low_per_unit": 1},
            },
            "data": {
                "sources": [{"name": "orders", "path": "orders.csv"}],
                "target": "y",
                "time": "day",
                "window": window,
                **sections["data"],
            },
            "rules": {"otherwise": 10},
            "evaluation": {"metric": "mae", "bootstrap": 100},
            **{name: sections[name] for name in ("split", "models", "features")},
        }
    )
