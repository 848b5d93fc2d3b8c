"""The bundle's model as the scikit-learn pipeline that a team would serve: a `ColumnTransformer` and XGBoost.

It imports nothing of Noria's, so it also works in the environment of a server that clashes with Noria's. Trees and
categories are the bundle's own, so its probabilities are those that Noria gives.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from xgboost import XGBClassifier

from benchmarks.served.apps.names import BUNDLE

_MISSING = "(missing)"


class ServedPipeline:
    """Rows as JSON in, probabilities out, by way of pandas."""

    def __init__(self, bundle: Path | None = None) -> None:
        bundle = bundle or Path(os.environ[BUNDLE])
        columns = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["schema"]["columns"]
        self._types = {column["name"]: "float64" if column["kind"] == "number" else "object" for column in columns}
        self.pipeline = _pipeline(columns, bundle / "model.ubj", self.typed(_any_rows(columns)))

    def table(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        """The rows as a table whose columns have the types of training."""
        return self.typed(pd.DataFrame(rows))

    def typed(self, table: pd.DataFrame) -> pd.DataFrame:
        """The input columns of a table with the types of training; missing is NaN."""
        return table[list(self._types)].astype(self._types).fillna(np.nan)

    def probabilities(self, table: pd.DataFrame) -> list[float]:
        """(n,) probabilities of the positive class."""
        found: list[float] = self.pipeline.predict_proba(table)[:, 1].tolist()
        return found


def _pipeline(columns: list[dict[str, Any]], model: Path, rows: pd.DataFrame) -> Pipeline:
    numbers = [column["name"] for column in columns if column["kind"] == "number"]
    categories = {column["name"]: column["categories"] for column in columns if column["kind"] == "category"}
    encoder = OrdinalEncoder(
        # the bundle's codes: a missing category is the one after the last
        categories=[np.array([*known, _MISSING], dtype=object) for known in categories.values()],
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
    )
    filled = make_pipeline(SimpleImputer(strategy="constant", fill_value=_MISSING), encoder)
    prepare = ColumnTransformer([("numbers", "passthrough", numbers), ("categories", filled, list(categories))])
    prepare.fit(rows)  # there is nothing to learn: everything is given
    trees = XGBClassifier(n_jobs=1)
    trees.load_model(model)
    return Pipeline([("prepare", prepare), ("model", trees)])


def _any_rows(columns: list[dict[str, Any]]) -> pd.DataFrame:
    values = {column["name"]: 0.0 if column["kind"] == "number" else column["categories"][0] for column in columns}
    return pd.DataFrame([values, values])
