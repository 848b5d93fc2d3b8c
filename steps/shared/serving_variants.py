"""Who answers side by side, as `serving.variants` says."""

from noria.bundle import Bundle
from noria.bundle.qualification import require_qualified
from noria.config import UseCase
from noria.deployment import VariantSpec
from steps.shared.model_versions import find_bundle


def serving_variants(use_case: UseCase, champion: Bundle) -> list[VariantSpec]:
    """The roles, the champion's first; without `serving.variants` it answers alone.

    A variant without a share is not there yet: `run.py traffic` lets it in under its name.

    Raises:
        NoriaError: a variant's model does not exist, or one is disqualified.
    """
    roles = [
        VariantSpec(
            champion if each.model == "champion" else find_bundle(use_case.name, each.model),
            name,
            each.share,
            each.shadow,
        )
        for name, each in use_case.serving.variants.items()
        if each.share > 0 or each.shadow
    ]
    for role in roles:
        require_qualified(role.bundle, use_case)
    # where no variant is the champion's, the one with the largest share is what the others are compared with
    return sorted(roles, key=lambda role: (role.shadow, role.bundle is not champion, -role.share)) or [
        VariantSpec(champion)
    ]
