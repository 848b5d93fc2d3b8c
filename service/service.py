"""What `bentoml serve` loads: the BentoML service. The heavy imports wait until a worker starts."""

import os
from typing import Any

import bentoml

from service.app import App
from service.runtime import Runtime
from service.settings import SERVING, serving_from

_runtime = Runtime()
_app = App(_runtime)


@bentoml.service(
    name="noria",
    workers=serving_from(os.environ.get(SERVING, "")).workers,
    traffic={"timeout": 60},
    # Tracing takes more of a request's time than the model, and without an exporter nobody sees the traces.
    tracing={"excluded_urls": ".*"},
    # Every prediction is in the store; a line of text for each would only fill the disk.
    logging={"access": {"enabled": False}},
)
class Noria:
    """Predictions with a model bundle, or several side by side; each is kept before it is answered."""

    def __init__(self) -> None:
        _runtime.start()
        _app.started()

    @bentoml.on_shutdown
    def stop(self) -> None:
        """See that everything is on the disk."""
        _runtime.stop()


class _Direct(bentoml.Service):
    """BentoML's application inside ours: its layers cost more than a prediction does."""

    __slots__ = ()

    def to_asgi(self, is_main: bool = True) -> Any:
        """Our application, which passes on to BentoML's what it does not answer itself."""
        _app.inner = super().to_asgi(is_main=is_main)
        return _app


Noria.__class__ = _Direct  # type: ignore[method-assign]
