"""Labelled predictions as the store has them, one per case."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from noria.config import expand_environment
from noria.config.data import SourceConfig
from noria.labelled_cases.results import LABELLED_LATER, REPEATED, TOO_YOUNG
from noria.labelled_cases.settings import CaseSettings
from noria.predictions import PredictionStore, inputs_of
from noria.predictions.database import shown_url
from noria.predictions.records import CLOCK_SKEW
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace

_EVER = datetime(1, 1, 1, tzinfo=UTC)


def read_stored(source: SourceConfig, settings: CaseSettings) -> tuple[pd.DataFrame, int, dict[str, int]]:
    """The newest prediction of each labelled case that is old enough.

    Args:
        source: of kind `predictions`.
        settings: of the use case.

    Returns:
        (n, …) with the columns of `PredictionStore.window`; the labelled predictions found; why → how many of them
        were left out.

    Raises:
        NoriaError: the store is missing where there should be one, or does not work.
    """
    url = _url(source, settings)
    if not _exists(url):
        if source.url is None and source.use_case is None and not settings.known:
            return pd.DataFrame(), 0, {}  # nothing has been deployed yet
        raise _missing(source, url, settings)
    store = PredictionStore(url)
    try:
        labelled = store.window(_EVER, labelled=True)
    finally:
        store.close()
    if labelled.empty and settings.known:
        raise _missing(source, url, settings)
    found, left_out = len(labelled), Counter[str]()
    now = settings.now or datetime.now(UTC)
    later = labelled["labelled_at"] > now + CLOCK_SKEW
    left_out[LABELLED_LATER] = int(later.sum())
    labelled = labelled[~later].reset_index(drop=True)
    old = labelled["event_at"] <= now - timedelta(days=settings.label_delay_days)
    left_out[TOO_YOUNG] = int((~old).sum())
    cases = _one_per_case(labelled[old].reset_index(drop=True))
    left_out[REPEATED] = int(old.sum()) - len(cases)
    return cases, found, {reason: rows for reason, rows in left_out.items() if rows}


def _one_per_case(labelled: pd.DataFrame) -> pd.DataFrame:
    """Of several predictions of one case the newest that was asked before the label was known, else the newest.

    Without an identifier, predictions of one time of their own with the same inputs are of one case.
    """
    if labelled.empty:
        return labelled
    case = labelled["prediction_id"].where(labelled["entity"].isna(), "case " + labelled["entity"].astype("str"))
    timed = labelled["entity"].isna() & (labelled["event_at"] != labelled["at"])
    if timed.any():
        inputs = inputs_of(labelled[timed]).assign(**{"event_at": labelled["event_at"]})
        case[timed] = "inputs " + pd.util.hash_pandas_object(inputs.astype(object), index=False).astype("str")
    order = pd.DataFrame({"case": case, "before": labelled["at"] <= labelled["labelled_at"], "at": labelled["at"]})
    newest = order.sort_values(["before", "at"], kind="stable").drop_duplicates("case", keep="last").index
    return labelled.loc[np.sort(newest.to_numpy())].reset_index(drop=True)


def _url(source: SourceConfig, settings: CaseSettings) -> str:
    if source.url is None:
        return Workspace(source.use_case or settings.use_case).predictions_url
    return source.url.replace("{use_case}", source.use_case or settings.use_case)


def _exists(url: str) -> bool:
    """Whether there is a store; a file is not created by looking for it. A database server is asked when opened."""
    try:
        parsed = make_url(expand_environment(url, where="the URL of the prediction store"))
    except (ArgumentError, ValueError):
        return True  # opening it tells what is wrong
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return True
    return Path(str(parsed.database)).is_file()


def _missing(source: SourceConfig, url: str, settings: CaseSettings) -> NoriaError:
    where = f"data.sources.{source.name}"
    if settings.known:
        return NoriaError(
            f"the labelled cases that were found when the run was started are not in {shown_url(url)}, seen from here",
            code="cases.store_unreachable",
            where=where,
            fix="name a database that steps can reach, in NORIA_PREDICTIONS_URL or as the source's `url`",
        )
    return NoriaError(
        f"there is no prediction store at {shown_url(url)}",
        code="cases.store_missing",
        where=where,
        fix="correct `url` or `use_case`",
    )
