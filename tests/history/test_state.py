"""The state that serves: the same numbers as the table, hour by hour."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.config import UseCase
from noria.history import HistoryState, add_history
from noria.history.seed import newest_cases, pack_seed
from noria.schema import InputSchema
from noria.system.errors import NoriaError
from tests.history.past_cases import FEATURES, table, use_case

CASES = [use_case(), use_case(label_hours="hours"), use_case(id=None)]


def schema_of(case: UseCase, frame: pd.DataFrame) -> InputSchema:
    schema = InputSchema.fit(add_history(frame, case), case)
    assert schema.history == case.history_spec()
    return schema


def raw(rows: pd.DataFrame, names: list[str]) -> dict[str, list[Any]]:
    """As a request brings them."""
    found = rows[names].assign(at=rows["at"].astype(str)) if "at" in names else rows[names]
    return {name: [None if pd.isna(value) else value for value in found[name]] for name in names}


def entities(rows: pd.DataFrame, case: UseCase) -> list[str | None]:
    return [None] * len(rows) if case.data.id is None else rows["trip"].tolist()


def replay(frame: pd.DataFrame, case: UseCase, state: HistoryState, step: str) -> pd.DataFrame:
    """Ask hour by hour about the cases of that hour, and bring each label when it is known."""
    spec, asked = state.spec, []
    known_after = frame["hours"].fillna(6) if case.data.label_hours else pd.Series(6.0, index=frame.index)
    known_at = frame["at"] + pd.to_timedelta(known_after, unit="h")
    told = pd.Series(False, index=frame.index)
    for now, rows in frame.groupby(frame["at"].dt.floor(step)):
        cases = state.read(raw(rows, spec.inputs))
        # labels known before the last question of these rows; which of them count is up to the definition
        due = frame.index[~told & (known_at < rows["at"].max() - pd.Timedelta("1h"))]
        for place in due:
            state.label(frame.at[place, "late"], id=f"p{place}")
        told[due] = True
        columns = state.features(cases, entities(rows, case))
        asked.append(pd.DataFrame(dict(zip(spec.names, columns, strict=True)), index=rows.index))
        state.add(cases, [f"p{place}" for place in rows.index], entities(rows, case))
        assert now is not None
    return pd.concat(asked).sort_index()


@pytest.mark.parametrize(
    ("keys", "step"),
    [
        ({}, "20min"),
        ({}, "6h"),
        ({"id": None}, "1h"),
        ({"label_hours": "hours"}, "20min"),
        ({"label_hours": "hours"}, "1h"),  # where cases of one hour do not need each other's labels
    ],
)
def test_hour_by_hour_it_is_the_table_to_the_bit(keys: dict[str, Any], step: str) -> None:
    # without the feature that says its labels are known earlier than they are brought
    case = use_case([each for each in FEATURES if each["name"] != "late_all"], **keys)
    frame = table(500).sort_values("at", kind="stable").reset_index(drop=True)
    expected = add_history(frame, case)[[feature.name for feature in case.features.history]]

    asked = replay(frame, case, HistoryState(schema_of(case, frame)), step)

    pd.testing.assert_frame_equal(asked, expected, check_exact=True, check_freq=False)


@pytest.mark.parametrize("case", CASES, ids=["one delay", "a delay of each case", "without identifiers"])
def test_a_model_begins_with_the_cases_it_has_learned(case: UseCase) -> None:
    frame = table(500).sort_values("at", kind="stable").reset_index(drop=True)
    expected = add_history(frame, case)[[feature.name for feature in case.features.history]]
    learned, later = frame.iloc[:350], frame.iloc[350:]
    schema = schema_of(case, learned)
    seed = pack_seed(*newest_cases(learned, schema, entities(learned, case)))
    state = HistoryState(schema, seed)

    cases = state.read(raw(later, state.spec.inputs))
    columns = state.features(cases, entities(later, case))

    asked = pd.DataFrame(dict(zip(state.spec.names, columns, strict=True)), index=later.index)
    # labels of later cases are not there, so what needs one is compared while none of them would be known
    first = later["at"] < later["at"].min() + pd.Timedelta("1h")
    labels = [feature.name for feature in case.features.history if feature.of == "late"]
    pd.testing.assert_frame_equal(
        asked.drop(columns=labels), expected.iloc[350:].drop(columns=labels), check_exact=True
    )
    pd.testing.assert_frame_equal(asked.loc[first, labels], expected.iloc[350:].loc[first, labels], check_exact=True)


def test_a_case_that_is_asked_about_again_counts_once() -> None:
    case = use_case([{"name": "n", "stat": "count", "over": "30d"}, FEATURES[0]])
    frame = table(4).assign(at=pd.Timestamp("2024-03-01"), line="a")
    state = HistoryState(schema_of(case, table()))
    for attempt in ("first", "second"):
        rows = state.read(raw(frame, state.spec.inputs))
        state.add(rows, [f"{attempt} {place}" for place in range(4)], entities(frame, case))
        state.label("yes", entity="t0")

    later = state.read(raw(frame.assign(at=pd.Timestamp("2024-03-01 08:00")), state.spec.inputs))
    counted, rate = state.features(later, ["t0", "x", "y", "z"])

    assert counted.tolist() == [4.0] * 4
    assert rate.tolist() == [1.0] * 4  # the label of t0, once


def test_a_corrected_label_replaces_the_first() -> None:
    case = use_case([FEATURES[0]])
    state = HistoryState(schema_of(case, table()))
    frame = table(1).assign(at=pd.Timestamp("2024-03-01"), line="a")
    state.add(state.read(raw(frame, state.spec.inputs)), ["p"], [None])
    later = state.read(raw(frame.assign(at=pd.Timestamp("2024-03-01 08:00")), state.spec.inputs))

    assert state.label("yes", id="p")
    first = state.features(later, [None])[0].tolist()
    assert state.label("no", id="p")

    assert (first, state.features(later, [None])[0].tolist()) == ([1.0], [0.0])
    assert not state.label("yes", id="unknown")


def test_the_state_forgets_what_is_too_old_to_count_and_a_far_future_makes_it_forget_nothing() -> None:
    case = use_case()
    state, clean = (HistoryState(schema_of(case, table())) for _ in range(2))
    frame = table(1)
    names = state.spec.inputs
    for place in range(12):
        rows = pd.concat([frame] * 1_000, ignore_index=True)
        rows["at"] = pd.Timestamp("2024-03-01") + pd.to_timedelta(place * 1_000 + np.arange(1_000), unit="min")
        for each in (state, clean):
            each.add(each.read(raw(rows, names)), [f"{place} {row}" for row in range(1_000)], [None] * 1_000)
        far = frame.assign(at=pd.Timestamp("2199-01-01"))
        state.add(state.read(raw(far, names)), [f"far {place}"], [None])

    last = frame.assign(at=rows["at"].iloc[-1])
    asked = [each.features(each.read(raw(last, names)), [None]) for each in (state, clean)]

    assert len(state) < 9_000
    np.testing.assert_array_equal(*asked)
    assert asked[0][3].tolist() == [120.0]


def test_a_damaged_seed_is_refused() -> None:
    frame, case = table(), use_case()
    schema = schema_of(case, frame)
    seed = pack_seed(*newest_cases(frame, schema, entities(frame, case)))

    for content in (b"", b"no seed", seed[:-40]):
        with pytest.raises(NoriaError) as error:
            HistoryState(schema, content)
        assert error.value.code == "history.seed_unreadable"
