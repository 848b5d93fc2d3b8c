"""The model that answered before the champion."""

from collections.abc import Sequence

from noria.bundle import Bundle
from noria.monitoring import MonitoringVerdict
from noria.system import progress
from noria.system.errors import NoriaError
from steps.shared.model_versions import promoted_bundle


def previous_bundle(name: str, champion: Bundle, earlier: Sequence[MonitoringVerdict]) -> Bundle | None:
    """The bundle of the last version that was checked before the champion's; None: there is none, or it is gone.

    Args:
        name: of the model.
        champion: the model that answers.
        earlier: verdicts so far, the oldest first.
    """
    version = next((each.version for each in reversed(earlier) if each.version != champion.manifest.version), None)
    if version is None:
        return None
    try:
        return promoted_bundle(name, version)
    except NoriaError as error:
        progress.warn(f"version {version} is not compared with the champion: {error.what}")
        return None
