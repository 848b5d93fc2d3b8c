"""Verdicts of earlier runs, where the workspace does not hold them: a step in a pod has a new one each time."""

from pathlib import Path

from zenml.client import Client

from noria.monitoring.verdict_history import append
from noria.system import progress
from steps.shared.champion import champion_version

_ARTIFACT = "monitoring_verdict"
_MOST = 200
"""The newest ones that are fetched."""


def restore_verdicts(name: str, file: Path) -> None:
    """Fetch the verdicts on the champion from ZenML, if the workspace has no history at all.

    How far chance may reach depends on how often a model was looked at, so a look that knows of no earlier one would
    raise false alarms.

    Args:
        name: of the model.
        file: the history of verdicts.
    """
    version = None if file.exists() else champion_version(name)
    if version is None:
        return
    found = Client().list_artifact_versions(
        artifact=_ARTIFACT, model_version_id=version.id, sort_by="desc:created", size=_MOST
    )
    for each in reversed(list(found)):
        try:
            append(file, each.load())
        except Exception as error:  # of the artifact store, or a verdict of another version of Noria
            progress.warn(f"an earlier verdict cannot be read ({type(error).__name__}), and is left out")
    if found.items:
        progress.stage("history", f"{len(found.items)} earlier verdicts of version {version.number} from ZenML")
