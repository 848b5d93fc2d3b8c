"""Values in the order of the moments at which they became known, with running sums."""

from bisect import bisect_left


class Series:
    """The values of one feature and one key, as whole numbers and parts of 2^-32 (see `windows.split_number`).

    Values mostly arrive in order, so that adding one touches few others.
    """

    __slots__ = ("_clean", "_moments", "_parts", "_sums", "_wholes")

    def __init__(self) -> None:
        self._moments: list[int] = []
        self._wholes: list[int] = []
        self._parts: list[int] = []
        self._sums: list[tuple[int, int]] = [(0, 0)]
        """Before each value, the sums of all earlier ones; valid up to `_clean` values."""
        self._clean = 0

    def __len__(self) -> int:
        return len(self._moments)

    def add(self, moment: int, whole: int, part: int) -> None:
        """Add a value."""
        place = bisect_left(self._moments, moment)
        self._moments.insert(place, moment)
        self._wholes.insert(place, whole)
        self._parts.insert(place, part)
        self._clean = min(self._clean, place)

    def remove(self, moment: int, whole: int, part: int) -> None:
        """Remove a value, if it is there."""
        place = bisect_left(self._moments, moment)
        while place < len(self._moments) and self._moments[place] == moment:
            if self._wholes[place] == whole and self._parts[place] == part:
                del self._moments[place], self._wholes[place], self._parts[place]
                self._clean = min(self._clean, place)
                return
            place += 1

    def sums(self, start: int, end: int) -> tuple[int, int, int]:
        """How many values became known with `start` ≤ moment < `end`, and the sums of their wholes and parts."""
        first, last = bisect_left(self._moments, start), bisect_left(self._moments, end)
        if first >= last:
            return 0, 0, 0
        self._sum_up(last)
        low, high = self._sums[first], self._sums[last]
        return last - first, high[0] - low[0], high[1] - low[1]

    def forget_before(self, moment: int) -> None:
        """Drop what became known before a moment."""
        place = bisect_left(self._moments, moment)
        if place:
            del self._moments[:place], self._wholes[:place], self._parts[:place]
            self._clean = 0

    def _sum_up(self, last: int) -> None:
        if self._clean >= last:
            return
        del self._sums[self._clean + 1 :]
        whole, part = self._sums[self._clean]
        for place in range(self._clean, last):
            whole, part = whole + self._wholes[place], part + self._parts[place]
            self._sums.append((whole, part))
        self._clean = last
