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
from noria.system.errors import NoriaError
from tests import bundles
from tests.errors_raised import raises
from tests.monitoring.conftest import Tables
from tests.monitoring.served import NOW, serve
from tests.predicted import prediction_event


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

    joined = join_labels(
        store,
        str(tmp_path / "labels.csv"),
        churn,
        quarantine=tmp_path / "bad.csv",
        at=NOW,
        classes=churn_bundle.manifest.classes,
    )

    assert joined == LabelJoinResult(joined=3, waiting=1, unknown=1, refused=2)
    labelled = read_window(store, churn, "1", NOW).labelled.set_index("prediction_id")
    assert labelled.loc[[ids[0], ids[1], ids[4]], "label"].tolist() == ["Yes", "No", "Yes"]
    bad = pd.read_csv(tmp_path / "bad.csv")
    assert bad["reason"].tolist() == ["churn is none of No, Yes", "prediction_id is missing"]
    assert bad["churn"].tolist() == ["perhaps", "Yes"]


def test_cases_are_found_by_their_own_identifier_even_as_a_column_of_floats(
    churn: UseCase, store: PredictionStore, tmp_path: Path
) -> None:
    use_case = bundles.changed(churn, data={"id": "customer"})
    store.ingest([prediction_event(NOW, {"a": 1}, entity=entity) for entity in ("17", "18")])
    (tmp_path / "labels.csv").write_text("customer,churn\n17,Yes\n,No\n18,No\n")
    joined = join_labels(store, str(tmp_path / "labels.csv"), use_case, quarantine=tmp_path / "bad.csv", at=NOW)
    assert (joined.joined, joined.refused) == (2, 1)


def test_cases_that_are_kept_as_hashes_are_found_by_their_plain_identifier(
    churn: UseCase, store: PredictionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    privacy = PrivacyConfig(hash=["customer"])
    case = Redactor(privacy, [], b"key", id="customer").entity("17")
    store.ingest([prediction_event(NOW, {"a": 1}, entity=case)])
    (tmp_path / "labels.csv").write_text("customer,churn\n17,Yes\n18,No\n")
    hashed = bundles.changed(churn, data={"id": "customer"}, serving={"privacy": privacy})
    cut = bundles.changed(churn, data={"id": "customer"}, serving={"privacy": PrivacyConfig(truncate={"customer": 1})})
    monkeypatch.setenv("NORIA_PRIVACY_KEY", "key")
    joined = join_labels(store, str(tmp_path / "labels.csv"), hashed, quarantine=tmp_path / "bad.csv", at=NOW)
    assert (joined.joined, joined.waiting) == (1, 1)
    with pytest.raises(NoriaError, match="not stored completely"):
        join_labels(store, str(tmp_path / "labels.csv"), cut, quarantine=tmp_path / "bad.csv", at=NOW)


def test_a_number_is_asked_for_where_a_number_is_predicted(
    bikes: UseCase, store: PredictionStore, tmp_path: Path
) -> None:
    (tmp_path / "labels.csv").write_text("prediction_id,cnt\na,12\nb,many\nc,inf\n")
    joined = join_labels(store, str(tmp_path / "labels.csv"), bikes, quarantine=tmp_path / "bad.csv", at=NOW)
    assert (joined.waiting, joined.refused) == (1, 2)
    assert pd.read_csv(tmp_path / "bad.csv")["reason"].tolist() == ["cnt is not a number"] * 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prediction_id,chrn\na,Yes\n", ("monitoring.label_column_missing", "`churn`", "did you mean `chrn`")),
        ("name,churn\na,Yes\n", ("monitoring.label_key_missing", "`prediction_id`")),
        ("", ("data.file_empty",)),
    ],
)
def test_a_file_without_the_needed_columns_is_refused(
    churn: UseCase, store: PredictionStore, tmp_path: Path, text: str, told: tuple[str, ...]
) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with raises(*told):
        join_labels(store, str(tmp_path / "labels.csv"), churn, quarantine=tmp_path / "bad.csv", at=NOW)
    assert store.counts().unmatched_labels == 0
