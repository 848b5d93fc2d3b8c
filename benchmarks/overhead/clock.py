"""A stopwatch whose phases add up to the whole."""

import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Clock:
    """Divides wall time into phases. While one phase runs within another, only the inner one's time goes on."""

    def __init__(self, rest: str) -> None:
        """Start; time in no other phase belongs to `rest`."""
        self._seconds: dict[str, float] = defaultdict(float)
        self._open = [rest]
        self._since = time.perf_counter()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time spent here belongs to `name`."""
        self._note()
        self._open.append(name)
        try:
            yield
        finally:
            self._note()
            self._open.pop()

    def time_calls(self, owner: Any, name: str, phase: str) -> None:
        """Replace the function `name` of a module or class by one whose calls are timed.

        Raises:
            AttributeError: `owner` has no such function; the benchmark and the code have drifted apart.
        """
        function: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            # other threads work beside the main one, not instead of it
            if threading.current_thread() is not threading.main_thread():
                return function(*args, **kwargs)
            with self.phase(phase):
                return function(*args, **kwargs)

        setattr(owner, name, timed)

    def seconds(self) -> dict[str, float]:
        """Phase → seconds so far."""
        self._note()
        return dict(self._seconds)

    def _note(self) -> None:
        now = time.perf_counter()
        self._seconds[self._open[-1]] += now - self._since
        self._since = now
