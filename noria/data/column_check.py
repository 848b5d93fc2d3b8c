"""Whether the sources are there and have the columns that a use case names, by their headers alone."""

from collections.abc import Iterator

from noria.config import UseCase
from noria.config.rule_syntax import rule_columns
from noria.data.sources import read_header
from noria.system.errors import NoriaError
from noria.tabular.names import did_you_mean, require_columns


def check_columns(use_case: UseCase) -> None:
    """Find a wrong path or column name within a second, before anything is started.

    Where a source is an SQL query, its columns are not known without running it, and only the files are looked at.

    Raises:
        NoriaError: a file is missing or unreadable, or a column that the use case or one of its rules names is absent.
    """
    header = read_header(use_case.data)
    if header is None:
        return
    require_columns(header, named_columns(use_case))
    usable = [str(name) for name in header.columns if name not in use_case.not_features]
    usable += [feature.name for feature in use_case.features.history]
    for column, where in rule_columns(use_case.rules).items():
        if column not in usable:
            raise NoriaError(
                f"`{column}` is not a column that rules may use",
                code="rules.column_unknown",
                where=where,
                fix=did_you_mean(column, usable),
            )


def named_columns(use_case: UseCase) -> Iterator[tuple[str, str]]:
    """Configuration key and column, of each column of the sources that a use case names outside its rules."""
    data, features = use_case.data, use_case.features
    yield "data.target", data.target
    roles = {
        "data.id": data.id,
        "data.time": data.time,
        "data.label_hours": data.label_hours,
        "split.group": use_case.split.group,
    }
    yield from ((key, column) for key, column in roles.items() if column is not None)
    lists = {
        "data.unavailable_at_prediction": data.unavailable_at_prediction,
        "data.columns": list(data.columns),
        "data.expectations.columns": list(data.expectations.columns),
        "features.numeric": features.numeric,
        "features.categorical": features.categorical,
        "features.exclude": features.exclude,
        "evaluation.slices": use_case.evaluation.slices,
    }
    computed = {feature.name for feature in features.history}
    yield from ((key, column) for key, columns in lists.items() for column in columns if column not in computed)
