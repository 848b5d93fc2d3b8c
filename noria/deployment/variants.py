"""Who answers beside the champion, and the order that says so."""

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
    """A bundle and its part; the first role of a lineup is the champion's."""

    bundle: Bundle
    name: str = CHAMPION
    share: float = 1.0
    """Share of the cases that it answers."""
    shadow: bool = False
    """It predicts every case and is recorded, but answers nobody."""

    def variant(self, workspace: Workspace) -> PlannedVariant:
        """With a copy of the bundle in the service folder.

        Raises:
            NoriaError: it cannot be copied, or the name is none.
        """
        self._refuse_name()
        return self._with(cached_bundle(workspace, self.bundle))

    def in_place(self) -> PlannedVariant:
        """With the bundle where it is, for an image that takes it from there.

        Raises:
            NoriaError: the name is none.
        """
        self._refuse_name()
        return self._with(self.bundle.folder)

    def _refuse_name(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name == SMOKE:
            raise NoriaError(
                f"`{self.name}` is no name for a variant",
                where="serving.variants",
                fix=f"use up to 64 letters, digits, dots, dashes and underscores, and not `{SMOKE}`",
            )

    def _with(self, bundle: Path) -> PlannedVariant:
        return PlannedVariant(
            name=self.name,
            bundle=bundle,
            version=self.bundle.manifest.version,
            share=self.share,
            shadow=self.shadow,
        )


def plan_of(workspace: Workspace, lineup: Sequence[VariantSpec]) -> TrafficPlan:
    """An order for these roles.

    Raises:
        NoriaError: a bundle cannot be copied.
    """
    return TrafficPlan(variants=[role.variant(workspace) for role in lineup])


def same_version_variants(workspace: Workspace, bundle: Bundle) -> set[str]:
    """The variants that answer, or did lately, with another bundle of the same version, such as its rules."""
    standing = activation.read_plan(workspace.service)
    orders = [*plan_history.earlier_plans(workspace.service), *([standing] if standing is not None else [])]
    same = [each for order in orders for each in order.variants if each.version == bundle.manifest.version]
    mine = copy_name(bundle)
    return {each.name for each in same if each.bundle.name != mine} - {
        each.name for each in same if each.bundle.name == mine
    }
