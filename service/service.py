"""The BentoML service that `bentoml serve` loads; its parts are imported when a worker starts."""

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

import bentoml

from service.start_report import failed_start_reported

if TYPE_CHECKING:
    from service.app import App


@cache
def _app() -> "App":
    """This process's application. BentoML's supervisor loads this module too, and never needs it."""
    with failed_start_reported():
        from service.app import App
        from service.runtime import Runtime

        return App(Runtime())


@bentoml.service(
    name="noria",
    workers=json.loads(os.environ.get("NORIA_SERVING") or "{}").get("workers", 1),
    traffic={"timeout": 60},
    # Tracing takes more of a request's time than the model, and without an exporter there is no use for the traces.
    tracing={"excluded_urls": ".*"},
    # Every prediction is in the store; a line of text for each would only fill the disk.
    logging={"access": {"enabled": False}},
)
class Noria:
    """Predictions with one or several model bundles; each is recorded before it is sent."""

    def __init__(self) -> None:
        _app().runtime.start()
        with failed_start_reported():
            _app().started()

    @bentoml.on_shutdown
    def stop(self) -> None:
        """Close the spool, so that everything is on disk."""
        _app().runtime.stop()


class _DirectService(bentoml.Service):
    """Runs BentoML's application inside ours: its layers cost more than a prediction does."""

    __slots__ = ()

    def to_asgi(self, is_main: bool = True) -> Any:
        """Our application, which delegates to BentoML's what it does not answer itself."""
        app = _app()
        app.inner = super().to_asgi(is_main=is_main)
        app.connections.install()
        return app


Noria.__class__ = _DirectService  # type: ignore[method-assign]
