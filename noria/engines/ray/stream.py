"""Streams on a Ray cluster, by Ray Data: workers take item after item, and results come back in order."""

import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import ray
import ray.data
from numpy.typing import NDArray
from ray.data import DataContext
from ray.data.exceptions import ExecutionTimeoutError

from noria.engines.ray.cluster import cause_of
from noria.system.errors import NoriaError
from noria.system.signals import raise_if_stopped

T = TypeVar("T")
_ITEM = "item"
Batch = dict[str, NDArray[Any]]


def stream(
    items: Sequence[Any],
    function: Callable[..., Iterator[T]],
    *,
    expand: Callable[..., Iterator[Any]] | None,
    cores: int,
    shared: Mapping[str, Any],
) -> Generator[T, None, None]:
    """See `Engine.stream`; the cluster is connected.

    Raises:
        NoriaError: as the functions, or the cluster cannot be used.
    """
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what goes wrong is raised here
    with DataContext.current(_context()), raise_if_stopped():
        work = ray.data.from_items(list(items), override_num_blocks=max(len(items), 1))
        if expand is not None:
            # in one place, one item after another; it waits most of the time
            work = work.map_batches(_expand, batch_format="numpy", num_cpus=0, fn_kwargs={"expand": expand})
        found = work.map_batches(
            _process_item,
            batch_size=1,
            batch_format="numpy",
            num_cpus=cores,
            fn_kwargs={"function": function, "shared": dict(shared)},
        )
        try:
            for batch in found.iter_batches(batch_size=None, batch_format="numpy"):
                for item in batch[_ITEM]:
                    if isinstance(item, NoriaError):
                        raise item
                    yield item
        except (ray.exceptions.RayError, ExecutionTimeoutError, ConnectionError) as error:
            raise cause_of(error) from error


def _context() -> DataContext:
    context = DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # what is ready is passed on at once
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return context


def _expand(batch: Batch, expand: Callable[..., Iterator[Any]]) -> Iterator[Batch]:
    yield from _items(expand(item) for item in batch[_ITEM])


def _process_item(batch: Batch, function: Callable[..., Iterator[Any]], shared: dict[str, Any]) -> Iterator[Batch]:
    item = batch[_ITEM][0]
    yield from _items([iter([item]) if isinstance(item, NoriaError) else function(item, **shared)])


def _items(results: Any) -> Iterator[Batch]:
    """Every value as a batch; an error that a person can correct is a value too."""
    try:
        for values in results:
            yield from map(_batch, values)
    except NoriaError as error:
        yield _batch(error)


def _batch(value: Any) -> Batch:
    items = np.empty(1, dtype=object)
    items[0] = value
    return {_ITEM: items}
