"""The tables whose labels are asked for: churn, flights and spam."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.labelling.space import standardised
from noria.models.preparation import Preparation

_SEED = 0
_TEST_ROWS = 2_000
_FLIGHTS = 15_000
"""Flights of the pool, and as many of the test."""
_TEST_DAYS = 90
_COMPONENTS = 50
_WORDS = 20_000
_FLIGHT_NUMBERS = ["hour", "minute", "distance", "month", "weekday"]
_WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]

Score = Callable[[Any], NDArray[np.float64]]
Fit = Callable[[Any, NDArray[np.int64]], Score]


@dataclass(frozen=True)
class Labels:
    """A table with all its labels; n rows."""

    name: str
    model: str
    inputs: Any
    """(n, p) what the model learns from, dense or sparse."""
    space: NDArray[np.float64]
    """(n, q) where rows are compared."""
    truth: NDArray[np.int64]
    """(n,) 0 or 1."""
    pool: NDArray[np.intp]
    """Rows that may be asked for."""
    test: NDArray[np.intp]
    """Rows that judge."""
    fit: Fit
    most: int
    """Labels at which the curve ends."""


def churn(folder: Path) -> Labels:
    """Telco churn with a linear model on the prepared columns."""
    frame = pd.read_csv(folder / "telco_churn.csv")
    truth = (frame.pop("churn") == "Yes").to_numpy().astype(np.int64)
    order = np.random.default_rng(_SEED).permutation(len(truth))
    test, pool = order[:_TEST_ROWS], order[_TEST_ROWS:]
    space = _prepared(frame, pool)
    return Labels("churn", "logistic regression", space, space, truth, pool, test, _logistic(0.1), 1_000)


def flights(folder: Path) -> Labels:
    """Will a flight out of New York be more than 30 minutes late, or not arrive? Boosting; the test has other days."""
    flown = pd.read_parquet(folder / "nyc_flights_2013.parquet")
    hours = pd.read_parquet(folder / "nyc_weather_2013.parquet").drop_duplicates(["origin", "time_hour"])
    table = flown.merge(hours[["origin", "time_hour", *_WEATHER]], on=["origin", "time_hour"], how="left")
    late = (table["arr_delay"].isna() | (table["arr_delay"] > 30)).to_numpy().astype(np.int64)
    moment = pd.to_datetime(table["time_hour"])
    table["weekday"] = moment.dt.dayofweek
    random = np.random.default_rng(_SEED)
    is_test_day = np.isin(moment.dt.dayofyear, random.permutation(np.arange(1, 366))[:_TEST_DAYS])
    rows = np.concatenate(
        [random.choice(np.flatnonzero(part), _FLIGHTS, replace=False) for part in (~is_test_day, is_test_day)]
    )
    pool, test = np.arange(_FLIGHTS), np.arange(_FLIGHTS, 2 * _FLIGHTS)
    asked = table[[*_FLIGHT_NUMBERS, *_WEATHER, "carrier", "origin"]].iloc[rows].reset_index(drop=True)
    inputs = pd.get_dummies(asked, columns=["carrier", "origin"], dtype=np.float32).to_numpy(np.float32)
    return Labels("flights", "XGBoost", inputs, _prepared(asked, pool), late[rows], pool, test, _boosting(), 5_000)


def spam(folder: Path) -> Labels:
    """Spam by the words of subject and body: TF-IDF and a linear model; compared by latent topics of the pool."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    mails = pd.read_parquet(folder / "spamassassin.parquet")
    texts = (mails["subject"].fillna("") + "\n" + mails["body"].fillna("")).tolist()
    truth = mails["label"].astype(str).isin(["spam", "1", "True"]).to_numpy().astype(np.int64)
    order = np.random.default_rng(_SEED).permutation(len(truth))
    test, pool = order[:_TEST_ROWS], order[_TEST_ROWS:]
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=_WORDS).fit([texts[row] for row in pool])
    inputs = words.transform(texts).tocsr()
    topics = TruncatedSVD(_COMPONENTS, random_state=_SEED).fit(inputs[pool]).transform(inputs)
    # topics are ordered by what they explain, so they are scaled together: as much variance as if each were scaled
    space = topics * np.sqrt(_COMPONENTS / np.square(topics[pool]).sum(axis=1).mean())
    return Labels("spam", "TF-IDF and logistic regression", inputs, space, truth, pool, test, _logistic(10.0), 300)


TABLES = {"churn": churn, "flights": flights, "spam": spam}


def _prepared(frame: pd.DataFrame, pool: NDArray[np.intp]) -> NDArray[np.float64]:
    """(n, q) rows as Noria prepares them for a linear model, learned from the pool."""
    is_text = [not pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns]
    matrix = np.empty(frame.shape)
    levels = []
    for place, name in enumerate(frame.columns):
        if not is_text[place]:
            matrix[:, place] = frame[name]
            continue
        kinds = pd.Index(sorted(frame[name].iloc[pool].dropna().unique()))
        codes = kinds.get_indexer(frame[name])
        matrix[:, place] = np.where(frame[name].isna(), len(kinds), codes)
        levels.append(len(kinds) + 1)
    numbers = [place for place, text in enumerate(is_text) if not text]
    categories = [place for place, text in enumerate(is_text) if text]
    prepared = Preparation(numbers, categories, levels, "linear").fit(matrix[pool]).transform(matrix)
    return standardised(prepared[pool], prepared)


def _logistic(strength: float) -> Fit:
    from sklearn.linear_model import LogisticRegression

    def fit(rows: Any, truth: NDArray[np.int64]) -> Score:
        model = LogisticRegression(C=strength, max_iter=500).fit(rows, truth)
        return lambda asked: np.asarray(model.predict_proba(asked)[:, 1], dtype=np.float64)

    return fit


def _boosting() -> Fit:
    from xgboost import XGBClassifier

    settings = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.1, "min_child_weight": 3}

    def fit(rows: Any, truth: NDArray[np.int64]) -> Score:
        model = XGBClassifier(
            **settings, subsample=0.8, colsample_bytree=0.8, tree_method="hist", n_jobs=1, random_state=_SEED
        ).fit(rows, truth)
        return lambda asked: np.asarray(model.predict_proba(asked)[:, 1], dtype=np.float64)

    return fit
