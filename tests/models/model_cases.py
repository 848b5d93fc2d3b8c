"""A use case with its rows, and small changes to it."""

from typing import Any, NamedTuple

import pandas as pd

from noria.config import UseCase


class Case(NamedTuple):
    use_case: UseCase
    train: pd.DataFrame
    test: pd.DataFrame


def changed(use_case: UseCase, **sections: dict[str, Any]) -> UseCase:
    """The use case with keys of its sections replaced."""
    raw = use_case.model_dump(mode="json", exclude_unset=True)
    for name, keys in sections.items():
        raw[name] = {**raw.get(name, {}), **keys}
    return UseCase.model_validate(raw)
