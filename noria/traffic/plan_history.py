"""The plans that a service has followed before, so that the last change can be rolled back."""

from pathlib import Path

from pydantic import ConfigDict, Field, ValidationError

from noria.config.section import Section
from noria.system import progress
from noria.system.files import write_text
from noria.traffic.activation import TrafficPlan

_FILE = "history.json"
_KEPT = 5


class _History(Section):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    plans: list[TrafficPlan] = Field(default=[], alias="orders")
    """The oldest first. On disk the key is `orders`, which earlier versions read and write."""


def earlier_plans(folder: Path) -> list[TrafficPlan]:
    """The plans before the current one, the oldest first; a file that cannot be read is set aside."""
    path = folder / _FILE
    try:
        return _History.model_validate_json(path.read_bytes()).plans
    except FileNotFoundError:
        return []
    except ValidationError:
        path.replace(path.with_name(path.name + ".bad"))
        progress.warn(f"{path} could not be read and is set aside as {path.name}.bad")
        return []


def remember_plan(folder: Path, plan: TrafficPlan) -> None:
    """Add a plan that has been replaced."""
    plans = earlier_plans(folder)
    if not plans or plans[-1].variants != plan.variants:
        _write(folder, [*plans, plan])


def forget_last(folder: Path, plan: TrafficPlan) -> None:
    """Remove the latest plans that equal this one: a plan is not its own predecessor."""
    plans = earlier_plans(folder)
    while plans and plans[-1].variants == plan.variants:
        plans.pop()
    _write(folder, plans)


def return_to(folder: Path, plan: TrafficPlan) -> None:
    """Record a rollback to this plan: it and its successors are predecessors no longer."""
    plans = earlier_plans(folder)
    places = [place for place, each in enumerate(plans) if each.variants == plan.variants]
    _write(folder, plans[: places[-1]] if places else plans)


def last_other(folder: Path, plan: TrafficPlan) -> TrafficPlan | None:
    """The latest plan before this one with other variants, shares or policies."""
    return next((each for each in reversed(earlier_plans(folder)) if each.variants != plan.variants), None)


def _write(folder: Path, plans: list[TrafficPlan]) -> None:
    write_text(folder / _FILE, _History(plans=plans[-_KEPT:]).model_dump_json(indent=1))
