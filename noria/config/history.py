"""`features.history`: features that are counted from earlier cases."""

from typing import Literal, Self

from pydantic import Field, model_validator

from noria.config.durations import Duration, microseconds
from noria.config.section import Section

Statistic = Literal["count", "mean", "sum", "rate"]


class HistoryFeature(Section):
    """One feature: a statistic of earlier cases with the same keys, as known when the question is asked."""

    name: str = Field(min_length=1)
    """The feature's column. The table has no column of this name: Noria computes it."""
    of: str | None = None
    """The target, or a column of numbers. Without it, the cases themselves are counted."""
    stat: Statistic
    """`count` (of `of`: of its known values), `sum`, `mean`, or `rate`: the share of cases in which `of` is positive,
    which is the positive class of the target, or a number above 0. Without cases, `mean` and `rate` are missing."""
    by: list[str] = []
    """Key columns: cases with the same values count. Without them, all cases do."""
    over: Duration
    """How far the feature looks back, such as `24h`: a case counts if its value became known in this span."""
    delay: Duration | None = None
    """How long after a case its value is known. By default `data.label_hours` or `problem.label_delay_days` for the
    target, and 0 for a number or a count of cases, which are known as soon as a case is asked about."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.of is None and self.stat != "count":
            raise ValueError(f"`stat: {self.stat}` needs `of`, the target or a column of numbers")
        if microseconds(self.over) == 0:
            raise ValueError("`over` must be longer than 0")
        if len(set(self.by)) < len(self.by):
            raise ValueError("`by` names a column twice")
        return self

    def own_delay_us(self) -> int | None:
        """`delay` in microseconds."""
        return None if self.delay is None else microseconds(self.delay)


class HistorySpec(Section):
    """All that `features.history` needs to be computed; it travels with the model."""

    features: list[HistoryFeature]
    """The features, in the order of their columns."""
    time: str
    """The column that tells when a case happened."""
    target: str
    """The target's column."""
    positive: str | None
    """Binary: the class that counts as 1. None: the target is a number."""
    asked_before: Duration
    """How long before the case's time the question is asked."""
    label_delay_us: int
    """How long after the case's time its label is known, in microseconds."""
    label_hours: str | None = None
    """The column of hours that tells it case by case; where it is missing, `label_delay_us` holds."""

    @property
    def names(self) -> list[str]:
        """The computed columns."""
        return [feature.name for feature in self.features]

    @property
    def keys(self) -> list[str]:
        """The key columns of all features, each once."""
        return list(dict.fromkeys(column for feature in self.features for column in feature.by))

    @property
    def numbers(self) -> list[str]:
        """The columns of numbers that are needed, without the target."""
        used = (feature.of for feature in self.features)
        hours = [self.label_hours] if self.uses_target and self.label_hours is not None else []
        return list(dict.fromkeys([*(one for one in used if one is not None and one != self.target), *hours]))

    @property
    def inputs(self) -> list[str]:
        """The columns of a case that the features are computed from, without the target."""
        return list(dict.fromkeys([self.time, *self.keys, *self.numbers]))

    @property
    def uses_target(self) -> bool:
        """Whether a feature is computed from labels."""
        return any(feature.of == self.target for feature in self.features)

    def lead_us(self, feature: HistoryFeature) -> int:
        """How long before the case's time a feature looks back from, in microseconds.

        Labels are looked at when the question is asked. Cases are asked about in the order of their times, so that all
        earlier ones count.
        """
        return microseconds(self.asked_before) if feature.of == self.target else 0

    def delay_us(self, feature: HistoryFeature) -> int:
        """How long after a case's time its value is known, in microseconds, where no column tells."""
        usual = self.label_delay_us if feature.of == self.target else 0
        own = feature.own_delay_us()
        return usual if own is None else own

    def delay_column(self, feature: HistoryFeature) -> str | None:
        """The column of hours after a case's time at which its value is known; None: `delay_us` says it."""
        return self.label_hours if feature.of == self.target and feature.delay is None else None

    @property
    def longest_us(self) -> int:
        """How long a case can count for later ones, in microseconds after its time."""
        return max(self.lead_us(one) + self.delay_us(one) + microseconds(one.over) for one in self.features)
