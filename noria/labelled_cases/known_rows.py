"""Cases that the table has already."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config.column_reading import ColumnReading
from noria.labelled_cases.results import KNOWN
from noria.labelled_cases.rows import CaseRows, TableSoFar, comparable, hashes
from noria.predictions.privacy import entity_namer, key_from_environment
from noria.predictions.sql_tables import indexable_name
from noria.tabular.column_reader import ColumnReader


def leave_out_known(rows: CaseRows, table: TableSoFar) -> int:
    """Leave out the cases that the table has: by their identifier or, where they have none, by equal values.

    Values are equal if all that were asked are, the time included; without a time the label must be equal, too, since
    different cases may agree in their inputs.

    Returns:
        How many of them have another label in the table.
    """
    names = _stored_names(table)
    named = rows.stored["entity"].notna() & (names is not None)
    place = pd.Series(np.nan, index=rows.frame.index)  # of the case in the table
    if names is not None:
        places = pd.Series(np.arange(len(names), dtype=np.float64), index=names)
        place = rows.stored["entity"].map(places[places.index.notna()].groupby(level=0).first()).astype("float64")
    for version in rows.stored.loc[~named, "version"].unique():
        of_version = (~named & (rows.stored["version"] == version)).to_numpy()
        place[of_version] = _equal_rows(rows, of_version, table)
    known = place.notna()
    target = table.data.target
    truth = comparable(table.frame[target]).to_numpy()[place[known].astype("int64")]
    contradicting = int((comparable(rows.frame[target])[known].to_numpy() != truth).sum())
    rows.keep(~known, KNOWN)
    return contradicting


def _equal_rows(rows: CaseRows, chosen: NDArray[np.bool_], table: TableSoFar) -> NDArray[np.float64]:
    """For each chosen row the first row of the table with equal values; NaN: there is none."""
    time, target = table.data.time, table.data.target
    asked = [name for name in table.frame.columns if rows.asked.loc[chosen, name].any()]
    if not asked:  # `serving.privacy` hides all of it
        return np.full(int(chosen.sum()), np.nan)
    timed = time is not None and bool(rows.frame.loc[chosen, time].notna().all())
    columns = list(dict.fromkeys([*asked, str(time) if timed else target]))
    theirs = hashes(table.frame, columns).reset_index(drop=True)
    first = pd.Series(theirs.index, index=theirs).groupby(level=0).first()
    return hashes(rows.frame[chosen], columns).map(first).to_numpy(dtype=np.float64)


def _stored_names(table: TableSoFar) -> "NDArray[np.object_] | None":
    """(n,) the names under which the store keeps the table's cases; None if it keeps none, or the key is not here."""
    privacy, key, id = table.settings.privacy, key_from_environment(), table.data.id
    if id is None or id in privacy.drop or id in privacy.truncate or (id in privacy.hash and not key):
        return None
    name_of = entity_namer(privacy, id, key)
    codes, texts, _ = ColumnReader(table.readings.get(id, ColumnReading())).read_texts(table.frame[id])
    found = np.empty(len(texts), dtype=object)
    found[:] = [None if text is None else indexable_name(name_of(text)) for text in texts]
    return found[codes]
