"""Facts about one column."""

import numpy as np
import pandas as pd

from noria.config import UseCase
from noria.profiling.report.profile_results import ColumnProfile, HistogramBin, Kind, LevelSummary, NumericSummary, Role
from noria.profiling.target_association import TargetSample, fine_codes, target_association, target_by_level
from noria.reporting.formats import date, number
from noria.schema.row_check import seconds
from noria.tabular.types import is_number

_FREE_TEXT_SHARE = 0.5
_FREE_TEXT_VALUES = 100
_BARS = 30
_FEW_VALUES = 12
_FENCE = 1.5


def profile_column(whole: pd.Series, sample: pd.Series, outcome: TargetSample, use_case: UseCase) -> ColumnProfile:
    """Look at one column.

    Args:
        whole: all n values: counts and summaries are taken from them.
        sample: the values of the sampled rows, for the distribution and the relation to the target.
        outcome: the target of the sampled rows.
        use_case: tells the column's role.
    """
    name = str(whole.name)
    kind, role = _kind(whole, use_case), _role(name, use_case)
    numbers = as_numbers(whole) if kind in {"number", "datetime"} and role != "identifier" else None
    counts = whole.value_counts().head(1)
    related = role not in {"target", "identifier"} and kind not in {"text", "empty"}
    return ColumnProfile(
        name=name,
        kind=kind,
        role=role,
        missing=int(whole.isna().sum()),
        missing_share=float(whole.isna().mean()),
        distinct=int(whole.nunique()),
        most_common=str(counts.index[0]) if len(counts) else "",
        most_common_rows=int(counts.iloc[0]) if len(counts) else 0,
        numbers=_summary(numbers) if numbers is not None else None,
        histogram=_histogram(as_numbers(sample)) if numbers is not None and _many(whole, kind) else [],
        levels=_levels(sample, kind, outcome) if related or role == "target" else [],
        strength=_strength(sample, kind, outcome) if related else None,
    )


def as_numbers(values: pd.Series) -> pd.Series:
    """Numbers as they are, without infinite ones; dates as epoch seconds."""
    if pd.api.types.is_datetime64_any_dtype(values):
        naive = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values
        return pd.Series(seconds(naive.to_numpy(dtype="datetime64[us]")), index=values.index, name=values.name)
    return values.astype("float64").where(np.isfinite)


def _kind(values: pd.Series, use_case: UseCase) -> Kind:
    if values.isna().all():
        return "empty"
    if values.name in use_case.features.categorical:
        return "category"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "datetime"
    if is_number(values):
        target_of_classes = values.name == use_case.data.target and use_case.problem.task != "regression"
        return "category" if target_of_classes else "number"
    distinct = values.nunique()
    free = distinct > _FREE_TEXT_VALUES and distinct > _FREE_TEXT_SHARE * values.notna().sum()
    return "text" if free else "category"


def _role(name: str, use_case: UseCase) -> Role:
    data = use_case.data
    roles: dict[str | None, Role] = {
        use_case.split.group: "group",
        data.time: "time",
        data.id: "identifier",
        data.target: "target",
    }
    if name in data.known_too_late:
        return "known too late"
    if name in use_case.features.exclude:
        return "excluded"
    return roles.get(name, "input")


def _many(values: pd.Series, kind: Kind) -> bool:
    return kind == "datetime" or values.nunique() > _FEW_VALUES


def _summary(values: pd.Series) -> NumericSummary:
    low, quarter, median, three_quarters, high = np.nanquantile(values, [0, 0.25, 0.5, 0.75, 1])
    reach = _FENCE * (three_quarters - quarter)
    outside = (values < quarter - reach) | (values > three_quarters + reach)
    return NumericSummary(
        minimum=low,
        quarter=quarter,
        median=median,
        mean=float(values.mean()),
        three_quarters=three_quarters,
        maximum=high,
        # with half of the values equal the fences coincide, and say nothing
        outliers=int(outside.sum()) if reach > 0 else 0,
    )


def _histogram(values: pd.Series) -> list[HistogramBin]:
    present = values.dropna()
    try:
        counts, edges = np.histogram(present, bins=min(_BARS, max(1, present.nunique())))
    except ValueError:  # large numbers so near to each other that nothing lies between them
        return []
    return [
        HistogramBin(left=float(left), right=float(right), rows=int(rows))
        for left, right, rows in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _levels(values: pd.Series, kind: Kind, outcome: TargetSample) -> list[LevelSummary]:
    if kind == "category":
        return target_by_level(values.astype("str").where(values.notna()), outcome, as_category=True)
    return target_by_level(as_numbers(values), outcome, as_category=False, show=date if kind == "datetime" else number)


def _strength(values: pd.Series, kind: Kind, outcome: TargetSample) -> float:
    return target_association(fine_codes(values if kind == "category" else as_numbers(values)), outcome)
