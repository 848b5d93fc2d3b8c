"""The orders that a service has followed before, so that the last change can be taken back."""

from pathlib import Path

from pydantic import ValidationError

from noria.config.section import Section
from noria.system import progress
from noria.system.files import write_text
from noria.traffic.activation import TrafficPlan

_FILE = "history.json"
_KEPT = 5


class _History(Section):
    orders: list[TrafficPlan] = []
    """The oldest first."""


def earlier_plans(folder: Path) -> list[TrafficPlan]:
    """The orders before the one that stands, the oldest first; a file that cannot be read is set aside."""
    path = folder / _FILE
    try:
        return _History.model_validate_json(path.read_bytes()).orders
    except FileNotFoundError:
        return []
    except ValidationError:
        path.replace(path.with_name(path.name + ".bad"))
        progress.warn(f"{path} could not be read and is set aside as {path.name}.bad")
        return []


def remember_plan(folder: Path, order: TrafficPlan) -> None:
    """The order stands no more."""
    orders = earlier_plans(folder)
    if not orders or orders[-1].variants != order.variants:
        _write(folder, [*orders, order])


def forget_last(folder: Path, order: TrafficPlan) -> None:
    """The order stands again: it is not its own predecessor."""
    orders = earlier_plans(folder)
    while orders and orders[-1].variants == order.variants:
        orders.pop()
    _write(folder, orders)


def return_to(folder: Path, order: TrafficPlan) -> None:
    """The order was returned to: it and what came after it are no predecessors any more."""
    orders = earlier_plans(folder)
    places = [place for place, each in enumerate(orders) if each.variants == order.variants]
    _write(folder, orders[: places[-1]] if places else orders)


def last_other(folder: Path, order: TrafficPlan) -> TrafficPlan | None:
    """The latest order before this one that named other variants, shares or policies."""
    return next((each for each in reversed(earlier_plans(folder)) if each.variants != order.variants), None)


def _write(folder: Path, orders: list[TrafficPlan]) -> None:
    write_text(folder / _FILE, _History(orders=orders[-_KEPT:]).model_dump_json(indent=1))
