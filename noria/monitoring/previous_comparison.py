"""The model beside the one that answered before it, on the same predictions whose truth is known."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring.paired_worth import Decided, paired_worth
from noria.monitoring.partial_labels import LabelWeights
from noria.monitoring.results import PreviousComparison
from noria.predictions import inputs_of


def compare_with_previous(
    bundle: Bundle,
    previous: Bundle,
    use_case: UseCase,
    labelled: pd.DataFrame,
    scores: NDArray[np.float64],
    *,
    weights: LabelWeights | None = None,
    hidden: Collection[str] = (),
) -> PreviousComparison | None:
    """Have the model before it decide the cases that the model has decided.

    The world of two periods differs, so what each model brought in while it answered says nothing of the models; on the
    same cases the difference is due to them.

    Args:
        bundle: the model.
        previous: the model before it. It has learned none of these cases, which were asked later.
        use_case: names the worths and the confidence.
        labelled: (n, …) predictions of `bundle` with a label, with the columns of `PredictionStore.window`.
        scores: (n,) or (n, k) what the model gave them.
        weights: how many cases each one stands for; None: all alike.
        hidden: columns of which the store holds hashes or pieces only.

    Returns:
        None if the cases do not hold what the previous model needs.
    """
    manifest, inputs = previous.manifest, inputs_of(labelled)
    needed = set(manifest.schema_.names)
    if manifest.task != bundle.manifest.task or needed & set(hidden) or not needed <= set(inputs.columns):
        return None
    answered = previous.answer(inputs[manifest.schema_.names])
    good = (answered.table["error"] == "").to_numpy()
    if not good.any():
        return None
    kept = labelled[good]
    logged = Decided(scores[good], kept["decision"], kept["prediction"], bundle.manifest.classes)
    table = answered.table[good]
    before = Decided(answered.scores[good], table["decision"], table["prediction"], manifest.classes)
    part = None if weights is None else weights.part(good)
    model, then, low, high = paired_worth(use_case, kept["label"], logged, before, part)
    return PreviousComparison(version=manifest.version, model=model, previous=then, low=low, high=high)
