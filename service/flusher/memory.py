"""Memory that is needed no more goes back to the system, which the C library would keep."""

import contextlib
import ctypes
import gc


def give_back_memory() -> None:
    """Collect what is rubbish, and give the system what is free.

    What is left stays, so that no later collection walks over it while somebody waits.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError):  # other C libraries have no such call
        ctypes.CDLL(None).malloc_trim(0)
