"""A real table enlarged to any size, some of its columns shifted, and a store that holds predictions for it."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from noria.bundle import Bundle, write_bundle
from noria.config import UseCase, load_use_case
from noria.data.split import split
from noria.models.fitted_model import fit
from noria.models.policy_choice import choose_policy
from noria.predictions import Feedback, PredictionStore
from noria.predictions.ids import new_ids
from noria.predictions.spool.events import PredictionEvent

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
SHIFTED = ("monthly_charges", "contract", "tech_support", "tenure")
"""Their shift moves the model's answers, too."""
_BATCH, _REQUEST = 5_000, 20
_LABELLED = 20_000
_DAYS = 29.9


def use_case() -> UseCase:
    """`telco_churn`, as it is."""
    return load_use_case(ROOT / "configs" / "telco_churn.yaml")


def make_bundle(folder: Path) -> Bundle:
    """A linear model of the training rows, with out-of-fold scores of two folds for its reference rows."""
    case = use_case()
    train, _ = split(pd.read_csv(ROOT / "data" / "telco_churn.csv"), case)
    fitted = fit("linear", {}, train, case)
    scores, halves = np.full(len(train), np.nan), np.arange(len(train)) % 2
    for half in (0, 1):
        seen = fit("linear", {}, train[halves != half].reset_index(drop=True), case)
        scores[halves == half] = seen.scores(train[halves == half])
    policy = choose_policy(case, train[case.data.target], scores)
    given = {"use_case": case, "train": train, "out_of_fold": scores, "policy": policy}
    return write_bundle(folder, fitted, fingerprint="0" * 64, version="1", **given)


def enlarged(rows: int, seed: int = 0) -> pd.DataFrame:
    """(rows, 20) test rows drawn with replacement, with their target; the columns in `SHIFTED` are shifted."""
    case = use_case()
    _, test = split(pd.read_csv(ROOT / "data" / "telco_churn.csv"), case)
    random = np.random.default_rng(seed)
    table = test.iloc[random.integers(0, len(test), rows)].reset_index(drop=True)
    contract, support = table["contract"].to_numpy(dtype=object), table["tech_support"].to_numpy(dtype=object)
    contract[(contract == "Month-to-month") & (random.random(rows) < 0.4)] = "One year"
    support[random.random(rows) < 0.3] = None
    charges = (table["monthly_charges"] * random.normal(1.25, 0.05, rows)).round(2)
    tenure = np.minimum(table["tenure"] + random.integers(0, 12, rows), 72)
    return table.assign(contract=contract, tech_support=support, monthly_charges=charges, tenure=tenure)


def fill(url: str, bundle: Bundle, table: pd.DataFrame) -> float:
    """Store a prediction for each row, evenly over 30 days, and some labels; rows per second."""
    store, started = PredictionStore(url), time.perf_counter()
    random = np.random.default_rng(1)
    step = timedelta(days=_DAYS) / len(table)
    for first in range(0, len(table), _BATCH):
        part = table.iloc[first : first + _BATCH]
        ids = new_ids(len(part))
        store.ingest(
            _events(bundle, part, ids, [NOW - step * (len(table) - first - each) for each in range(len(part))])
        )
        labels = part[bundle.manifest.target].to_numpy()
        labelled = np.flatnonzero(random.random(len(part)) < _LABELLED / len(table))
        store.add_labels([Feedback(id=ids[each], label=str(labels[each]), at=NOW) for each in labelled])
    store.close()
    return len(table) / (time.perf_counter() - started)


def _events(bundle: Bundle, part: pd.DataFrame, ids: list[str], times: list[datetime]) -> list[PredictionEvent]:
    """The rows as requests of some rows each."""
    names, answers = bundle.manifest.schema_.names, bundle.predict(part)
    features = part[names].astype(object).where(part[names].notna(), None).to_numpy().tolist()
    columns = {name: answers[name].tolist() for name in ("prediction", "probability", "decision")}
    return [
        PredictionEvent(
            at=times[first].timestamp(),
            request_id=ids[first],
            model=bundle.manifest.name,
            version=bundle.manifest.version,
            variant="champion",
            policy="1",
            latency_ms=1.0,
            names=names,
            features=features[first : first + _REQUEST],
            ids=ids[first : first + _REQUEST],
            entities=[None] * len(ids[first : first + _REQUEST]),
            predictions=columns["prediction"][first : first + _REQUEST],
            probabilities=columns["probability"][first : first + _REQUEST],
            decisions=columns["decision"][first : first + _REQUEST],
            warnings=[""] * len(ids[first : first + _REQUEST]),
        )
        for first in range(0, len(part), _REQUEST)
    ]
