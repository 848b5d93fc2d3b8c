"""Where `predict` has written, so that `forget` can look there."""

import json
from pathlib import Path

from noria.system.files import write_text
from noria.system.workspace import Workspace

_LIST = "predicted_files.json"


def remember_output(workspace: Workspace, location: str) -> None:
    """Keep the place of an output; a URL, too."""
    known = _known(workspace)
    if location not in known:
        write_text(workspace.folder / _LIST, json.dumps([*known, location], indent=2))


def predicted_files(workspace: Workspace) -> list[Path]:
    """The outputs on this machine that are still there."""
    paths = [Path(location) for location in _known(workspace) if "://" not in location]
    return [path for path in paths if path.exists()]


def _known(workspace: Workspace) -> list[str]:
    try:
        found = json.loads((workspace.folder / _LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(location) for location in found] if isinstance(found, list) else []
