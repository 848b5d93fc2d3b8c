"""Worth per day, and the business figure beside it."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase
from noria.metrics.metrics import compute_metrics
from noria.monitoring import MonitoringVerdict, monitor, read_window
from noria.monitoring.business import joined_figure, joined_worth, measure_figure
from noria.monitoring.results import FigureByDay
from noria.predictions import PredictionStore
from noria.system.workspace import Workspace
from tests import bundles
from tests.errors_raised import raises
from tests.monitoring.conftest import Tables
from tests.monitoring.served import NOW, serve

ONE_DAY_LATE = {"problem": {"label_delay_days": 1.5}}
Figure = Callable[..., FigureByDay | None]


def check(bundle: Bundle, store: PredictionStore, use_case: UseCase, workspace: Workspace) -> MonitoringVerdict:
    window = read_window(store, use_case, bundle.manifest.version, NOW)
    return monitor(bundle, window, use_case, workspace, NOW)


@pytest.mark.slow
def test_each_day_is_worth_what_its_decisions_brought_in(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    use_case = bundles.changed(churn, **ONE_DAY_LATE)
    parts = {days: churn_rows[1].iloc[days * 100 : (days + 1) * 100] for days in (1, 2, 3)}
    for days, rows in parts.items():
        serve(store, churn_bundle, rows, NOW - timedelta(days=days), rows["churn"])

    daily = check(churn_bundle, store, use_case, workspace).daily_worth

    assert daily is not None and daily.unit == churn.problem.unit
    assert [(day.day, day.rows, day.complete) for day in daily.days] == [
        ("2026-06-27", 100, True),
        ("2026-06-28", 100, True),
        ("2026-06-29", 100, False),  # its labels may still come
    ]
    worth: Any = churn.problem.worth
    for day, rows in zip(daily.days, (parts[3], parts[2], parts[1]), strict=True):
        answers = churn_bundle.answer(rows)
        decisions = answers.table["decision"].to_numpy(dtype=str)
        expected = compute_metrics(churn, rows["churn"].to_numpy(), answers.scores, decisions)["worth"] / 10
        assert day.model == pytest.approx(expected)
        churned = (rows["churn"] == "Yes").sum()
        assert day.nothing == pytest.approx(churned * worth.false_negative + (100 - churned) * worth.true_negative)
        assert day.rules is not None and day.rules != day.nothing
    text = (workspace.monitoring / "history.jsonl").read_text()
    assert '"daily_worth":{"unit"' in text


@pytest.mark.slow
def test_the_rules_are_judged_per_day_as_over_the_whole_window(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1].head(300)
    serve(store, churn_bundle, rows, NOW - timedelta(days=1), rows["churn"])

    verdict = check(churn_bundle, store, churn, workspace)

    assert verdict.rules is not None and verdict.daily_worth is not None
    (day,) = verdict.daily_worth.days
    assert day.model == pytest.approx(verdict.rules.model * 0.3)
    assert day.rules == pytest.approx(verdict.rules.rules * 0.3)


@pytest.mark.slow
def test_numbers_have_an_error_per_day_beside_that_of_the_rules(
    bike_bundle: Bundle, bikes_2012: pd.DataFrame, bikes: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    rows = bikes_2012.head(200)
    serve(store, bike_bundle, rows, NOW - timedelta(days=2), rows["cnt"])

    daily = check(bike_bundle, store, bikes, workspace).daily_worth

    assert daily is not None
    (day,) = daily.days
    off = np.abs(bike_bundle.predict(rows)["prediction"].to_numpy(dtype=float) - rows["cnt"].to_numpy(dtype=float))
    assert day.error == pytest.approx(off.mean())
    assert day.error_rules is not None and day.error_rules > 0
    assert day.nothing < 0


@pytest.mark.slow
def test_of_a_sample_the_sums_are_those_of_all_cases(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    use_case = bundles.changed(churn, monitoring={"max_rows": 100})
    rows = churn_rows[1].head(400)
    serve(store, churn_bundle, rows, NOW - timedelta(days=1), rows["churn"])

    daily = check(churn_bundle, store, use_case, workspace).daily_worth

    assert daily is not None and daily.share == 0.25
    assert daily.days[0].rows == 400
    worth: Any = churn.problem.worth
    all_left = (rows["churn"] == "Yes").sum() * worth.false_negative
    assert daily.days[0].nothing == pytest.approx(all_left, rel=0.4)


@pytest.mark.slow
def test_a_day_on_which_two_versions_answered_is_the_sum_of_both(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    newer = Bundle(churn_bundle.manifest.model_copy(update={"version": "2"}), churn_bundle.folder)
    first, second = churn_rows[1].head(60), churn_rows[1].iloc[60:150]
    serve(store, churn_bundle, first, NOW - timedelta(days=2), first["churn"])
    old = [check(churn_bundle, store, churn, workspace), check(churn_bundle, store, churn, workspace)]
    serve(store, newer, second, NOW - timedelta(days=2), second["churn"])
    new = check(newer, store, churn, workspace)

    joined = joined_worth([*old, new])

    assert joined is not None and old[1].daily_worth is not None and new.daily_worth is not None
    (day,) = joined.days
    assert day.rows == 150
    assert day.model == pytest.approx(old[1].daily_worth.days[0].model + new.daily_worth.days[0].model)


@pytest.fixture
def figure(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> Figure:
    """Measures the business figure that is given, on 60 cases of each of two days."""
    for days in (1, 2):
        rows = churn_rows[1].iloc[days * 60 : (days + 1) * 60]
        serve(store, churn_bundle, rows, NOW - timedelta(days=days), rows["churn"])

    def measured(labels: str = "", sources: list[dict[str, str]] | None = None, **keys: Any) -> FigureByDay | None:
        raw = churn.model_dump(mode="json", exclude_unset=True)
        raw["problem"]["business_figure"] = {"name": "Customers who leave", **keys}
        raw["data"]["sources"] += sources or []
        raw["data"]["joins"] = [{"source": each["name"], "on": ["id"]} for each in sources or []]
        use_case = UseCase.model_validate(raw)
        window = read_window(store, use_case, "1", NOW)
        return measure_figure(
            use_case,
            churn_bundle.manifest,
            window.labelled,
            since=window.labelled_since or window.since,
            now=NOW,
            store_url=workspace.predictions_url,
            labels=labels,
        )

    return measured


def values(found: FigureByDay | None) -> dict[str, float]:
    assert found is not None
    return {day.day: day.value for day in found.days}


def two_days(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return rows.iloc[120:180], rows.iloc[60:120]


def test_a_share_of_the_labels(figure: Figure, churn_rows: Tables) -> None:
    older, newer = two_days(churn_rows[1])
    found = values(figure(column="churn", of="share"))
    assert found == {
        "2026-06-28": pytest.approx((older["churn"] == "Yes").mean()),
        "2026-06-29": pytest.approx((newer["churn"] == "Yes").mean()),
    }


def test_columns_of_the_asked_rows(figure: Figure, churn_rows: Tables) -> None:
    older, newer = two_days(churn_rows[1])
    assert list(values(figure(column="monthly_charges")).values()) == pytest.approx(
        [older["monthly_charges"].mean(), newer["monthly_charges"].mean()]
    )
    assert list(values(figure(column="monthly_charges", of="sum")).values()) == pytest.approx(
        [older["monthly_charges"].sum(), newer["monthly_charges"].sum()]
    )
    two_years = values(figure(column="contract", of="share", value="Two year"))
    assert two_years["2026-06-29"] == pytest.approx((newer["contract"] == "Two year").mean())


def test_a_column_of_the_label_file(
    figure: Figure, churn_bundle: Bundle, churn_rows: Tables, store: PredictionStore, tmp_path: Path
) -> None:
    rows = churn_rows[1].head(3)
    ids = serve(store, churn_bundle, rows, NOW - timedelta(days=3), rows["churn"])
    file = tmp_path / "labels.csv"
    file.write_text(
        "id,churn,refund\n" + "".join(f"{key},No,{refund}\n" for key, refund in zip(ids, (5, "", 7), strict=True))
    )
    found = figure(labels=str(file), column="refund", of="sum")
    assert values(found) == {"2026-06-27": 12}
    with raises("monitoring.figure_column_missing"):
        figure(labels=str(file), column="refunds")
    unknown = figure(column="refund")
    assert unknown is not None and not unknown.days and "--labels" in unknown.note


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"column": "contract"}, "monitoring.figure_values_invalid"),
        ({"column": "contract", "of": "share"}, "monitoring.figure_values_invalid"),
        ({"column": "churn"}, "monitoring.figure_values_invalid"),
        ({"query": "DELETE FROM predictions"}, "data.query_failed"),
        ({"query": "SELECT 1; DROP TABLE labels"}, "data.query_failed"),
        ({"query": "SELECT * FROM no_such_table"}, "data.query_failed"),
        ({"query": "SELECT 1"}, "monitoring.figure_query_invalid"),
        ({"query": "SELECT date(at), count(*), 3 FROM predictions GROUP BY 1"}, "monitoring.figure_query_invalid"),
        ({"query": "SELECT date(at), 1 FROM predictions"}, "monitoring.figure_query_invalid"),
        ({"query": "SELECT decision, count(*) FROM predictions GROUP BY 1"}, "monitoring.figure_query_invalid"),
        ({"query": "SELECT NULL, count(*) FROM predictions"}, "monitoring.figure_query_invalid"),
        ({"query": "SELECT date(at), 9e999 FROM predictions GROUP BY 1"}, "monitoring.figure_query_invalid"),
        ({"query": "SELECT date(at), 'many' FROM predictions GROUP BY 1"}, "monitoring.figure_query_invalid"),
    ],
)
def test_what_cannot_be_a_figure_is_refused(
    figure: Figure, store: PredictionStore, keys: dict[str, Any], code: str
) -> None:
    with raises(code):
        figure(**keys)
    assert store.counts().predictions == 120


def test_a_query_of_the_prediction_store(figure: Figure, churn_rows: Tables) -> None:
    older, newer = two_days(churn_rows[1])
    query = "SELECT date(at), avg(label = '\"Yes\"') FROM predictions WHERE label_id IS NOT NULL GROUP BY 1"
    assert list(values(figure(query=query)).values()) == pytest.approx(
        [(older["churn"] == "Yes").mean(), (newer["churn"] == "Yes").mean()]
    )


def test_a_query_of_a_source_has_the_days_of_the_window(figure: Figure, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("CREATE TABLE orders (day TEXT, revenue REAL)")
        days = [("2026-06-28", 4.0), ("2026-06-28", 2.0), ("2026-06-29", None), ("2025-01-01", 9.0)]
        shop.executemany("INSERT INTO orders VALUES (?, ?)", days)
    shop.close()
    source = {"name": "shop", "url": f"sqlite:///{tmp_path / 'shop.db'}", "query": "SELECT 1 AS id"}
    found = figure(query="SELECT day, sum(revenue) FROM orders GROUP BY day", source="shop", sources=[source])
    assert values(found) == {"2026-06-28": 6}


def test_a_database_that_is_down_is_said_and_costs_no_verdict(figure: Figure) -> None:
    source = {"name": "shop", "url": "postgresql+psycopg://u:secret@127.0.0.1:1/shop", "query": "SELECT 1 AS id"}
    found = figure(query="SELECT 1, 2", source="shop", sources=[source])
    assert found is not None and not found.days
    assert found.note and "secret" not in found.note


@pytest.mark.slow
def test_checks_without_the_label_file_keep_the_days_that_others_had(
    churn_bundle: Bundle, churn_rows: Tables, store: PredictionStore, workspace: Workspace, tmp_path: Path
) -> None:
    figure = {"name": "Refunds", "column": "refund", "of": "sum"}
    use_case = bundles.changed(bundles.churn().use_case, problem={"business_figure": figure})
    rows = churn_rows[1].head(2)
    ids = serve(store, churn_bundle, rows, NOW - timedelta(days=3), rows["churn"])
    file = tmp_path / "labels.csv"
    file.write_text(f"id,churn,refund\n{ids[0]},No,5\n{ids[1]},No,6\n")
    window = read_window(store, use_case, "1", NOW)

    told = [monitor(churn_bundle, window, use_case, workspace, NOW, labels=labels) for labels in (str(file), "")]

    assert told[1].figure is not None and told[1].figure.note and not told[1].figure.days
    other = bundles.changed(use_case, problem={"business_figure": {**figure, "column": "refunds"}})
    typed_wrong = monitor(churn_bundle, window, other, workspace, NOW).figure
    assert typed_wrong is not None and "--labels" in typed_wrong.note
    assert [(day.day, day.value) for day in joined_figure(told)] == [("2026-06-27", 11)]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"name": "Refunds", "column": "a", "query": "SELECT 1"}, "business_figure"),
        ({"name": "Refunds", "colum": "a"}, "business_figure.colum"),
        ({"name": "Refunds", "column": "a", "of": "median"}, "business_figure.of"),
        ({"name": "Refunds", "query": "SELECT 1", "source": "no such"}, "business_figure.source"),
        ({"name": "Refunds", "column": "a", "of": "sum", "value": 3}, "business_figure"),
        ({"name": "Refunds", "column": "tenure"}, "business_figure.column"),
    ],
)
def test_mistakes_in_the_use_case_are_named(churn: UseCase, tmp_path: Path, given: dict[str, Any], place: str) -> None:
    import yaml

    from noria.config import load_use_case

    raw = churn.model_dump(mode="json", exclude_unset=True)
    raw["problem"]["business_figure"] = given
    raw["serving"] = {"privacy": {"hash": ["tenure"]}}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(raw))
    with raises("config.invalid") as caught:
        load_use_case(tmp_path / "case.yaml")
    assert place in caught.value.what
