"""The answers of people become labels, unless they contradict each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from noria.bundle import Manifest
from noria.labelling.agreement import Disagreement, PairAgreement, Rule, settle
from noria.labelling.answers import Answer, Answers, Refusal
from noria.labelling.asked import Selection
from noria.labelling.wanted_file import PREDICTION_ID
from noria.predictions import Feedback, PredictionStore
from noria.system.errors import NoriaError
from noria.system.files import atomic_path
from noria.tabular.spreadsheet_text import for_people


@dataclass(frozen=True)
class Taken:
    """What became of the answers in a file."""

    stored: int
    """Labels that are new, or that replace another one."""
    known: int
    """Labels that the store had already."""
    empty: int
    """Cases without an answer."""
    refused: list[Refusal]
    open: list[Disagreement]
    """Predictions on which people disagree; the store is as it was."""
    pairs: list[PairAgreement]


def take_answers(
    store: PredictionStore,
    answers: Answers,
    manifest: Manifest,
    asked: Mapping[str, Selection],
    rule: Rule | None = None,
) -> Taken:
    """Store what people have said, each label with who gave it, when, and how its case was selected.

    What people have said before counts, too: an answer that contradicts that of somebody else does not replace it.

    Args:
        store: where the predictions are.
        answers: of people, from a file.
        manifest: of the model.
        asked: prediction → how it was selected.
        rule: how disagreements are settled; None: not at all.

    Raises:
        NoriaError: no answer belongs to a known prediction, or the store cannot be written.
    """
    models = store.predicted_models({answer.prediction_id for answer in answers.given})
    good = [each for each in answers.given if models.get(each.prediction_id) == manifest.name]
    others = [each for each in answers.given if models.get(each.prediction_id) != manifest.name]
    refused = [*answers.refused, *(_refusal(each, models, manifest) for each in others)]
    if not good and refused:
        raise NoriaError(
            f"none of the {len(refused)} answers can be used; the first one: {refused[0].problem}",
            code="labelling.answers_refused",
            fix="fill in the table that `python run.py label` has written, and leave its identifiers as they are",
        )
    earlier = _earlier(store, good, manifest)
    settled = settle([*earlier, *good], rule)
    current = {each.prediction_id: each for each in earlier}
    new = [each for each in settled.answers if not _is_stored(each, current.get(each.prediction_id))]
    store.add_labels([_feedback(each, asked.get(each.prediction_id)) for each in new])
    return Taken(len(new), len(settled.answers) - len(new), answers.empty, refused, settled.open, settled.pairs)


def write_refused(refused: Sequence[Refusal], file: Path) -> None:
    """The answers that cannot be used, with the reason, for people."""
    table = pd.DataFrame([(each.prediction_id, each.label, each.problem) for each in refused])
    with atomic_path(file) as part:
        table.columns = pd.Index([PREDICTION_ID, "label", "reason"])
        for_people(table, keep=[PREDICTION_ID]).to_csv(part, index=False)


def write_open(disagreements: Sequence[Disagreement], file: Path) -> None:
    """Who says what of the predictions on which people disagree, a row per answer."""
    rows = [(each.prediction_id, who, label) for each in disagreements for who, label in each.labels.items()]
    table = pd.DataFrame(rows, columns=[PREDICTION_ID, "labelled_by", "label"])
    with atomic_path(file) as part:
        for_people(table, keep=[PREDICTION_ID]).to_csv(part, index=False)


def _earlier(store: PredictionStore, good: Sequence[Answer], manifest: Manifest) -> list[Answer]:
    """What people have said before of the same predictions, where it is still a label of the model."""
    found = []
    for each in store.given_labels({answer.prediction_id for answer in good}):
        try:
            label = manifest.label_of(each.label)
        except ValueError:
            continue
        found.append(Answer(each.prediction_id, label, each.given_by, each.at))
    return found


def _is_stored(answer: Answer, last: Answer | None) -> bool:
    return last is not None and (last.label, last.given_by) == (answer.label, answer.given_by)


def _refusal(answer: Answer, models: Mapping[str, str], manifest: Manifest) -> Refusal:
    model = models.get(answer.prediction_id)
    problem = "no such prediction" if model is None else f"a prediction of `{model}`, not of `{manifest.name}`"
    return Refusal(answer.prediction_id, str(answer.label), problem)


def _feedback(answer: Answer, selection: Selection | None) -> Feedback:
    return Feedback(
        label=answer.label,
        at=answer.at,
        id=answer.prediction_id,
        given_by=answer.given_by,
        selected_by=None if selection is None else selection.selected_by,
        selection_probability=None if selection is None else selection.probability,
    )
