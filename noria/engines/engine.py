"""`Engine`: what heavy work needs of the place where it runs, without knowing that place.

An engine knows no models, tables or bundles: it receives functions and data. `engine_of` chooses it once for each
configuration; domain code asks for it there and never tests its name. To add an engine, add a file beside `local.py`
or a folder beside `ray/`, and name it in `_ENGINES` and in `noria.config.engine.EngineName`.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from noria.config.engine import EngineConfig

T = TypeVar("T")
Params = dict[str, Any]
TrialState = Literal["complete", "pruned"]
_ENGINES = {"local": ("noria.engines.local", "LocalEngine"), "ray": ("noria.engines.ray.engine", "RayEngine")}
"""Name in a use case → where its class is."""


@dataclass(frozen=True)
class BoostingJob:
    """One XGBoost model to be fitted."""

    owner: str
    """The use case, which names what is kept of a job that is interrupted."""
    settings: dict[str, Any]
    """XGBoost's own parameters."""
    rounds: int
    prepared: NDArray[Any]
    """(n, q) prepared rows."""
    target: NDArray[Any]
    """(n,) class codes or numbers."""
    table: dict[str, Any]
    """The arguments of `xgboost.QuantileDMatrix` besides the rows."""
    weights: NDArray[Any] | None = None
    """(n,) how much each row weighs; None: all weigh the same."""

    @property
    def digest(self) -> str:
        """The same for the same job only."""
        described = json.dumps([self.settings, self.rounds, self.table], sort_keys=True, default=str)
        content = hashlib.sha256(described.encode())
        for rows in (self.prepared, self.target, *([] if self.weights is None else [self.weights])):
            content.update(np.ascontiguousarray(rows).view(np.uint8).data)
        return content.hexdigest()[:16]


class Handle(Protocol):
    """A value that tasks receive without it being sent to each of them; hashable, so that tasks can cache by it."""

    def get(self) -> Any:
        """The value."""

    def __hash__(self) -> int: ...


class Search(Protocol):
    """A hyper-parameter search, as an engine sees it."""

    owner: str
    """The use case."""
    name: str
    """Names the search within its use case."""
    first: Params
    """What the first trial takes of the search space."""
    direction: str
    """`maximize` or `minimize`."""
    trials: int
    steps: int
    """How many intermediate values a complete trial reports."""
    seed: int
    timeout_s: float | None

    def suggest(self, trial: Any) -> Params:
        """The parameters of a trial, drawn through Optuna's interface."""

    def run(self, number: int, params: Params, report: Callable[[int, float], None]) -> float:
        """One trial in this process; `report(step, value so far)` may raise `optuna.TrialPruned`."""

    def objective(self) -> Callable[[Params, Callable[[int, float], None]], None]:
        """The same for another process: can be pickled, and records nothing."""

    def record(self, number: int, params: Params, value: float, state: TrialState, seconds: float) -> None:
        """A trial has ended; `run` records complete ones itself."""


class Engine(Protocol):
    """Where heavy work runs.

    >>> from noria.config.engine import EngineConfig
    >>> engine = engine_of(EngineConfig())
    >>> engine.map(pow, [(2, 3), (3, 2)])
    [8, 9]
    >>> engine.is_distributed
    False
    """

    is_distributed: bool
    """Do tasks run in other processes, perhaps on other machines, so that data is sent to them?"""
    cores: int
    """Cores of each task."""
    rows_per_task: int | None
    """Into how many rows work on a table is divided; None: it is not."""

    def map(self, function: Callable[..., T], pieces: Iterable[Sequence[Any]], **shared: Any) -> list[T]:
        """`function(*piece, **shared)` for every piece; the results in the order of the pieces.

        Raises:
            NoriaError: as the function, or a machine was lost and its work could not be repeated.
        """

    def share(self, value: object) -> Any:
        """A reference that `submit` takes in place of the value, which is sent once."""

    def handle(self, value: object) -> Handle:
        """A handle that `stream` hands to its functions."""

    def submit(self, function: Callable[..., Any], *arguments: Any, outputs: int = 1, **named: Any) -> Any:
        """Start a task; returns a reference to its result, or a list of them where `outputs` is more than 1."""

    def result(self, reference: Any) -> Any:
        """The result of a task; waits for it.

        Raises:
            NoriaError: as the task, or a machine was lost and its work could not be repeated.
        """

    def stream(
        self,
        items: Sequence[Any],
        function: Callable[..., Iterator[T]],
        *,
        expand: Callable[..., Iterator[Any]] | None = None,
        **shared: Any,
    ) -> Generator[T, None, None]:
        """What `function(item, **shared)` yields for each item, in order, while later items are under way.

        Args:
            items: the work.
            function: is called for each item, on some machine.
            expand: makes several items of each, one after another in one place; None: the items are the work.
            shared: further arguments of `function`.

        Raises:
            NoriaError: as the functions, or the machines are lost.
        """

    def train_xgboost(self, job: BoostingJob) -> Any:
        """Fit one `xgboost.Booster`.

        Raises:
            NoriaError: the engine cannot be used, has too few cores, or has lost the work for good.
            xgboost.core.XGBoostError: the library refuses a parameter's value.
            ValueError: as above.
        """

    def search(self, search: Search) -> None:
        """Run all trials of a search; each is recorded.

        Raises:
            NoriaError: as a trial; the engine cannot be used, or has lost a trial for good.
        """


@cache
def engine_of(config: EngineConfig) -> Engine:
    """The engine that a use case names; the same object for the same configuration.

    Raises:
        NoriaError: the engine's packages are not installed. It connects when it is first given work.
    """
    module, name = _ENGINES[config.name]
    engine: Engine = getattr(import_module(module), name)(config)
    return engine
