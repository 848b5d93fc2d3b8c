"""The model of the short endurance runs."""

from pathlib import Path

from benchmarks.served.case import ID, table, use_case
from noria.bundle import Bundle, write_bundle
from noria.models.fitted_model import fit
from noria.models.policy_choice import DecisionPolicy


def small_bundle(folder: Path) -> Bundle:
    """A model of the benchmark's use case, whose cases have an identifier."""
    case, customers = use_case(), table(2_000)
    assert ID in customers
    fitted = fit("xgboost", {"n_estimators": 20, "max_depth": 3}, customers, case)
    return write_bundle(
        folder,
        fitted,
        use_case=case,
        train=customers,
        out_of_fold=fitted.scores(customers),
        policy=DecisionPolicy(threshold=0.5),
        fingerprint="0" * 64,
        version="1",
    )
