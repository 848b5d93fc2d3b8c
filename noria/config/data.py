"""`data`: where the rows come from and what must be true of them."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from noria.config.column_reading import ColumnReading
from noria.config.durations import Duration
from noria.config.migration import accept_old_names
from noria.config.section import Label, Section


def _one_character(text: str) -> str:
    if len(text) != 1 or not text.isascii() or text in "\r\n\0":
        raise ValueError("must be one ASCII character")
    return text


def _plain(moment: datetime) -> datetime:
    """As UTC without a zone."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


Character = Annotated[str, AfterValidator(_one_character)]


class WindowConfig(Section):
    """Which rows are learned from, and how much they weigh, by their age."""

    days: float | None = Field(default=None, gt=0)
    """Rows whose `data.time` lies up to this many days before the newest one; by default all."""
    half_life_days: float | None = Field(default=None, gt=0)
    """The weight of a row in training halves with this many days of age: 0.5 ** (age / half_life_days), where the
    newest row that is learned from has the age 0. By default all weigh the same. Evaluation is never weighted."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.days is None and self.half_life_days is None:
            raise ValueError("give `days`, `half_life_days` or both; for all rows write `all`")
        return self

    def __str__(self) -> str:
        span = "all rows" if self.days is None else f"the last {self.days:g} days"
        return (
            span if self.half_life_days is None else f"{span} with weights that halve in {self.half_life_days:g} days"
        )


class SourceConfig(Section):
    """One table: a CSV or Parquet file (local path or fsspec URL), or an SQL query; or labelled predictions."""

    name: str = Field(min_length=1)
    """The name that `joins` uses."""
    kind: Literal["table", "predictions"] = "table"
    """`predictions` adds the labelled cases of a prediction store as further rows, below the joined table."""
    use_case: str | None = None
    """For `predictions`: the use case whose store is read, by default this one."""
    path: str | None = None
    """File to read: a path from the project folder, or any fsspec URL (`s3://…`). `${env:NAME}` is taken from the
    environment when the file is read."""
    format: Literal["csv", "parquet"] | None = None
    """Format of the file; by default its ending tells."""
    separator: Character = ","
    """Separator of a CSV file."""
    decimal: Character = "."
    """Decimal mark of a CSV file."""
    url: str | None = None
    """SQLAlchemy URL of a database. Write secrets as `${env:NAME}`: they are taken from the environment when the
    query runs and are stored nowhere. For `predictions`: the store, by default that of the use case."""
    query: str | None = None
    """SQL query to run at `url`: one statement that only reads, SELECT or WITH."""

    @model_validator(mode="after")
    def _file_or_query(self) -> Self:
        if self.kind == "predictions":
            if self.path is not None or self.query is not None or self.format is not None:
                raise ValueError("a source of kind `predictions` has no `path`, `format` or `query`")
            return self
        if self.use_case is not None:
            raise ValueError("`use_case` needs `kind: predictions`")
        if (self.path is None) == (self.url is None):
            raise ValueError("give either `path` (a file) or `url` with `query` (a database)")
        if (self.url is None) != (self.query is None):
            raise ValueError("`url` and `query` go together")
        return self


class JoinConfig(Section):
    """Adds the columns of another source to the table so far (the first source starts it)."""

    source: str
    """Name of the source to add."""
    on: list[str] = Field(min_length=1)
    """Key columns, of the same name on both sides."""
    how: Literal["left", "inner"] = "left"
    """`left` keeps every row of the table so far."""
    many_to_one: bool = True
    """Require the keys to be unique in the added source, so that no row is doubled."""


class ColumnExpectation(Section):
    """What must be true of one column. A row that breaks it is quarantined with the reason."""

    type: Literal["number", "integer", "text", "boolean", "datetime"] | None = None
    """Type of the values; a value that cannot be read as this type breaks the expectation."""
    min: float | None = None
    """Smallest allowed number."""
    max: float | None = None
    """Largest allowed number."""
    allowed: list[Label] | None = Field(default=None, min_length=1)
    """The allowed values."""
    unique: bool = False
    """No value twice: of rows that share a value all but the first are quarantined."""
    max_missing: float = Field(default=1.0, ge=0, le=1)
    """Largest share of missing values in the column (0 to 1); more stops the run."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("`min` must not exceed `max`")
        return self


class ExpectationsConfig(Section):
    """The contract with those who deliver the data."""

    max_quarantined: float = Field(default=0.05, ge=0, le=1)
    """Largest share of rows that may be quarantined (0 to 1); more stops the run."""
    columns: dict[str, ColumnExpectation] = {}
    """Column → what must be true of it."""


class DataConfig(Section):
    """Sources, joins and the roles of columns."""

    sources: list[SourceConfig] = Field(min_length=1)
    """The tables; the first one holds one row per case."""
    joins: list[JoinConfig] = []
    """How further tables are joined to the first, in order."""
    window: Literal["all", "auto"] | WindowConfig = "all"
    """`all` learns from all rows alike; `{days: N}` from those of the last N days of the table and its labelled cases;
    `{half_life_days: N}` from rows whose weight halves in N days. `auto` chooses at each training, by a backtest on the
    training rows."""
    target: str
    """The column to predict."""
    id: str | None = None
    """The column that identifies a case; never a feature, must be unique."""
    time: str | None = None
    """The column that tells when the case happened."""
    asked_before: Duration = "0h"
    """How long before `time` the question is asked, such as `2h`."""
    label_hours: str | None = None
    """The column of hours from `time` until the label is known, if that is known of each case when the question is
    asked; it must not exceed `problem.label_delay_days`. By default all labels take that long."""
    since: datetime | None = None
    """Only rows whose `time` is this moment or later are read."""
    until: datetime | None = None
    """Only rows whose `time` is before this moment are read."""
    unavailable_at_prediction: list[str] = []
    """Columns whose values are not known yet when the prediction is made; never features."""
    columns: dict[str, ColumnReading] = {}
    """Column → how its values are read. What is not given is learned from all rows, travels with the model, and holds
    for every file, query and request."""
    expectations: ExpectationsConfig = ExpectationsConfig()
    """What must be true of the table."""

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, given: object) -> object:
        return accept_old_names("data", given)

    def reading(self, column: str) -> ColumnReading:
        """How the values of a column are read, as far as `columns` and `expectations` say."""
        given, expected = self.columns.get(column, ColumnReading()), self.expectations.columns.get(column)
        if given.type is not None or expected is None:
            return given
        return ColumnReading.model_validate({**given.model_dump(), "type": expected.type})

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError(f"two sources share a name: {', '.join(names)}")
        if self.sources[0].kind == "predictions":
            raise ValueError("the first source must be a table; labelled predictions are added to it")
        further = [source.name for source in self.sources[1:] if source.kind == "table"]
        if self.time is None and (self.since is not None or self.until is not None):
            raise ValueError("`since` and `until` need `time`, the column that tells when a case happened")
        if self.since is not None and self.until is not None and _plain(self.since) >= _plain(self.until):
            raise ValueError("`since` must be before `until`")
        joined = [join.source for join in self.joins]
        if sorted(joined) != sorted(further):
            raise ValueError(f"every table after the first needs one join; tables {further}, joins {joined}")
        if self.window != "all" and self.time is None:
            raise ValueError("`window` needs `time`, the column that tells when a case happened")
        return self
