"""The training pipeline."""

from zenml import pipeline

from noria.config import UseCase
from steps.training import evaluate, explore, gate, ingest, register, select, split, train_candidates, tune, validate


@pipeline(name="training")
def training(use_case: UseCase, fingerprint: str) -> None:
    """From the sources to a registered, judged model."""
    raw = ingest(use_case.data, fingerprint)
    table, quarantined = validate(raw, use_case)
    explore(table, quarantined, use_case)
    train, test = split(table, use_case)
    first, out_of_fold = train_candidates(train, use_case)
    leaderboard, tuned_out_of_fold = tune(train, first, out_of_fold, use_case)
    selection, fitted, fitted_rules = select(train, leaderboard, tuned_out_of_fold, use_case, fingerprint)
    evaluation, challenger, rules = evaluate(fitted, fitted_rules, test, use_case)
    verdict, _ = gate(challenger, rules, test, evaluation, selection, leaderboard, use_case)
    # a cloud goes on after a failed step: nothing may be promoted by a run that fails
    register(challenger, rules, verdict, use_case, after=["explore"])
