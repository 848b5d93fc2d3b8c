"""Fit what is promoted again, on training and test rows together."""

from typing import Annotated

import pandas as pd
from zenml import log_metadata, step

from materializers.bundle import BundleMaterializer
from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.results import GateVerdict
from noria.system import progress
from noria.system.files import scratch_folder
from steps.shared.failures import alert_on_failure

_BUNDLES = {"challenger": BundleMaterializer, "rules": BundleMaterializer}


@step(output_materializers=_BUNDLES, enable_cache=False, on_failure=alert_on_failure)
def refit(
    challenger: Bundle,
    rules: Bundle,
    verdict: GateVerdict,
    train: pd.DataFrame,
    test: pd.DataFrame,
    out_of_fold: pd.DataFrame,
    use_case: UseCase,
) -> tuple[Annotated[Bundle, "challenger"], Annotated[Bundle, "rules"]]:
    """The bundles that are registered: the promoted one fitted again, as `models.refit` says; the other as judged."""
    from noria.training.refit import refit_bundle

    bundles = {"challenger": challenger, "rules": rules}
    if verdict.promote == "none" or use_case.models.refit == "training":
        kept = "nothing is promoted" if verdict.promote == "none" else "as `models.refit: training` says"
        progress.stage("refit", f"the models stay fitted on the {len(train):,} training rows: {kept}")
        return challenger, rules
    judged = bundles[verdict.promote]
    folder = scratch_folder() / verdict.promote
    bundles[verdict.promote] = refit_bundle(judged, train, test, use_case, out_of_fold=out_of_fold, folder=folder)
    rows, learned = len(train) + len(test), bundles[verdict.promote].manifest.learned
    log_metadata({"learned_rows": rows if learned is None else learned.rows}, infer_model=True)
    whole = f"all {rows:,} rows: {len(train):,} training, {len(test):,} test rows"
    if learned is not None and learned.rows < rows:
        whole = f"the newest {learned.rows:,} of {whole}; {judged.manifest.window}"
    progress.stage("refit", f"{judged.manifest.kind} again, on {whole}")
    return bundles["challenger"], bundles["rules"]
