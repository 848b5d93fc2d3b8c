"""Use cases and tables for the tests of data and exploration."""

from typing import Any

import numpy as np
import pandas as pd

from noria.config import UseCase

_PROBLEMS: dict[str, dict[str, Any]] = {
    "binary": {"positive": "yes", "worth": {"true_positive": 1, "false_positive": -1, "false_negative": 0}},
    "multiclass": {"worth": {"right": 1, "wrong": 0}},
    "regression": {},
}
_METRIC = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "mae"}


def use_case(task: str = "binary", *, problem: dict[str, Any] | None = None, **sections: Any) -> UseCase:
    """A small use case with target `y`; `data` and `problem` are merged into the defaults."""
    words = {
        "question": "Which of them will it be?",
        "decided_by": "the team",
        "needed": "daily",
        "business_figure": "share",
    }
    data = {"sources": [{"name": "cases", "path": "cases.csv"}], "target": "y", **sections.pop("data", {})}
    return UseCase.model_validate(
        {
            "name": "small",
            "problem": {**words, "task": task, "label_delay_days": 1, **_PROBLEMS[task], **(problem or {})},
            "data": data,
            "rules": {"otherwise": 0 if task == "regression" else "no"},
            "evaluation": {"metric": _METRIC[task], **sections.pop("evaluation", {})},
            **sections,
        }
    )


def table(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    """Columns id, x (number), c (category), y (yes or no, likelier with a large x)."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=rows)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "x": x,
            "c": draw.choice(["red", "green", "blue"], rows),
            "y": np.where(x + draw.normal(size=rows) > 0.5, "yes", "no"),
        }
    )
