"""Texts that stand for a missing value."""

MISSING_MARKS = frozenset(
    {
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
        *("N/A", "NA", "NULL", "NaN", "NaT", "None", "n/a", "nan", "null"),
    }
)
"""What pandas.read_csv takes for missing."""
