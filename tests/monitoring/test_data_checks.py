"""What is checked in the values of a window."""

from datetime import timedelta

import numpy as np
import pytest

from noria.bundle import Bundle
from noria.config.history import HistoryFeature
from noria.monitoring.data_checks import check_data
from tests import bundles
from tests.labelling.cases import START, logged


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundles.make(bundles.churn(), "linear", tmp_path_factory.mktemp("churn") / "bundle")


@pytest.mark.parametrize(("computed", "expected"), [([], ["monthly_charges"]), (["monthly_charges"], [])])
def test_features_of_earlier_cases_are_not_delivered_so_they_have_no_faults(
    bundle: Bundle, computed: list[str], expected: list[str]
) -> None:
    case = bundles.churn()
    rows = case.test.head(1_000).reset_index(drop=True)
    rows["monthly_charges"] *= np.where(np.arange(len(rows)) < 600, 1, 100)
    history = [HistoryFeature(name=name, stat="count", over="6h") for name in computed]
    use_case = case.use_case.model_copy(
        update={"features": case.use_case.features.model_copy(update={"history": history})}
    )
    found = check_data(bundle, logged(bundle, rows), use_case, START + timedelta(hours=len(rows)), [])
    assert [name for fault in found.faults if fault.kind == "unit_changed" for name in fault.columns] == expected
