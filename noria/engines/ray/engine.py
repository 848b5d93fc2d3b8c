"""`RayEngine`: tasks, streams, boosting and searches on a Ray cluster."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from noria.config.engine import EngineConfig
from noria.engines.engine import BoostingJob, Search
from noria.engines.ray.cluster import connect, gather

T = TypeVar("T")


@dataclass(frozen=True)
class RayHandle:
    """A value in the memory of the cluster."""

    reference: Any

    def get(self) -> Any:
        """The value, fetched from the cluster."""
        import ray

        return ray.get(self.reference)


class RayEngine:
    """Runs work on a cluster; connects when it is first given some, and a connection that exists is used."""

    is_distributed = True
    rows_per_task = 100_000

    def __init__(self, config: EngineConfig) -> None:
        self.config, self.cores = config, config.cores

    def map(self, function: Callable[..., T], pieces: Iterable[Sequence[Any]], **shared: Any) -> list[T]:
        """See `Engine.map`; each piece takes one core."""
        ray = connect(self.config)
        named = {name: ray.put(value) for name, value in shared.items()}  # each is sent once
        task = ray.remote(function).options(num_cpus=1)
        return list(gather(ray, [task.remote(*piece, **named) for piece in pieces]))

    def share(self, value: object) -> Any:
        """See `Engine.share`."""
        return connect(self.config).put(value)

    def handle(self, value: object) -> RayHandle:
        """See `Engine.handle`."""
        return RayHandle(self.share(value))

    def submit(self, function: Callable[..., Any], *arguments: Any, outputs: int = 1, **named: Any) -> Any:
        """See `Engine.submit`; the task takes the engine's cores."""
        task = connect(self.config).remote(function).options(num_returns=outputs, num_cpus=self.cores)
        return task.remote(*arguments, **named)

    def result(self, reference: Any) -> Any:
        """See `Engine.result`."""
        return gather(connect(self.config), reference)

    def stream(
        self,
        items: Sequence[Any],
        function: Callable[..., Iterator[T]],
        *,
        expand: Callable[..., Iterator[Any]] | None = None,
        **shared: Any,
    ) -> Generator[T, None, None]:
        """See `Engine.stream`."""
        connect(self.config)  # which says so where Ray is not installed
        from noria.engines.ray.stream import stream

        yield from stream(items, function, expand=expand, cores=self.cores, shared=shared)

    def train_xgboost(self, job: BoostingJob) -> Any:
        """See `Engine.train_xgboost`; a job that was killed continues after its last checkpoint."""
        connect(self.config)
        from noria.engines.ray.boosting import boost

        return boost(job, self.config)

    def search(self, search: Search) -> None:
        """See `Engine.search`; trials run side by side."""
        connect(self.config)
        from noria.engines.ray.search import run_search

        run_search(search, self.config)
