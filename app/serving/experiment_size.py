"""How many labels an experiment will take, said when it begins."""

from app.command_result import Facts
from noria.bundle import Bundle
from noria.bundle.reference_sample import answer_column
from noria.config import UseCase
from noria.predictions.records import VariantStatistics
from noria.system.errors import NoriaError
from noria.traffic.activation import PlannedVariant, TrafficPlan
from noria.traffic.case_gains import planned_labels


def experiment_facts(use_case: UseCase, plan: TrafficPlan) -> Facts:
    """A line for each challenger that answers cases: the labels that it takes to tell it from the champion.

    By the champion's reference rows. The difference to be found is `serving.canary.metric_drop`, in the units of the
    primary metric. Nothing is said where it cannot be known, such as for rules or a metric that is no mean over cases.
    """
    challengers = [each for each in plan.variants[1:] if each.share and not each.shadow]
    metric, difference = use_case.evaluation.metric, use_case.serving.canary.metric_drop
    known = _reference(plan.champion) if challengers and difference else None
    if known is None:
        return []
    facts: Facts = []
    for each in challengers:
        grows = plan.canary is not None and plan.canary.variant == each.name
        share = plan.canary.plan.steps[-1] if plan.canary is not None and grows else each.share
        share = min(share / (share + plan.champion.share) if not grows else share, 0.99)
        wanted = planned_labels(use_case.problem, metric, known, difference, share)
        if wanted is not None:
            said = (
                f"about {wanted:,} of both tell a difference of {difference:g} in {metric}, at a share of {share:.0%}"
            )
            facts.append((f"labels for {each.name}", said))
    return facts


def _reference(champion: PlannedVariant) -> VariantStatistics | None:
    """The champion's reference rows as labelled answers; None if it has none."""
    try:
        bundle = Bundle.load(champion.bundle)
        rows = bundle.reference()
    except NoriaError:
        return None  # it answers all the same; only this line is missing
    names = [answer_column(name, bundle.manifest) for name in ("prediction", "probability")]
    if not {*names} <= {*rows.columns}:
        return None  # of an earlier version
    return VariantStatistics(
        variant=champion.name,
        answers=len(rows),
        errors=0,
        latencies_ms=[],
        labels=rows[bundle.manifest.target].tolist(),
        predictions=rows[names[0]].tolist(),
        probabilities=rows[names[1]].tolist(),
    )
