"""The models that a worker has loaded, as the traffic plan names them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from noria.history import HistoryState
from noria.predictions.privacy import Redactor
from noria.serving.api import Row
from noria.serving.predictor import Predictor
from noria.serving.shown_examples import shown_examples, shown_manifest
from noria.traffic.activation import TrafficPlan, built_in_plan
from noria.traffic.assignment import Assigner
from service.settings import Settings

if TYPE_CHECKING:
    from noria.bundle import Manifest

BUILT_IN = Path(__file__).resolve().parents[2] / "bundle"
"""The bundle that a Bento or an image holds, or several with their plan."""


@dataclass(frozen=True)
class LoadedModels:
    """The loaded models. A request keeps one instance, so that a change does not affect it midway."""

    plan: TrafficPlan | None
    """None: the one bundle that was built in."""
    predictors: list[Predictor]
    """One for each variant, the champion first."""
    assigner: Assigner
    redactors: list[Redactor]
    """For each variant, what of a row may be kept."""
    examples: list[Row]
    """Rows for the page and the OpenAPI document, as `serving.examples` and `serving.privacy` say."""
    shown: "Manifest"
    """The champion's, with what `serving.privacy` allows to be seen of its inputs."""
    since: datetime

    @property
    def champion(self) -> Predictor:
        """The champion, which also answers when another variant fails."""
        return self.predictors[0]

    @cached_property
    def has_champion_schema(self) -> list[bool]:
        """For each variant, whether its input schema equals the champion's."""
        return [each.reader.schema == self.champion.reader.schema for each in self.predictors]

    @cached_property
    def histories(self) -> list[HistoryState]:
        """The earlier cases that features of these models are computed from; models that share a bundle share them."""
        found = {id(each.history): each.history for each in self.predictors if each.history is not None}
        return list(found.values())

    @cached_property
    def sole(self) -> Predictor | None:
        """The variant that answers all cases, if it has the champion's schema; otherwise None."""
        only = self.assigner.only
        return self.predictors[only] if only is not None and self.has_champion_schema[only] else None

    def variant(self, place: int) -> dict[str, object]:
        """The description of a variant in responses."""
        predictor = self.predictors[place]
        planned = None if self.plan is None else self.plan.variants[place]
        return {
            "name": predictor.name,
            "version": predictor.version,
            "kind": predictor.manifest.kind,
            "share": 1.0 if planned is None else planned.share,
            "shadow": False if planned is None else planned.shadow,
            "policy": predictor.policy.model_dump(),
            "policy_version": predictor.policy_version,
            "path": "plain" if predictor.fast is None else "fast",
        }


def load_models(plan: TrafficPlan | None, settings: Settings, before: LoadedModels | None) -> LoadedModels:
    """Load the models of the plan; models that `before` has loaded already are reused.

    Raises:
        NoriaError: a bundle is damaged, or the privacy settings do not match it.
    """
    from noria.bundle import Bundle

    plan = plan or built_in_plan(BUILT_IN)
    effective = plan or TrafficPlan.of(BUILT_IN, "")
    known = {} if before is None else {each.bundle.folder: each.bundle for each in before.predictors}
    bundles = [known.get(each.bundle) or Bundle.open(each.bundle) for each in effective.variants]
    limits = {"max_rows": settings.serving.max_rows, "max_text": settings.limits.max_text}
    predictors = [
        Predictor(bundle, each.name, policy=each.policy, policy_version=each.policy_version, **limits)
        for bundle, each in zip(bundles, effective.variants, strict=True)
    ]
    redactors = [
        Redactor(
            settings.serving.privacy,
            each.reader.names,
            settings.privacy_key,
            id=each.manifest.id,
            time=each.manifest.time,
        )
        for each in predictors
    ]
    for bundle, redactor in zip(bundles, redactors, strict=True):
        if bundle.history is not None and bundle.folder not in known and redactor.active:
            names = {entity: redactor.entity(entity) for entity in bundle.history.entities}
            bundle.history.rename_entities(names)
    return LoadedModels(
        plan,
        predictors,
        Assigner(effective.variants),
        redactors,
        shown_examples(bundles[0], settings.serving),
        shown_manifest(bundles[0].manifest, settings.serving.privacy),
        datetime.now(UTC),
    )
