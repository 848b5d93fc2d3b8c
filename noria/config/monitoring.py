"""After deployment: `monitoring`."""

from typing import Self

from pydantic import Field, model_validator

from noria.config.section import Section


class MonitoringConfig(Section):
    """When a deployed model is well, worth watching, or due for retraining."""

    window_days: float = Field(default=30.0, gt=0, le=36_500)
    """Predictions of this many past days are looked at."""
    min_rows: int = Field(default=100, ge=10)
    """Fewer predictions than this give no verdict on drift."""
    min_labels: int = Field(default=50, ge=10)
    """Fewer labels than this give no verdict on performance."""
    drift_watch: float = Field(default=0.25, ge=0, le=1)
    """Share of drifted columns from which the verdict is at least `watch`."""
    drift_retrain: float = Field(default=0.6, ge=0, le=1)
    """Share of drifted columns from which the verdict is `retrain`."""
    metric_drop: float = Field(default=0.05, ge=0)
    """The primary metric may get worse than on the test rows by this much, in its own units; a drop that is larger
    beyond chance means `retrain`."""
    worth_drop: float = Field(default=0.25, ge=0)
    """What a decision brings in may fall by this share of its value on the test rows before the verdict is `watch`."""
    max_rows: int = Field(default=20_000, ge=100)
    """Most predictions that one check looks at one by one; more are sampled. Drift, ranges and days count all."""
    evidently: bool = True
    """Whether a check writes Evidently's pages beside its own; without them it is quicker."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.drift_watch > self.drift_retrain:
            raise ValueError("`drift_watch` must not exceed `drift_retrain`")
        return self
