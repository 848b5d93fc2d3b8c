"""The artifact stores and experiment trackers of all stacks that ZenML knows here."""

from pathlib import Path

from app.environment import zenml_client
from noria.system.workspace import home

_MOST = 1000


def artifact_stores() -> tuple[list[Path], list[str]]:
    """Those that are folders on this machine, and what cannot be searched from here.

    ZenML is asked only where it has been used: it takes seconds.
    """
    if not (home() / "zenml" / "config.yaml").is_file():
        return [], []
    from zenml.enums import StackComponentType as Kind

    client = zenml_client()
    stores = client.list_stack_components(type=Kind.ARTIFACT_STORE, size=_MOST).items
    trackers = client.list_stack_components(type=Kind.EXPERIMENT_TRACKER, size=_MOST).items
    paths = [str(store.configuration.get("path") or "") for store in stores]
    servers = [str(tracker.configuration.get("tracking_uri") or "") for tracker in trackers]
    here = [Path(path) for path in paths if path and "://" not in path]
    return here, [
        *(f"the artifact store {path}" for path in paths if "://" in path),
        *(f"the experiment tracker {url}" for url in servers if "://" in url),
    ]
