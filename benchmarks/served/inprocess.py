"""Prediction in bulk without a server: `python -m benchmarks.served.inprocess BUNDLE`."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.served.case import table
from noria.bundle import Bundle

RAW, BUNDLE = "the trees alone, one thread", "Bundle.predict on a table"
_ROWS = 100_000
_TIMES = 3


def main(arguments: list[str]) -> None:
    """Print way → rows per second, the best of three passes over 100,000 rows."""
    bundle = Bundle.load(Path(arguments[0]))
    rows = table(_ROWS, seed=7)
    fitted = bundle.fitted
    prepared = fitted.pipeline[0].transform(fitted.schema.encode(rows))  # type: ignore[index]
    print(
        json.dumps(
            {
                RAW: _rate(lambda: fitted.booster.inplace_predict(prepared, validate_features=False)),
                BUNDLE: _rate(lambda: bundle.predict(rows)),
            }
        )
    )


def _rate(predict: Callable[[], Any]) -> float:
    took = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        predict()
        took.append(time.perf_counter() - began)
    return _ROWS / min(took)


if __name__ == "__main__":
    main(sys.argv[1:])
