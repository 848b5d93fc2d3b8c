"""Choose the challenger and fit it, and the rules, on all training rows."""

from typing import Annotated

import pandas as pd
from zenml import get_step_context, step

from materializers.bundle import BundleMaterializer
from noria.bundle import Bundle
from noria.config import UseCase
from noria.system import progress
from noria.system.files import scratch_folder
from noria.training.results import Leaderboard
from noria.training.selection import Selection
from steps.shared.caching import WITH_DOMAIN_CODE
from steps.shared.failures import alert_on_failure

_BUNDLES = dict.fromkeys(("fitted_challenger", "fitted_best", "fitted_rules"), BundleMaterializer)


@step(output_materializers=_BUNDLES, cache_policy=WITH_DOMAIN_CODE, on_failure=alert_on_failure)
def select(
    train: pd.DataFrame, leaderboard: Leaderboard, out_of_fold: pd.DataFrame, use_case: UseCase, fingerprint: str
) -> tuple[
    Annotated[Selection, "selection"],
    Annotated[Bundle, "fitted_challenger"],
    Annotated[Bundle, "fitted_best"],
    Annotated[Bundle, "fitted_rules"],
]:
    """The chosen candidate with the reason, its bundle, that of the best one (often the same) and the rules'."""
    from noria.training.leaderboard import fit_bundle
    from noria.training.selection import select as choose

    selection = choose(leaderboard.scores, use_case)
    folder = scratch_folder()
    bundles = {
        kind: fit_bundle(
            next(score for score in leaderboard.scores if score.kind == kind),
            train,
            out_of_fold,
            use_case,
            fingerprint=fingerprint,
            version=str(get_step_context().model.version),
            folder=folder / kind,
        )
        for kind in dict.fromkeys([selection.kind, selection.best, "rules"])
    }
    progress.stage("select", f"{selection.reason}")
    return selection, bundles[selection.kind], bundles[selection.best], bundles["rules"]
