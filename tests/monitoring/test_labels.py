"""Labels from a file find their predictions."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase
from noria.config.serving import PrivacyConfig
from noria.monitoring import LabelJoinResult, join_labels, read_window
from noria.predictions import PredictionStore
from noria.predictions.privacy import Redactor
from noria.system.workspace import PROJECT
from tests import bundles
from tests.errors_raised import raises
from tests.monitoring.conftest import Tables
from tests.monitoring.served import NOW, serve
from tests.predicted import prediction_event


def join(store: PredictionStore, file: Path, use_case: UseCase, bundle: Bundle, folder: Path) -> LabelJoinResult:
    return join_labels(store, str(file), use_case, bundle.manifest, quarantine=folder / "bad.csv", at=NOW)


def test_labels_join_wait_or_are_refused_with_the_reason(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, tmp_path: Path
) -> None:
    ids = serve(store, churn_bundle, churn_rows[1].head(5), NOW - timedelta(days=3))
    table = pd.DataFrame(
        {
            "prediction_id": [*ids, "someone else", None],
            "churn": ["Yes", "No", "perhaps", None, "Yes", "No", "Yes"],
        }
    )
    table.to_csv(tmp_path / "labels.csv", index=False)

    joined = join(store, tmp_path / "labels.csv", churn, churn_bundle, tmp_path)

    assert joined == LabelJoinResult(joined=3, waiting=1, unknown=1, refused=2, key="prediction_id")
    labelled = read_window(store, churn, "1", NOW).labelled.set_index("prediction_id")
    assert labelled.loc[[ids[0], ids[1], ids[4]], "label"].tolist() == ["Yes", "No", "Yes"]
    bad = pd.read_csv(tmp_path / "bad.csv")
    assert bad["reason"].tolist() == ["churn: 'perhaps' is none of No, Yes", "prediction_id is missing"]
    assert bad["churn"].tolist() == ["perhaps", "Yes"]


def test_cases_are_found_by_their_own_identifier_even_as_a_column_of_floats(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, tmp_path: Path
) -> None:
    use_case = bundles.changed(churn, data={"id": "customer"})
    store.ingest([prediction_event(NOW, {"a": 1}, entity=entity) for entity in ("17", "18")])
    (tmp_path / "labels.csv").write_text("customer,churn\n17,Yes\n,No\n18,No\n")
    joined = join(store, tmp_path / "labels.csv", use_case, churn_bundle, tmp_path)
    assert (joined.joined, joined.refused) == (2, 1)


def test_cases_that_are_kept_as_hashes_are_found_by_their_plain_identifier(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    privacy = PrivacyConfig(hash=["customer"])
    case = Redactor(privacy, [], b"key", id="customer").entity("17")
    store.ingest([prediction_event(NOW, {"a": 1}, entity=case)])
    (tmp_path / "labels.csv").write_text("customer,churn\n17,Yes\n18,No\n")
    hashed = bundles.changed(churn, data={"id": "customer"}, serving={"privacy": privacy})
    cut = bundles.changed(churn, data={"id": "customer"}, serving={"privacy": PrivacyConfig(truncate={"customer": 1})})
    monkeypatch.setenv("NORIA_PRIVACY_KEY", "key")
    joined = join(store, tmp_path / "labels.csv", hashed, churn_bundle, tmp_path)
    assert (joined.joined, joined.waiting) == (1, 1)
    with raises("predictions.id_not_kept"):
        join(store, tmp_path / "labels.csv", cut, churn_bundle, tmp_path)


def test_a_number_is_asked_for_where_a_number_is_predicted(
    bike_bundle: Bundle, bikes: UseCase, store: PredictionStore, tmp_path: Path
) -> None:
    store.ingest([prediction_event(NOW, {"a": 1}, id="a", prediction=11.0)])
    (tmp_path / "labels.csv").write_text("prediction_id,cnt\na,12\nb,many\nc,inf\n")
    joined = join(store, tmp_path / "labels.csv", bikes, bike_bundle, tmp_path)
    assert (joined.joined, joined.refused) == (1, 2)
    assert pd.read_csv(tmp_path / "bad.csv")["reason"].tolist() == [
        "cnt: 'many' is not a number",
        "cnt: 'inf' is not a number",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "prediction_id,chrn\na,Yes\n",
            ("monitoring.label_column_missing", "`churn`", "`prediction_id`, `chrn`", "','"),
        ),
        ("name,churn\na,Yes\n", ("monitoring.label_key_missing", "`id`", "`prediction_id`", "`name`, `churn`", "','")),
        ("id;churn\na;Yes\n", ("monitoring.label_column_missing", "`id;churn`", "','", "semicolons")),
        ("", ("data.file_empty",)),
    ],
)
def test_a_file_without_the_needed_columns_is_refused(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, tmp_path: Path, *, text: str, told: tuple[str, ...]
) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with raises(*told):
        join(store, tmp_path / "labels.csv", churn, churn_bundle, tmp_path)
    assert store.counts().unmatched_labels == 0


def test_the_file_is_read_in_the_dialect_of_the_use_case(
    bike_bundle: Bundle, bikes: UseCase, store: PredictionStore, tmp_path: Path
) -> None:
    """`12,5` beside a semicolon is twelve and a half, as in the table that the model was trained on."""
    source = bikes.data.sources[0].model_copy(update={"separator": ";", "decimal": ","})
    european = bundles.changed(bikes, data={"sources": [source]})
    store.ingest([prediction_event(NOW, {"a": 1}, id=id, prediction=11.0) for id in "ab"])
    (tmp_path / "labels.csv").write_text("id;cnt\na;12,5\nb;1000\n")
    joined = join(store, tmp_path / "labels.csv", european, bike_bundle, tmp_path)
    assert (joined.joined, joined.refused) == (2, 0)
    window = store.window(NOW - timedelta(days=1))
    assert window.set_index("prediction_id")["label"].to_dict() == {"a": 12.5, "b": 1000.0}
    (tmp_path / "labels.csv").write_text("id,cnt\na,12.5\n")
    with raises("monitoring.label_column_missing", "`id,cnt`", "';'", "commas"):
        join(store, tmp_path / "labels.csv", european, bike_bundle, tmp_path)


def test_the_example_in_the_documentation_joins(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, tmp_path: Path
) -> None:
    example = PROJECT / "docs" / "examples" / "labels.csv"
    assert example.read_text() in (PROJECT / "docs" / "labels.md").read_text()
    ids = pd.read_csv(example)["id"].tolist()
    store.ingest([prediction_event(NOW, {"a": 1}, id=id) for id in ids])
    joined = join(store, example, churn, churn_bundle, tmp_path)
    assert joined == LabelJoinResult(joined=3, waiting=0, unknown=1, refused=0, key="id")


@pytest.mark.parametrize("own", ["customer", "id"])
def test_a_column_called_id_names_predictions_if_its_values_do(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, tmp_path: Path, own: str
) -> None:
    """Otherwise it numbers the rows of somebody's table, or names the cases."""
    use_case = bundles.changed(churn, data={"id": own})
    answers = [prediction_event(NOW, {"a": 1}, entity=entity) for entity in ("17", "18")]
    store.ingest(answers)
    file = tmp_path / "labels.csv"
    by_case = "id,customer,churn\n1,17,Yes\n2,18,No\n" if own == "customer" else "id,churn\n17,Yes\n18,No\n"
    file.write_text(by_case)
    joined = join(store, file, use_case, churn_bundle, tmp_path)
    assert (joined.joined, joined.key) == (2, own)
    file.write_text("id,customer,churn\n" + "".join(f"{each.ids[0]},0,No\n" for each in answers))
    joined = join(store, file, use_case, churn_bundle, tmp_path)
    assert (joined.joined, joined.key) == (2, "id")
    assert store.window(NOW - timedelta(days=1))["label"].tolist() == ["No", "No"]


@pytest.mark.parametrize(
    ("header", "names"),
    [("id", "ids"), ("prediction_id", "ids"), ("customer", "cases")],
    ids=["id", "prediction", "case"],
)
def test_a_file_of_which_nothing_is_known_is_refused(
    churn_bundle: Bundle, churn: UseCase, store: PredictionStore, tmp_path: Path, *, header: str, names: str
) -> None:
    use_case = bundles.changed(churn, data={"id": "customer"})
    store.ingest([prediction_event(NOW, {"a": 1}, entity="000017")])
    file = tmp_path / "labels.csv"
    file.write_text(f"{header},churn\n" + "".join(f"x{number},Yes\n" for number in range(10)))
    with raises("predictions.labels_unknown", f"none of the 10 {names} is known", f"`{header}`", "'x0', 'x1'"):
        join(store, file, use_case, churn_bundle, tmp_path)
    assert store.counts().unmatched_labels == 0
    file.write_text(f"{header},churn\nx1,\nx2,\n")  # none is known yet
    joined = join(store, file, use_case, churn_bundle, tmp_path)
    assert (joined.joined, joined.waiting, joined.unknown) == (0, 0, 2)


def test_a_file_says_when_each_label_became_known(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, tmp_path: Path
) -> None:
    ids = serve(store, churn_bundle, churn_rows[1].head(4), NOW - timedelta(days=3))
    times = [NOW - timedelta(days=1), None, NOW + timedelta(days=1), "soon"]
    table = pd.DataFrame({"prediction_id": ids, "churn": ["Yes", "No", "No", "Yes"], "labelled_at": times})
    table.to_csv(tmp_path / "labels.csv", index=False)

    joined = join(store, tmp_path / "labels.csv", churn, churn_bundle, tmp_path)

    assert (joined.joined, joined.refused) == (2, 2)
    assert store.window(NOW - timedelta(days=9), labelled=True)["labelled_at"].tolist() == [times[0], NOW]
    assert pd.read_csv(tmp_path / "bad.csv")["prediction_id"].tolist() == ids[2:]
