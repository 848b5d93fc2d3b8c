"""Why an answer could not be spooled."""

from noria.system.errors import NoriaError


class SpoolFull(NoriaError):  # noqa: N818 - it is a state
    """As much waits for the prediction store as may wait (`serving.spool.max_mb`)."""


class SpoolFailed(NoriaError):  # noqa: N818
    """The spool's disk is full, or broken; nothing of the entry is kept."""
