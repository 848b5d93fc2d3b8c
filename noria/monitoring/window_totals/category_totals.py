"""A category in all rows: how often each value comes."""

from collections.abc import Iterable, Mapping

_MOST = 10_000
"""Values with a count of their own, besides those of the reference."""


class CategoryTotals:
    """n values of a category, as far as they were added.

    Values beyond the first 10,000 are counted together. The Jensen–Shannon distance is the same whether values that the
    reference does not have are counted one by one or together.

    Args:
        reference: the values that always have a count of their own.
    """

    def __init__(self, reference: Iterable[str] = ()) -> None:
        self.counts: dict[str, int] = dict.fromkeys(reference, 0)
        """Value → how often it came."""
        self.others = 0
        """How often values without a count of their own came."""
        self.missing = 0
        """How often there was none."""
        self._most = len(self.counts) + _MOST

    @property
    def rows(self) -> int:
        """n."""
        return sum(self.counts.values()) + self.others + self.missing

    def add(self, counts: Mapping[str | None, int]) -> None:
        """Add values by their number; None: missing."""
        for value, count in counts.items():
            if value is None:
                self.missing += count
            elif value in self.counts or len(self.counts) < self._most:
                self.counts[value] = self.counts.get(value, 0) + count
            else:
                self.others += count
