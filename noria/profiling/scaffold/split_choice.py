"""Choosing the split: the first of time, group and stratified that works on the rows of the table."""

from typing import Any

import pandas as pd

from noria.config import UseCase
from noria.data.split import folds, split
from noria.data.validation import validate
from noria.profiling.scaffold import config_draft
from noria.profiling.scaffold.column_roles import ColumnRoles
from noria.system.errors import NoriaError

_FOLDS = (5, 3, 2)
_WHY = {
    "time": "tests on the latest rows, as the model will meet them",
    "group": "the rows of one group stay together, so that none is known from training",
    "stratified": "keeps the mix of the target",
}


def choose_split(sections: dict[str, Any], frame: pd.DataFrame, roles: ColumnRoles) -> tuple[pd.DataFrame, str]:
    """Choose the split and the number of folds by trying them; both are added to `sections`.

    Args:
        sections: the use case so far, without `split`, `models` and `rules`.
        frame: the table, with dates read as such.
        roles: which columns hold time and group.

    Returns:
        The validated training rows, whose classes are text, and why this method, in a few words.

    Raises:
        NoriaError: no method gives training, test and validation rows that hold what they must.
    """
    failed: NoriaError | None = None
    for method in _methods(roles):
        for count in _FOLDS:
            tried = {**sections, **_sections(method, count, len(frame), sections, roles)}
            try:
                train = _train(tried, frame)
            except NoriaError as error:
                failed = failed or error
                continue
            sections.update(tried)
            return train, _WHY[method] + (f"; not by time: {failed.what}" if roles.time and failed else "")
    raise failed or NoriaError(
        "the table cannot be split", code="data.split_impossible", where="--data", fix="bring more rows"
    )


def _methods(roles: ColumnRoles) -> list[str]:
    by_time, by_group = ["time"] * bool(roles.time), ["group"] * bool(roles.group)
    return [*by_time, *by_group, "stratified"]


def _sections(
    method: str, count: int, rows: int, sections: config_draft.Draft, roles: ColumnRoles
) -> config_draft.Draft:
    features = dict(sections["features"])
    group = {"group": roles.group} if method == "group" else {}
    if group:
        # the column that names the group is no feature anyway
        features = {**features, **{key: [n for n in features[key] if n != roles.group] for key in _LISTS}}
    return {
        "split": {"method": method, **group, "test_share": 0.25, "seed": 42},
        "features": features,
        "models": config_draft.models(rows, count),
    }


_LISTS = ("categorical", "exclude")


def _train(sections: config_draft.Draft, frame: pd.DataFrame) -> pd.DataFrame:
    use_case = UseCase.model_validate({**sections, "rules": {"otherwise": 0}})
    train, _ = split(validate(frame, use_case).frame, use_case)
    folds(train, use_case)
    return train
