"""The serving backends by the name that a stack file gives as `service`.

To add a backend, write one file with a class that has the members of `ServingBackend`, and add its line here. A backend
is imported when a stack needs it, so the list of names costs nothing where stack files are read.
"""

import importlib
from typing import Any

BACKENDS = {
    "process": "app.serving.process:ProcessBackend",
    "container": "app.serving.container:ContainerBackend",
    "compose": "app.serving.compose:ComposeBackend",
    "kubernetes": "app.serving.kubernetes:KubernetesBackend",
}
"""Name → module and class."""
DEFAULT_BACKEND = "process"
"""The backend of a stack that names none."""


def load_backend(name: str) -> Any:
    """The class of a registered backend."""
    module, _, cls = BACKENDS[name].partition(":")
    return getattr(importlib.import_module(module), cls)
