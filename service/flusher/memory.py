"""Returning unused memory to the system, which the C library would keep."""

import contextlib
import ctypes
import gc


def give_back_memory() -> None:
    """Collect garbage and return free memory to the system.

    The remaining objects are frozen, so that later collections skip them.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError):  # other C libraries lack this function
        ctypes.CDLL(None).malloc_trim(0)
