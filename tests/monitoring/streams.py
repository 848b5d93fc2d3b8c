"""Two weeks of predictions on `telco_churn`, by day and hour, and faults that begin at 14:00 two days earlier."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from tests import bundles

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
SINCE = pd.Timestamp("2026-06-28 14:00", tz="UTC")
DAYS = 14

Stream = tuple[pd.DataFrame, "pd.Series[pd.Timestamp]"]


def healthy() -> Stream:
    """Held-out rows in the order of their times, most of them in the afternoon."""
    rows = bundles.churn().test.reset_index(drop=True)
    random = np.random.default_rng(0)
    days = pd.to_timedelta(random.integers(0, DAYS, len(rows)), unit="D")
    hours = pd.to_timedelta(np.clip(random.normal(14, 3, len(rows)), 6.5, 21.5), unit="h")
    at = pd.Series(pd.Timestamp("2026-06-16", tz="UTC") + days + hours).sort_values().reset_index(drop=True)
    return rows, at


def changed(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Stream:
    """The stream with a change to the rows since 14:00."""
    rows, at = healthy()
    is_new = (at >= SINCE).to_numpy()
    rows = rows.astype(object)
    rows.loc[is_new] = change(rows[is_new].copy()).to_numpy()
    return rows, at


def unit_changed() -> Stream:
    return changed(lambda rows: rows.assign(monthly_charges=rows["monthly_charges"] * 100))


def category_renamed() -> Stream:
    names = {"Month-to-month": "monthly", "One year": "1y", "Two year": "2y"}
    return changed(lambda rows: rows.assign(contract=rows["contract"].map(names)))


def columns_swapped() -> Stream:
    return changed(lambda rows: rows.assign(tenure=rows["monthly_charges"], monthly_charges=rows["tenure"]))


def feed_stopped() -> Stream:
    rows, at = healthy()
    came = (at < pd.Timestamp("2026-06-27 14:00", tz="UTC")).to_numpy()
    return rows[came].reset_index(drop=True), at[came].reset_index(drop=True)


def stale_copy() -> Stream:
    rows, _ = healthy()
    return changed(lambda new: rows.head(len(new)))


def clock_shifted() -> Stream:
    rows, at = healthy()
    at = at.where(at < SINCE, at + pd.Timedelta(hours=5))
    order = at[at < pd.Timestamp(NOW)].sort_values().index
    return rows.loc[order].reset_index(drop=True), at[order].reset_index(drop=True)


FAULTS: dict[str, Callable[[], Stream]] = {
    "unit_changed": unit_changed,
    "category_renamed": category_renamed,
    "columns_swapped": columns_swapped,
    "feed_stopped": feed_stopped,
    "stale_copy": stale_copy,
    "clock_shifted": clock_shifted,
}
