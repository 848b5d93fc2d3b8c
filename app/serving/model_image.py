"""What goes into an image of the service: the champion, and the variants beside it."""

from app.environment import zenml_client
from app.images.project_images import SERVICE, image_of
from app.stacks.registration import stack_for_one_run
from noria.bundle.qualification import require_qualified
from noria.config import UseCase
from noria.deployment.image_contents import content_digest
from noria.traffic.activation import TrafficPlan


def champion_plan(stack: str, use_case: UseCase) -> TrafficPlan:
    """The champion and the variants that `serving.variants` puts beside it, from the model registry of a stack.

    Raises:
        NoriaError: nothing has been promoted yet, a variant's model does not exist, or one is disqualified.
    """
    from steps.shared.champion import require_champion
    from steps.shared.serving_variants import serving_variants

    zenml_client()
    with stack_for_one_run(stack):
        champion = require_champion(use_case.name)
        require_qualified(champion, use_case)
        specs = serving_variants(use_case, champion)
        return TrafficPlan(variants=[spec.in_place() for spec in specs])


def image_tag(plan: TrafficPlan) -> str:
    """A tag for one plan and one state of the code, never used for another: nodes do not pull a tag again."""
    return f"{plan.champion.version}-{content_digest(plan)}-{image_of(SERVICE).rpartition(':')[2]}"
