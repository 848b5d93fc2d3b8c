"""What is known of one input column."""

from functools import cached_property
from typing import Literal

from noria.config.section import Section
from noria.tabular.values import LARGEST

Kind = Literal["number", "category", "datetime"]


class Column(Section):
    """One input column as the training rows had it."""

    name: str
    """Its name in the table."""
    kind: Kind
    """How its values are read."""
    categories: list[str] = []
    """The categories of the training rows, the most frequent first, at most `features.max_categories`."""
    minimum: float | None = None
    """Smallest training value; seconds since 1970 for dates."""
    maximum: float | None = None
    """Largest training value; seconds since 1970 for dates."""
    missing: float = 0.0
    """Share of the training rows in which it is missing (0 to 1)."""

    @cached_property
    def codes(self) -> dict[str | None, int]:
        """Category → code from 0; None (missing) → the number of categories."""
        codes: dict[str | None, int] = {text: code for code, text in enumerate(self.categories)}
        codes[None] = len(self.categories)
        return codes

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Between these a number is nothing unusual."""
        if self.minimum is None or self.maximum is None:
            return -LARGEST, LARGEST
        return self.minimum, self.maximum

    @cached_property
    def is_boolean(self) -> bool:
        """Whether the only categories are True and False."""
        return bool(self.categories) and set(self.categories) <= {"True", "False"}
