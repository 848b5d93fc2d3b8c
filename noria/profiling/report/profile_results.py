"""The profile of a table: its columns, and what a person should know about them."""

from typing import Literal

from noria.config.section import Section
from noria.profiling.target_association import LevelSummary
from noria.schema.column_types import Unusable

Kind = Literal["number", "category", "datetime", "text", "empty"]
Role = Literal["target", "identifier", "time", "group", "known too late", "excluded", "input"]
Tone = Literal["", "good", "watch", "bad"]


class HistogramBin(Section):
    """One bar of a histogram."""

    left: float
    """Lower edge (epoch seconds for dates)."""
    right: float
    """Upper edge."""
    rows: int
    """How many rows."""


class NumericSummary(Section):
    """Summary of a numeric column (of dates: in epoch seconds)."""

    minimum: float
    """Smallest value."""
    quarter: float
    """A quarter of the values lie below."""
    median: float
    """Half of the values lie below."""
    mean: float
    """Average."""
    three_quarters: float
    """Three quarters of the values lie below."""
    maximum: float
    """Largest value."""
    outliers: int
    """Values beyond Tukey's fences: more than 1.5 interquartile ranges outside the middle half (Tukey 1977)."""


class ColumnProfile(Section):
    """One column."""

    name: str
    """Its name."""
    kind: Kind
    """What it holds; `text` means free text or identifiers, `empty` no value at all."""
    role: Role
    """What the use case does with it."""
    unusable: Unusable | None = None
    """Why training leaves it out, though its role would allow it; decided on the training rows."""
    unusable_reason: str = ""
    """The same in words."""
    unreadable: str = ""
    """Which values cannot be read as what the column is declared to hold; training refuses them."""
    missing: int
    """Rows without a value."""
    missing_share: float
    """The same as a share (0 to 1)."""
    distinct: int
    """Different values."""
    most_common: str = ""
    """The most frequent value."""
    most_common_rows: int = 0
    """How often it occurs."""
    numbers: NumericSummary | None = None
    """Summary, if the values are numbers or dates."""
    histogram: list[HistogramBin] = []
    """Distribution of numbers with many values and of dates, of the sampled rows."""
    levels: list[LevelSummary] = []
    """How the target turns out by value or range, of the sampled rows."""
    strength: float | None = None
    """What the column alone tells about the target, from 0 (nothing) to 1 (everything); see `target_association`."""

    @property
    def is_feature(self) -> bool:
        """Whether a model will see it as an input."""
        return self.role == "input" and self.unusable is None


class ProfileFinding(Section):
    """One sentence that a person should read."""

    text: str
    """In plain words."""
    tone: Tone = ""
    """How it should be taken."""


class CorrelatedPair(Section):
    """Two numeric inputs that say nearly the same."""

    first: str
    """One column."""
    second: str
    """The other."""
    correlation: float
    """Spearman's rank correlation (-1 to 1)."""


class TableProfile(Section):
    """The facts about one table."""

    name: str
    """Name of the use case."""
    question: str
    """The client's question."""
    case: str
    """What one row is, in the singular."""
    task: Literal["binary", "multiclass", "regression"]
    """Kind of problem."""
    target: str
    """The column to predict."""
    classes: list[str]
    """Classes of the target, the most frequent first; none for regression."""
    positive: str | None
    """The class that is acted on, for a binary target."""
    rows: int
    """Rows of the table, without the quarantined ones."""
    sampled: int
    """Rows that pictures and relations are drawn from."""
    overall: list[float]
    """The answer over all sampled rows, as in `LevelSummary.answer`."""
    columns: list[ColumnProfile]
    """Every column, in the table's order."""
    suspects: dict[str, str]
    """Column suspected of leakage → why."""
    questioned: dict[str, str] = {}
    """Column that tells nearly as much → how much."""
    leakage_warning: str = ""
    """What a person must be asked about them, with the line of YAML to write; empty: nothing."""
    pairs: list[CorrelatedPair]
    """Inputs that say nearly the same."""
    duplicates: int
    """Rows that repeat an earlier one in every column but the identifier."""
    quarantined: int
    """Rows that broke an expectation."""
    quarantine_reasons: dict[str, int]
    """Why, the most frequent first."""
    findings: list[ProfileFinding]
    """What matters, in plain words, the most important first."""

    @property
    def warnings(self) -> list[str]:
        """The findings that ask for attention."""
        return [finding.text for finding in self.findings if finding.tone in {"watch", "bad"}]

    def column(self, name: str) -> ColumnProfile:
        """The profile of one column."""
        return next(column for column in self.columns if column.name == name)
