"""ZenML's console log is for `--debug` only."""

import logging
import os


def quiet_console() -> None:
    """Take ZenML's log off the screen; the log that it stores with each step stays whole."""
    from zenml.logger import ZenMLConsoleHandler

    if not os.environ.get("NORIA_DEBUG"):
        for handler in logging.getLogger().handlers:
            if isinstance(handler, ZenMLConsoleHandler):
                handler.setLevel(logging.CRITICAL + 1)
