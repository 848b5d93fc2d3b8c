"""The forms in which servers take rows and give probabilities."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.served.case import CATEGORIES, ID, NUMBERS

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Protocol:
    """How to ask one kind of server."""

    path: str
    body: Callable[[Rows], dict[str, Any]]
    """What is sent for some rows."""
    probabilities: Callable[[Any], list[float]]
    """The probabilities in the decoded answer."""


def write_bodies(protocol: Protocol, rows: Rows, at_once: int, path: Path) -> Path:
    """Write one body per line, with `at_once` rows each; every row is sent, and bodies differ."""
    step = max(1, at_once // 10)
    starts = range(0, len(rows) - at_once + 1, step)
    bodies = (protocol.body(rows[start : start + at_once]) for start in starts)
    path.write_text("\n".join(json.dumps(body, separators=(",", ":")) for body in bodies), encoding="utf-8")
    return path


def _split(rows: Rows) -> dict[str, Any]:
    names = [name for name in rows[0] if name != ID]
    return {"dataframe_split": {"columns": names, "data": [[row[name] for name in names] for row in rows]}}


def _columns(rows: Rows) -> dict[str, Any]:
    """The Open Inference Protocol: one tensor per column."""
    types = {**dict.fromkeys(NUMBERS, "FP64"), **dict.fromkeys(CATEGORIES, "BYTES")}
    inputs = [
        {
            "name": name,
            "shape": [len(rows), 1],
            "datatype": datatype,
            "parameters": {"content_type": "np" if datatype == "FP64" else "str"},
            "data": [row[name] for row in rows],
        }
        for name, datatype in types.items()
    ]
    return {"parameters": {"content_type": "pd"}, "inputs": inputs}


NORIA = Protocol(
    "/predict",
    lambda rows: {"rows": list(rows)},
    lambda answer: [each["probability"] for each in answer["predictions"]],
)
PLAIN = Protocol("/predict", NORIA.body, lambda answer: list(answer["predictions"]))
MLFLOW = Protocol("/invocations", _split, lambda answer: [each[1] for each in answer["predictions"]])
MLSERVER = Protocol("/v2/models/pipeline/infer", _columns, lambda answer: list(answer["outputs"][0]["data"]))
