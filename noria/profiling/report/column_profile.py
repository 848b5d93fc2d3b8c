"""The profile of one column."""

import numpy as np
import pandas as pd

from noria.config import UseCase
from noria.profiling.report.profile_results import ColumnProfile, HistogramBin, Kind, NumericSummary, Role
from noria.profiling.target_association import (
    LevelSummary,
    TargetSample,
    association_groups,
    target_association,
    target_by_level,
)
from noria.reporting.formats import date, number
from noria.schema.column_types import (
    ColumnType,
    as_categories,
    as_numbers,
    classify_values,
    is_blank,
    kind_of,
    read_values,
    reading_of,
)

_BARS = 30
_FEW_VALUES = 12
_FENCE = 1.5


def profile_column(
    whole: pd.Series, sample: pd.Series, outcome: TargetSample, use_case: UseCase, training: ColumnType | None
) -> ColumnProfile:
    """Profile one column.

    Args:
        whole: all n values: counts and summaries are taken from them.
        sample: the values of the sampled rows, for the distribution and the relation to the target.
        outcome: the target of the sampled rows.
        use_case: gives the column's role and declared type.
        training: what training makes of the column; None for a column that no model may see.
    """
    name = str(whole.name)
    kind, role = _kind(whole, use_case), _role(name, use_case)
    if kind in {"category", "text"}:
        whole, sample = as_categories(whole), as_categories(sample)
    numbers = _numbers(whole, kind) if kind in {"number", "datetime"} and role != "identifier" else None
    counts = whole.value_counts().head(1)
    related = role not in {"target", "identifier"} and kind not in {"text", "empty"}
    missing = is_blank(whole)
    return ColumnProfile(
        name=name,
        kind=kind,
        role=role,
        unusable=training.unusable if training else None,
        unusable_reason=training.reason if training else "",
        unreadable=training.unreadable if training else "",
        missing=int(missing.sum()),
        missing_share=float(missing.mean()),
        distinct=int(whole[~missing].nunique()),
        most_common=str(counts.index[0]) if len(counts) else "",
        most_common_rows=int(counts.iloc[0]) if len(counts) else 0,
        numbers=_summary(numbers) if numbers is not None else None,
        histogram=_histogram(_numbers(sample, kind)) if numbers is not None and _many(whole, kind) else [],
        levels=_levels(sample, kind, outcome) if related or role == "target" else [],
        strength=_strength(sample, kind, outcome) if related else None,
    )


def _kind(values: pd.Series, use_case: UseCase) -> Kind:
    if values.name == use_case.data.target:
        return "number" if use_case.problem.task == "regression" else "category"
    reading = reading_of(str(values.name), values, use_case)
    kind = kind_of(str(values.name), reading, use_case)
    if kind != "category":
        return "empty" if np.isnan(as_numbers(values, kind)).all() else kind
    unusable = classify_values(read_values(values, kind, reading), use_case.features.max_categories).unusable
    if unusable == "empty":
        return "empty"
    is_text = unusable in {"free text", "compound"} and values.name not in use_case.features.categorical
    return "text" if is_text else "category"


def _numbers(values: pd.Series, kind: Kind) -> pd.Series:
    numbers = as_numbers(values, "datetime" if kind == "datetime" else "number")
    return pd.Series(numbers, index=values.index, name=values.name)


def _role(name: str, use_case: UseCase) -> Role:
    data = use_case.data
    roles: dict[str | None, Role] = {
        use_case.split.group: "group",
        data.time: "time",
        data.id: "identifier",
        data.target: "target",
    }
    if name in data.unavailable_at_prediction:
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
        return target_by_level(values, outcome, as_category=True)
    return target_by_level(
        _numbers(values, kind), outcome, as_category=False, show=date if kind == "datetime" else number
    )


def _strength(values: pd.Series, kind: Kind, outcome: TargetSample) -> float:
    return target_association(association_groups(values if kind == "category" else _numbers(values, kind)), outcome)
