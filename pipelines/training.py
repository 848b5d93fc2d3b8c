"""The training pipeline."""

from datetime import datetime

from zenml import pipeline

from noria.config import UseCase
from noria.labelled_cases import case_settings
from steps.training import (
    choose_window,
    evaluate,
    explore,
    gate,
    ingest,
    refit,
    register,
    select,
    split,
    train_candidates,
    tune,
    validate,
)


@pipeline(name="training")
def training(use_case: UseCase, fingerprint: str, cases_known: bool = False, now: str = "", hold: bool = False) -> None:
    """From the sources to a registered, judged model.

    `now` (ISO 8601) is the time of the training, if not now; with `hold`, what passes the gate is not promoted yet.
    """
    cases = case_settings(use_case, known=cases_known, now=datetime.fromisoformat(now) if now else None)
    raw, _ = ingest(use_case.data, fingerprint, cases)
    table, quarantined = validate(raw, use_case)
    explore(table, quarantined, use_case)
    train, test = split(table, use_case)
    # what is fitted and the window that it is fitted with; `gate` compares with champions of other windows, too
    rows, known, more = train, use_case, {}
    if use_case.data.window == "auto":
        rows, known, window = choose_window(train, use_case)
        more = {"window": window}
    first, out_of_fold = train_candidates(rows, known)
    leaderboard, tuned_out_of_fold = tune(rows, first, out_of_fold, known)
    selection, fitted, fitted_best, fitted_rules = select(rows, leaderboard, tuned_out_of_fold, known, fingerprint)
    evaluation, judged, judged_rules = evaluate(fitted, fitted_rules, test, use_case)
    verdict, _, finalist, _ = gate(
        judged, fitted_best, judged_rules, train, test, evaluation, selection, leaderboard, use_case, **more
    )
    challenger, rules = refit(finalist, judged_rules, verdict, rows, test, tuned_out_of_fold, use_case)
    # a cloud goes on after a failed step: nothing may be promoted by a run that fails
    register(challenger, rules, verdict, use_case, hold, after=["explore"])
