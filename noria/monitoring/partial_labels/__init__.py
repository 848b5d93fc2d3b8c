"""Quality where labels come for some cases only: those that were acted on, or those that somebody was asked for.

Each labelled case is weighed by how many cases it stands for, so that together they stand for all (inverse probability
weighting with a ratio estimator: J. Hájek, Comment on a paper by D. Basu, 1971). The probability of a label is its
share among the cases of the same decision and score band, taken from the prediction store (weighting classes: R. J. A.
Little, Survey nonresponse adjustments for estimates of means, International Statistical Review 1986).

- Where the labels of a decision come by themselves, the labelled cases of a band stand for those without a label. This
  takes labels to come regardless of the outcome within a band.
- Where they do not, only cases drawn at random among those without a label may stand for them; labels that came all
  the same stand for their own cases (M. H. Hansen and W. N. Hurwitz, The problem of non-response in sample surveys,
  JASA 1946). This takes nothing on trust.
- Where nothing was drawn, nothing is known of these cases, and no figure for all of them is given.
"""

from noria.monitoring.partial_labels.coverage import is_partial
from noria.monitoring.partial_labels.decision_quality import decision_quality
from noria.monitoring.partial_labels.weights import LabelWeights, WeighedLabels, weigh_labels

__all__ = [
    "LabelWeights",
    "WeighedLabels",
    "decision_quality",
    "is_partial",
    "weigh_labels",
]
