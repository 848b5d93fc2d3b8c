"""Training in plain Python: the leaderboard, the bundle of the chosen candidate, and its rivals."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle, write_bundle
from noria.config import UseCase
from noria.engines import engine_of
from noria.models.candidate_score import CandidateScore
from noria.models.candidates import default_params
from noria.models.cross_validation import cross_validate
from noria.models.fitted_model import fit
from noria.models.folds import Folds, FoldSource
from noria.models.policy_choice import choose_policy
from noria.models.shared_folds import SharedFolds
from noria.system import progress
from noria.training.results import Leaderboard, TrialRecord
from noria.training.tuning import tune

Params = dict[str, str | int | float | bool | None]


def score_candidates(train: pd.DataFrame, use_case: UseCase) -> tuple[Leaderboard, pd.DataFrame]:
    """Cross-validate the rules, a constant answer and every candidate as configured, on training rows only.

    Returns the leaderboard and the out-of-fold scores: one column per candidate and class, one row per training row,
    missing where a row was in no validation fold.
    """
    scores, columns = [], {}
    if use_case.window is not None and use_case.window.half_life_days is not None:
        progress.stage("window", "the rules are measured on rows of equal weight; all other candidates take weights")
    kinds = dict.fromkeys(["rules", "dummy", *use_case.models.candidates])
    plan = {kind: default_params(kind, use_case) for kind in kinds}
    folds = folds_of(train, use_case, list(plan))
    pending = {kind: folds.submit(kind, params) for kind, params in plan.items()}
    for kind, params in plan.items():
        progress.tick(f"cross-validating {kind}")
        score, out_of_fold = cross_validate(kind, params, train, use_case, folds=pending[kind])
        scores.append(score)
        columns.update(_as_columns(kind, out_of_fold))
    return Leaderboard(scores=scores), pd.DataFrame(columns)


def tune_candidates(
    train: pd.DataFrame,
    start: Leaderboard,
    out_of_fold: pd.DataFrame,
    use_case: UseCase,
    on_trial: Callable[[TrialRecord], None],
) -> tuple[Leaderboard, pd.DataFrame]:
    """Tune every candidate that has something to tune; the others keep their score.

    Returns the leaderboard and the out-of-fold scores in the form that `score_candidates` gives.
    """
    scores, trials = [], []
    columns: dict[str, object] = {str(name): values for name, values in out_of_fold.items()}
    tunable = [score.kind for score in start.scores if _is_tuned(score.kind, use_case)]
    folds = folds_of(train, use_case, tunable)
    for score in start.scores:
        if score.kind not in tunable:
            scores.append(score)
            continue
        tuned = tune(score.kind, train, use_case, on_trial, folds=folds)
        scores.append(tuned.score)
        trials += tuned.trials
        columns.update(_as_columns(score.kind, tuned.oof))
    return Leaderboard(scores=scores, trials=trials), pd.DataFrame(columns)


def fit_bundle(
    score: CandidateScore,
    train: pd.DataFrame,
    out_of_fold: pd.DataFrame,
    use_case: UseCase,
    *,
    fingerprint: str,
    version: str,
    folder: Path,
) -> Bundle:
    """Fit a candidate on all training rows, choose its decision policy on its out-of-fold scores, write its bundle."""
    fitted = fit(score.kind, dict(score.params), train, use_case)
    oof = out_of_fold_scores(score.kind, out_of_fold)
    seen = np.flatnonzero(~np.isnan(oof.reshape(len(oof), -1)).any(axis=1))
    judged = train.iloc[seen].reset_index(drop=True)
    policy = choose_policy(use_case, judged[use_case.data.target].to_numpy(), oof[seen])
    return write_bundle(
        folder,
        fitted,
        use_case=use_case,
        train=judged,
        out_of_fold=oof[seen],
        policy=policy,
        fingerprint=fingerprint,
        version=version,
    )


def folds_of(train: pd.DataFrame, use_case: UseCase, kinds: list[str]) -> FoldSource:
    """The folds that these kinds of candidates share, where the use case's engine works.

    Raises:
        NoriaError: the target lacks the required classes, or a cluster cannot be used.
    """
    engine = engine_of(use_case.engine)
    return SharedFolds(train, use_case, kinds, engine) if engine.is_distributed and kinds else Folds(train, use_case)


def out_of_fold_scores(kind: str, table: pd.DataFrame) -> NDArray[np.float64]:
    """(n,) or (n, k) the scores of one kind of candidate in a table as `score_candidates` gives it."""
    names = [name for name in table.columns if name.rpartition(":")[0] == kind]
    values = table[names].to_numpy(dtype=np.float64)
    return values[:, 0] if len(names) == 1 else values


def _is_tuned(kind: str, use_case: UseCase) -> bool:
    candidate = use_case.models.candidates.get(kind)  # type: ignore[call-overload]
    return candidate is not None and kind != "dummy" and candidate.tune and use_case.models.trials > 0


def _as_columns(kind: str, scores: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    if scores.ndim == 1:
        return {f"{kind}:0": scores}
    return {f"{kind}:{i}": scores[:, i] for i in range(scores.shape[1])}
