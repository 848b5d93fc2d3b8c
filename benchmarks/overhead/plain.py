"""Training as a plain script: the functions that the pipeline's steps call, in their order, and nothing around them."""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.overhead.clock import Clock
from benchmarks.overhead.outcome import Outcome, finish
from benchmarks.overhead.phases import PYTHON
from noria.bundle import revise_bundle
from noria.config import UseCase, load_use_case
from noria.data.sources import fingerprint, read
from noria.data.split import split
from noria.data.validation import validate
from noria.evaluation.evaluate import evaluate
from noria.evaluation.promotion_gate import gate
from noria.evaluation.report.evaluation_report import evaluation_report
from noria.profiling.report import exploration_report, profile_table
from noria.system.files import write_text
from noria.training.leaderboard import fit_bundle, score_candidates, tune_candidates
from noria.training.refit import refit_bundle
from noria.training.selection import select


def train(use_case: UseCase, folder: Path, clock: Clock) -> Outcome:
    """Train, judge, and leave bundles, quarantined rows and both reports in `folder`."""
    with clock.phase("fingerprint"):
        digest = fingerprint(use_case.data)
    with clock.phase("ingest"):
        raw = read(use_case.data)
    with clock.phase("validate"):
        valid = validate(raw, use_case, quarantine=folder / "quarantine.csv")
    with clock.phase("explore"):
        facts = profile_table(valid.frame, use_case, valid.quarantined)
        exploration = exploration_report(facts, valid.frame, use_case)
    with clock.phase("split"):
        train_rows, test = split(valid.frame, use_case)
    with clock.phase("train_candidates"):
        first, out_of_fold = score_candidates(train_rows, use_case)
    with clock.phase("tune"):
        leaderboard, out_of_fold = tune_candidates(train_rows, first, out_of_fold, use_case, lambda trial: None)
    with clock.phase("select"):
        selection = select(leaderboard.scores, use_case)
        fits = {
            kind: fit_bundle(
                next(score for score in leaderboard.scores if score.kind == kind),
                train_rows,
                out_of_fold,
                use_case,
                fingerprint=digest,
                version="1",
                folder=folder / "fitted" / kind,
            )
            for kind in dict.fromkeys([selection.kind, selection.best, "rules"])
        }
        fitted, fitted_rules = fits[selection.kind], fits["rules"]
    with clock.phase("evaluate"):
        evaluation = evaluate(fitted, test, use_case, rules=fitted_rules)
        challenger, rules = (
            revise_bundle(bundle, folder / role, version="1", metrics=metrics, test_rows=evaluation.rows)
            for bundle, role, metrics in (
                (fitted, "challenger", evaluation.metrics),
                (fitted_rules, "rules", evaluation.rules_metrics),
            )
        )
    with clock.phase("gate"):
        best = None if selection.best == selection.kind else fits[selection.best]
        verdict = gate(use_case, test, challenger, rules, None, best=best, train=train_rows)
        report = evaluation_report(evaluation, verdict, selection, leaderboard.scores, use_case)
    with clock.phase("refit"):
        if verdict.promote != "none":
            promoted = rules if verdict.promote == "rules" else challenger
            refit_bundle(promoted, train_rows, test, use_case, out_of_fold=out_of_fold, folder=folder / "served")
    with clock.phase("reports"):
        write_text(folder / "exploration.html", exploration)
        write_text(folder / "evaluation.html", report)
    return Outcome.of(leaderboard, selection, evaluation, verdict)


def main(arguments: list[str]) -> None:
    """`python -m benchmarks.overhead.plain USE_CASE RESULT`."""
    began = time.time()
    clock = Clock(PYTHON)
    use_case = load_use_case(Path(arguments[0])).for_training()
    with tempfile.TemporaryDirectory() as folder:
        outcome = train(use_case, Path(folder), clock)
    finish(Path(arguments[1]), began, clock, lambda: outcome)


if __name__ == "__main__":
    main(sys.argv[1:])
