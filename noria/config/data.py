"""`data`: where the rows come from and what must be true of them."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from noria.config.migration import accept_old_names
from noria.config.section import Label, Section


def _one_character(text: str) -> str:
    if len(text) != 1 or not text.isascii() or text in "\r\n\0":
        raise ValueError("must be one ASCII character")
    return text


Character = Annotated[str, AfterValidator(_one_character)]


class SourceConfig(Section):
    """One table: a CSV or Parquet file (local path or fsspec URL), or an SQL query."""

    name: str = Field(min_length=1)
    """The name that `joins` uses."""
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
    query runs and are stored nowhere."""
    query: str | None = None
    """SQL query to run at `url`."""

    @model_validator(mode="after")
    def _file_or_query(self) -> Self:
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
    target: str
    """The column to predict."""
    id: str | None = None
    """The column that identifies a case; never a feature, must be unique."""
    time: str | None = None
    """The column that tells when the case happened."""
    unavailable_at_prediction: list[str] = []
    """Columns whose values are not known yet when the prediction is made; never features."""
    expectations: ExpectationsConfig = ExpectationsConfig()
    """What must be true of the table."""

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, given: object) -> object:
        return accept_old_names("data", given)

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError(f"two sources share a name: {', '.join(names)}")
        joined = [join.source for join in self.joins]
        if sorted(joined) != sorted(names[1:]):
            raise ValueError(f"every source after the first needs one join; sources {names[1:]}, joins {joined}")
        return self
