"""The models that answer at one moment, as an order names them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from noria.predictions.privacy import Redactor
from noria.serving.api import Row
from noria.serving.predictor import Predictor
from noria.traffic.activation import TrafficPlan, built_in_plan
from noria.traffic.assignment import Assigner
from service.settings import Settings

BUILT_IN = Path(__file__).resolve().parents[2] / "bundle"
"""The bundle that a Bento or an image holds, or several with their order."""


@dataclass(frozen=True)
class LoadedModels:
    """What answers. A request takes it once, so that a change meanwhile does not touch it."""

    order: TrafficPlan | None
    """None: the one bundle that was built in."""
    predictors: list[Predictor]
    """One for each variant, the champion first."""
    assigner: Assigner
    redactors: list[Redactor]
    """For each variant, what of a row may be kept."""
    examples: list[Row]
    """Real rows, for the page and the document."""
    since: datetime

    @property
    def champion(self) -> Predictor:
        """The variant that is asked when another one fails."""
        return self.predictors[0]

    @cached_property
    def reads_alike(self) -> list[bool]:
        """For each variant, whether it takes in what the champion does."""
        return [each.reader.schema == self.champion.reader.schema for each in self.predictors]

    @cached_property
    def sole(self) -> Predictor | None:
        """The variant that answers all cases, if it takes in what the champion does; None: several share them."""
        only = self.assigner.only
        return self.predictors[only] if only is not None and self.reads_alike[only] else None

    def variant(self, place: int) -> dict[str, object]:
        """What is told of a variant."""
        predictor = self.predictors[place]
        told = None if self.order is None else self.order.variants[place]
        return {
            "name": predictor.name,
            "version": predictor.version,
            "kind": predictor.manifest.kind,
            "share": 1.0 if told is None else told.share,
            "shadow": False if told is None else told.shadow,
            "policy": predictor.policy.model_dump(),
            "policy_version": predictor.policy_version,
            "path": "plain" if predictor.fast is None else "fast",
        }


def load_models(order: TrafficPlan | None, settings: Settings, before: LoadedModels | None) -> LoadedModels:
    """Load what the order names; models that `before` has loaded already are taken from it.

    Raises:
        NoriaError: a bundle is damaged, or the privacy settings do not fit it.
    """
    from noria.bundle import Bundle

    order = order or built_in_plan(BUILT_IN)
    told = order or TrafficPlan.of(BUILT_IN, "")
    known = {} if before is None else {each.bundle.folder: each.bundle for each in before.predictors}
    bundles = [known.get(each.bundle) or Bundle.open(each.bundle) for each in told.variants]
    limits = {"max_rows": settings.serving.max_rows, "max_text": settings.limits.max_text}
    predictors = [
        Predictor(bundle, each.name, policy=each.policy, policy_version=each.policy_version, **limits)
        for bundle, each in zip(bundles, told.variants, strict=True)
    ]
    redactors = [
        Redactor(settings.serving.privacy, each.reader.names, settings.privacy_key, id=each.manifest.id)
        for each in predictors
    ]
    return LoadedModels(order, predictors, Assigner(told.variants), redactors, bundles[0].examples(), datetime.now(UTC))
