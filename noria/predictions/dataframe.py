"""Stored predictions as a DataFrame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping

if TYPE_CHECKING:
    import pandas as pd

_BEFORE = ("prediction_id", "at", "event_at", "version", "variant", "entity")
_AFTER = ("prediction", "probability", "decision", "latency_ms", "label", "labelled_at", "label_changes")
_OWN = frozenset((*_BEFORE, *_AFTER))
_PREFIX = "input."  # for input columns with the name of one of ours, or with this prefix already


def to_dataframe(rows: Sequence[RowMapping]) -> "pd.DataFrame":
    """Rows of the table `predictions` (n) with the columns that `PredictionStore.window` describes."""
    import pandas as pd

    columns: dict[str, Any] = {
        name: [row["id" if name == "prediction_id" else name] for row in rows] for name in _BEFORE
    }
    inputs = pd.DataFrame([row["features"] for row in rows])
    for name in inputs.columns:
        columns[_PREFIX + name if name in _OWN or name.startswith(_PREFIX) else name] = inputs[name]
    columns |= {name: [row[name] for row in rows] for name in _AFTER}
    frame = pd.DataFrame(columns, columns=list(columns))
    for name in ("at", "event_at", "labelled_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    frame["event_at"] = frame["event_at"].fillna(frame["at"])
    frame["label_changes"] = frame["label_changes"].astype("int64")
    for name in ("probability", "latency_ms"):
        frame[name] = frame[name].astype("float64")
    return frame


def inputs_of(window: "pd.DataFrame") -> "pd.DataFrame":
    """The input columns of a window, under their original names; same rows and index."""
    inputs = window.drop(columns=[*_BEFORE, *_AFTER])
    return inputs.rename(columns=lambda name: name.removeprefix(_PREFIX))
