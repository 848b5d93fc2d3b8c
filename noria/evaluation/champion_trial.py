"""The champion's side of the gate: judged on rows that neither side has learned from.

A champion that was fitted again on all rows has learned rows that today are test rows, and would win by them. So the
comparison takes one of these ways, the first that is open:

1. No test row was learned by the champion, or it is a set of written rules, which learn none: it is judged as it is.
2. There are enough test rows that it has not learned: it is judged as it is on these. The challenger's recipe is
   fitted on all other rows, since the champion knows these, too. Where the split is by time, the later half of them is
   judged on, and the challenger's recipe may learn the earlier half: that is what training again brings.
3. The champion's recipe is fitted on today's training rows and judged on all test rows, as the challenger was.
4. Its recipe cannot be fitted any more: it is judged as it is, and the verdict says what it knows.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.config import UseCase
from noria.config.modelling import RulesConfig
from noria.data.window import within_window
from noria.evaluation.scored_predictions import ScoredPredictions, score_rows
from noria.models.fitted_model import fit
from noria.models.learned_rows import later_rows, row_keys
from noria.reporting.formats import plural
from noria.system.errors import NoriaError
from noria.tabular.label_text import as_labels
from noria.training.refit import recipe_rows

FEWEST_ROWS = 200
"""Fewest test rows that a champion as it is may be judged on."""
FEWEST_OF_A_CLASS = 20
"""How many of them must be of each class, or all that the test rows have if these are fewer."""
_STILL_KNOWN = 0.99


@dataclass(frozen=True)
class ChampionTrial:
    """The champion as it is compared, and how."""

    scored: ScoredPredictions
    """What it answered on the test rows that it is compared on."""
    test: pd.DataFrame
    """All test rows."""
    unlearned: int | None
    """How many of these rows no side has learned from; None: not known."""
    basis: str
    """How it was compared, in a plain sentence."""
    others: pd.DataFrame | None = None
    """The rows that a challenger's recipe is fitted on before it is compared; None: it is compared as it was judged."""

    def opponent(self, challenger: ScoredPredictions) -> ScoredPredictions:
        """The challenger as it meets the champion.

        Raises:
            NoriaError: its recipe cannot be fitted.
        """
        if self.others is None or challenger.bundle.manifest.kind == "rules":
            return challenger
        again = fit_again(challenger.bundle, self.others, challenger.use_case)
        return score_rows(again, self.test, challenger.use_case)


def champion_trial(
    champion: Bundle, test: pd.DataFrame, use_case: UseCase, train: pd.DataFrame | None = None
) -> ChampionTrial:
    """Choose the way to compare the champion, and let it answer.

    Args:
        champion: what is deployed.
        test: n test rows.
        use_case: today's use case.
        train: today's training rows; None: nothing can be fitted, and the champion is judged as it is.

    Raises:
        NoriaError: the champion cannot answer the test rows.
    """
    scored = score_rows(champion, test, use_case)
    who = f"version {champion.manifest.version}"
    strange = unlearned_rows(champion, test, use_case)
    unlearned = None if strange is None else int(strange.sum())
    if champion.manifest.kind == "rules":
        basis = f"{_first(who)} is a set of written rules, which learn no rows by heart, and was judged as it is."
        return ChampionTrial(scored, test, unlearned, basis)
    if strange is not None and strange.all():
        basis = f"{_first(who)} has learned from none of the {len(test):,} test rows and was judged as it is."
        return ChampionTrial(scored, test, unlearned, basis)
    if train is not None and strange is not None and _suffices(strange, test, use_case):
        judged = _judged_rows(strange, test, use_case)
        others = pd.concat([train, test[~judged]], ignore_index=True)
        basis = _on_new_rows(who, strange, judged)
        return ChampionTrial(scored.only(judged[scored.places]), test, int(judged.sum()), basis, others)
    why = "the training rows are not at hand"
    if train is not None:
        try:
            again = score_rows(fit_again(champion, train, use_case), test, use_case)
            return ChampionTrial(again, test, len(test), _fitted_again(who, champion, strange, len(test)))
        except NoriaError as error:
            why = error.what
    return ChampionTrial(scored, test, unlearned, _as_it_is(who, why, unlearned, len(test)))


def unlearned_rows(champion: Bundle, test: pd.DataFrame, use_case: UseCase) -> NDArray[np.bool_] | None:
    """(n,) whether a champion has not learned a test row; None where that is not known.

    Where the split is by time, rows later than all that it has learned are new; elsewhere, rows whose inputs,
    identifier and group are.
    """
    manifest = champion.manifest
    if use_case.split.method == "time":
        return None if manifest.learned is None else later_rows(test, manifest.learned, use_case.data.time)
    known = champion.learned_keys()
    if known is None or not _still_reads_alike(champion, known, use_case):
        return None
    matrix = manifest.schema_.own_matrix(manifest.schema_.check(test).matrix)
    found = np.isin(row_keys(test, matrix, use_case), known)
    return np.asarray(~found.any(axis=0), dtype=bool)


def fit_again(bundle: Bundle, rows: pd.DataFrame, use_case: UseCase) -> Bundle:
    """The recipe of a bundle (kind, parameters, inputs, window, decision policy) fitted on other rows, in memory.

    Raises:
        NoriaError: as `fit`.
    """
    manifest = bundle.manifest
    # the recipe's own inputs, not the columns that today's rules need
    features = use_case.features.model_copy(update={"calendar": manifest.schema_.calendar})
    rules = RulesConfig(otherwise=use_case.rules.otherwise)
    recipe = use_case.model_copy(update={"features": features, "rules": rules}).with_window(manifest.window)
    known = within_window(recipe_rows(rows, manifest.schema_, use_case), recipe.window, use_case.data.time)
    return bundle.with_fit(fit(manifest.kind, dict(manifest.parameters), known, recipe, warn=False))


def _still_reads_alike(champion: Bundle, known: NDArray[np.uint32], use_case: UseCase) -> bool:
    """Are rows of its own recognized? Not if this Noria reads a value in another way than the one that wrote it."""
    sample = champion.reference()
    if sample.empty:
        return False
    schema = champion.manifest.schema_
    inputs = row_keys(sample, schema.own_matrix(schema.check(sample).matrix), use_case)[0]
    return bool(np.isin(inputs, known).mean() >= _STILL_KNOWN)


def _suffices(strange: NDArray[np.bool_], test: pd.DataFrame, use_case: UseCase) -> bool:
    if strange.sum() < FEWEST_ROWS:
        return False
    if use_case.problem.task == "regression":
        return True
    truth = as_labels(test[use_case.data.target])
    return all(
        (truth[strange] == label).sum() >= min(FEWEST_OF_A_CLASS, (truth == label).sum()) for label in np.unique(truth)
    )


def _judged_rows(strange: NDArray[np.bool_], test: pd.DataFrame, use_case: UseCase) -> NDArray[np.bool_]:
    """(n,) the rows that both are judged on: those that are new to the champion; by time, the later half of them."""
    if use_case.split.method != "time":
        return strange
    times = test[str(use_case.data.time)]
    start = times[strange].nlargest(max(FEWEST_ROWS, int(strange.sum()) // 2)).min()
    later = strange & (times >= start).to_numpy(dtype=bool)
    return later if _suffices(later, test, use_case) else strange


def _on_new_rows(who: str, strange: NDArray[np.bool_], judged: NDArray[np.bool_]) -> str:
    new, rows = plural(int(strange.sum()), "test row"), int(judged.sum())
    which = f"the {new}" if rows == strange.sum() else f"the latest {rows:,} of the {new}"
    return (
        f"The new model and {who} were compared on {which} that {who} has not learned from. For this, the new model's "
        "recipe was fitted on all other rows, so no side has learned from these."
    )


def _fitted_again(who: str, champion: Bundle, strange: NDArray[np.bool_] | None, rows: int) -> str:
    if strange is None:
        why = f"Which rows {who} has learned from is not known"
    else:
        others = f" (the other {int(strange.sum()):,} are too few to compare on)" if strange.any() else ""
        why = f"{_first(who)} has learned from {int((~strange).sum()):,} of the {rows:,} test rows{others}"
    return (
        f"{why}, so its recipe ({champion.manifest.kind}) was fitted on today's training rows: no side has learned "
        f"from any of the {rows:,} test rows."
    )


def _as_it_is(who: str, why: str, unlearned: int | None, rows: int) -> str:
    known = "may have learned from the test rows" if unlearned is None else f"has learned from {rows - unlearned:,}"
    new = "" if unlearned is None else f" of the {rows:,} test rows, which leaves {unlearned:,} that no side knows"
    return f"{_first(who)} {known}{new}. It was judged as it is, since its recipe cannot be fitted again ({why})."


def _first(text: str) -> str:
    return text[0].upper() + text[1:]
