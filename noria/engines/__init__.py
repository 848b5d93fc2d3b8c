"""Where heavy work runs: the `Engine`, in this process or on a cluster."""

from noria.engines.engine import BoostingJob, Engine, Handle, Search, engine_of

__all__ = ["BoostingJob", "Engine", "Handle", "Search", "engine_of"]
