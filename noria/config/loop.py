"""After deployment: `loop`, what is done about a verdict."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from noria.config.durations import UNIT_SECONDS
from noria.config.section import Section

Mode = Literal["do", "propose", "never"]
"""`do`: by itself; `propose`: a person is asked to, with the command; `never`: not considered."""

_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw])")
_SHORTEST_S, _LONGEST_S = 1, 366 * 86_400


def time_span(text: str) -> timedelta:
    """A time span such as "90s", "30m", "1h", "7d" or "2w".

    Raises:
        ValueError: it cannot be read, or is shorter than a second or longer than a year.

    >>> time_span("1.5h")
    datetime.timedelta(seconds=5400)
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"`{text[:40]}` is no time span; write 30m, 1h or 1d")
    seconds = float(found[1]) * UNIT_SECONDS[found[2]]
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise ValueError(f"`{text[:40]}` is not between 1 second and 366 days")
    return timedelta(seconds=seconds)


def _readable_span(text: str) -> str:
    time_span(text)
    return text


TimeSpan = Annotated[str, AfterValidator(_readable_span)]


class RetrainingBudget(Section):
    """How often the loop may train."""

    retrainings: int = Field(default=12, ge=0)
    """Most retrainings within `days`."""
    days: float = Field(default=365.0, gt=0, le=36_500)
    """Length of the period in days; it ends now."""


class LoopActions(Section):
    """What is done by itself (`do`), and what only proposed to a person (`propose`)."""

    alert: Literal["do", "never"] = "do"
    """Send a message about what was found and done."""
    ask_for_labels: Mode = "do"
    """Ask for the true labels, in a message."""
    retrain: Mode = "do"
    """Train on the current data. The new version is registered; what answers stays."""
    shadow: Mode = "propose"
    """Let a version that passed the gate predict every case beside the champion; its answers are not sent."""
    canary: Mode = "propose"
    """Let it answer a growing share of the cases, by `serving.canary`."""
    promote: Mode = "propose"
    """Make it the champion."""
    roll_back: Mode = "propose"
    """Restore what answered before the last change, if the model has been worse since."""
    fall_back_to_rules: Mode = "propose"
    """Let the rules answer, if they have become better than the model."""


class RolloutRoute(Section):
    """The way of a new version into service."""

    shadow_hours: float = Field(default=24.0, ge=0, le=8_784)
    """How long it is a shadow first, in hours; 0: it is none."""
    canary: bool = True
    """Whether it is a canary before it becomes the champion."""


class LoopAlerts(Section):
    """Messages of the loop."""

    urls: list[str] = []
    """Where messages go, besides the stack's alerter; secrets as `${env:NAME}`. `https://…` is a webhook that takes
    {"text": …}, as those of Slack, Teams and Mattermost do. Any other scheme (`mailto://`, `slack://`) is passed to
    Apprise, the extra `alerts`."""
    repeat_hours: float = Field(default=24.0, gt=0, le=8_784)
    """The same message is sent again after this many hours, while its reason lasts."""


class LoopConfig(Section):
    """When and how `watch` acts on what monitoring finds."""

    every: TimeSpan = "1h"
    """Time between two looks, such as 30m, 1h or 1d."""
    price: float = Field(default=0.0, ge=0)
    """What one retraining costs, in `problem.unit`. A model is retrained if the expected gain is higher."""
    horizon_days: float = Field(default=30.0, gt=0, le=36_500)
    """The expected gain of a retraining is counted over this many days."""
    trial_days: float = Field(default=7.0, ge=0, le=3_650)
    """Length in days of the periods on which the champion is compared with models of the same recipe that were learned
    later; 0: no such trials. They need `data.time` and a price, and run once for each period that has ended."""
    budget: RetrainingBudget = RetrainingBudget()
    """Most retrainings within a period."""
    cooldown_days: float = Field(default=1.0, ge=0, le=36_500)
    """Days after a retraining in which no other one begins. Each retraining in a row that did not help doubles it."""
    actions: LoopActions = LoopActions()
    """What is done without a person."""
    route: RolloutRoute = RolloutRoute()
    """What a new version goes through before it becomes the champion."""
    alert: LoopAlerts = LoopAlerts()
    """Who gets messages, and how often."""

    @model_validator(mode="after")
    def _route_is_possible(self) -> Self:
        route = {"shadow": self.route.shadow_hours > 0, "canary": self.route.canary}
        for step, taken in route.items():
            if taken and getattr(self.actions, step) == "never":
                raise ValueError(f"actions.{step} is `never`, but route goes through it; leave it out of the route")
        return self
