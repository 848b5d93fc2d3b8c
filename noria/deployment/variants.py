"""The variants of a deployment, and the plan made of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noria.bundle import Bundle
from noria.deployment.bundle_cache import cached_bundle, copy_name
from noria.predictions import SMOKE
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from noria.traffic import activation, plan_history
from noria.traffic.activation import CHAMPION, PlannedVariant, TrafficPlan

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class VariantSpec:
    """A bundle, its name and its share; the first of several is the champion."""

    bundle: Bundle
    name: str = CHAMPION
    share: float = 1.0
    """Share of the cases that it answers."""
    shadow: bool = False
    """It predicts every case and is recorded, but its answers are not sent."""

    def variant(self, workspace: Workspace) -> PlannedVariant:
        """With a copy of the bundle in the service folder.

        Raises:
            NoriaError: it cannot be copied, or the name is not valid.
        """
        self._check_name()
        return self._with(cached_bundle(workspace, self.bundle))

    def in_place(self) -> PlannedVariant:
        """With the bundle where it is, for an image that takes it from there.

        Raises:
            NoriaError: the name is not valid.
        """
        self._check_name()
        return self._with(self.bundle.folder)

    def _check_name(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name == SMOKE:
            raise NoriaError(
                f"`{self.name}` is not a valid name for a variant",
                code="traffic.variant_name_invalid",
                where="serving.variants",
                fix=f"use up to 64 letters, digits, dots, dashes and underscores, but not `{SMOKE}`",
            )

    def _with(self, bundle: Path) -> PlannedVariant:
        return PlannedVariant(
            name=self.name,
            bundle=bundle,
            version=self.bundle.manifest.version,
            share=self.share,
            shadow=self.shadow,
        )


def plan_of(workspace: Workspace, specs: Sequence[VariantSpec]) -> TrafficPlan:
    """A traffic plan with these variants.

    Raises:
        NoriaError: a bundle cannot be copied.
    """
    return TrafficPlan(variants=[spec.variant(workspace) for spec in specs])


def same_version_variants(workspace: Workspace, bundle: Bundle) -> set[str]:
    """The variants that serve, or recently served, another bundle of the same version, such as its rules."""
    current = activation.read_plan(workspace.service)
    plans = [*plan_history.earlier_plans(workspace.service), *([current] if current is not None else [])]
    same = [each for plan in plans for each in plan.variants if each.version == bundle.manifest.version]
    own = copy_name(bundle)
    return {each.name for each in same if each.bundle.name != own} - {
        each.name for each in same if each.bundle.name == own
    }
