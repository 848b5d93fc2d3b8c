"""Where Noria has written, beyond the folders of one use case."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from noria.predictions.erasure.entity_matcher import EntityMatcher


@dataclass(frozen=True)
class BundleErasure:
    """What became of one model bundle."""

    rows: int = 0
    """Rows of the case that were taken out; then it was sealed again."""
    left: str = ""
    """What still names the case, and how to replace it; empty: nothing."""


@dataclass(frozen=True)
class Reach:
    """What `forget` reaches beside the workspace."""

    erase_bundle: Callable[[Path, EntityMatcher], BundleErasure] | None = None
    """Takes a case out of a sealed bundle; None: bundles are searched only."""
    folders: Sequence[Path] = ()
    """Artifact stores on this machine."""
    outputs: Sequence[Path] = ()
    """Files that `predict` wrote where the user wanted them."""
    beyond: Sequence[str] = field(default=())
    """Places that cannot be searched from here."""
