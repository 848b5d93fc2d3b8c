"""What `bentoml serve` loads: the BentoML service. The heavy imports wait until a worker starts."""

import os

import bentoml

from service.app import app, runtime

WORKERS = "NORIA_WORKERS"


@bentoml.service(
    name="noria",
    workers=int(os.environ.get(WORKERS, "1")),
    traffic={"timeout": 60},
    # Tracing takes more of a request's time than the model, and without an exporter nobody sees the traces.
    tracing={"excluded_urls": ".*"},
    # Every prediction is in the store; a line of text for each would only fill the disk.
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(app, path="/")
class Noria:
    """Predictions with one model bundle; each is recorded before it is answered."""

    def __init__(self) -> None:
        runtime.start()

    @bentoml.on_shutdown
    def stop(self) -> None:
        """Close the store."""
        runtime.stop()
