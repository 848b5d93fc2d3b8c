"""Profiling a table: every column, its relation to the target, and the findings."""

import numpy as np
import pandas as pd

from noria.config import UseCase
from noria.config.modelling import RulesConfig
from noria.data.split import split
from noria.profiling.leakage import scan_leakage
from noria.profiling.report.column_profile import profile_column
from noria.profiling.report.profile_findings import profile_findings
from noria.profiling.report.profile_results import ColumnProfile, CorrelatedPair, TableProfile
from noria.profiling.target_association import TargetSample
from noria.schema.column_types import ColumnType, as_numbers, classify_features
from noria.system.errors import NoriaError
from noria.tabular.names import require_columns

SAMPLE_ROWS = 100_000
_PAIR_ROWS = 20_000
_PAIR_COLUMNS = 60
_SAME = 0.95


def profile_table(frame: pd.DataFrame, use_case: UseCase, quarantined: pd.DataFrame) -> TableProfile:
    """Profile a table.

    Args:
        frame: n validated rows; counts and summaries use all of them, distributions and relations at most
            `SAMPLE_ROWS`, drawn at random with the split's seed.
        use_case: the roles of columns.
        quarantined: rows that broke an expectation, with the column `reason`; only counted here.

    Raises:
        NoriaError: the target is absent.
    """
    require_columns(frame, [("data.target", use_case.data.target)])
    sample = frame.sample(SAMPLE_ROWS, random_state=use_case.split.seed) if len(frame) > SAMPLE_ROWS else frame
    outcome = TargetSample.of(sample[use_case.data.target], use_case)
    types = _types_in_training(frame, use_case)
    columns = [
        profile_column(frame[name], sample[name], outcome, use_case, types.get(str(name))) for name in frame.columns
    ]
    # scanned as training reads it: what no model sees cannot leak
    scanned = {column.name: types[column.name].kind for column in columns if column.is_feature}
    leakage = scan_leakage(sample, use_case.data.target, use_case.problem.task, scanned)
    facts = TableProfile(
        name=use_case.name,
        question=use_case.problem.question,
        case=use_case.problem.case,
        task=use_case.problem.task,
        target=use_case.data.target,
        classes=outcome.classes,
        positive=outcome.positive,
        rows=len(frame),
        sampled=len(sample),
        overall=outcome.answer(),
        columns=columns,
        suspects=leakage.suspects,
        questioned=leakage.questioned,
        leakage_warning=leakage.warning(use_case.data.unavailable_at_prediction),
        pairs=_pairs(sample, columns),
        duplicates=int(frame.drop(columns=[use_case.data.id] if use_case.data.id else []).duplicated().sum()),
        quarantined=len(quarantined),
        quarantine_reasons=_reasons(quarantined),
        findings=[],
    )
    return facts.model_copy(update={"findings": profile_findings(facts)})


def _types_in_training(frame: pd.DataFrame, use_case: UseCase) -> dict[str, ColumnType]:
    """What training makes of each column that a model may see: decided on the training rows, as there."""
    try:
        train, _ = split(frame, use_case)
    except NoriaError:  # training will say so; all rows are the next best
        train = frame
    try:
        return classify_features(train, use_case)
    except NoriaError:  # a rule cannot be read, which training will say
        return classify_features(train, use_case.model_copy(update={"rules": RulesConfig(otherwise=0)}))


def _pairs(sample: pd.DataFrame, columns: list[ColumnProfile]) -> list[CorrelatedPair]:
    """Numeric inputs whose ranks go together almost perfectly."""
    names = [c.name for c in columns if c.is_feature and c.kind == "number" and c.distinct > 2][:_PAIR_COLUMNS]
    if len(names) < 2:
        return []
    ranks = sample[names].head(_PAIR_ROWS).apply(as_numbers, kind="number").rank()
    table = ranks.corr().to_numpy()
    rows, cols = np.nonzero(np.triu(np.abs(np.nan_to_num(table)) >= _SAME, k=1))
    return [
        CorrelatedPair(first=names[i], second=names[j], correlation=float(np.clip(table[i, j], -1, 1)))
        for i, j in zip(rows, cols, strict=True)
    ]


def _reasons(quarantined: pd.DataFrame) -> dict[str, int]:
    """What is wrong, without the single values ("tenure is below 0: -5" counts as "tenure is below 0")."""
    if quarantined.empty:
        return {}
    single = quarantined["reason"].astype("str").str.split("; ").explode()
    counts = single.str.split(": ", n=1).str[0].value_counts()
    return {str(reason): int(rows) for reason, rows in counts.items()}
