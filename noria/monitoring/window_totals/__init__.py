"""What all predictions of a window hold, counted part by part in bounded memory, however many they are."""

from noria.monitoring.window_totals.category_totals import CategoryTotals
from noria.monitoring.window_totals.count_rows import GroupTotals, TotalsBasis, WindowTotals, count_rows, newest_minute
from noria.monitoring.window_totals.number_totals import NumberTotals

__all__ = [
    "CategoryTotals",
    "GroupTotals",
    "NumberTotals",
    "TotalsBasis",
    "WindowTotals",
    "count_rows",
    "newest_minute",
]
