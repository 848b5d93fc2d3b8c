"""Errors of the spool."""

from noria.system.errors import NoriaError


class SpoolFull(NoriaError):  # noqa: N818 - describes a state
    """The spool holds `serving.spool.max_mb` already."""


class SpoolFailed(NoriaError):  # noqa: N818
    """The spool's disk is full or broken; the event is not recorded."""
