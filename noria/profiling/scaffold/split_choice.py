"""Choosing the split: the first of time, group and stratified that works on the rows of the table."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from noria.config import UseCase
from noria.data.row_copies import copies_notice, summarize_copies
from noria.data.split import folds, sides
from noria.data.validation import validate
from noria.profiling.scaffold import config_draft
from noria.profiling.scaffold.column_roles import ColumnRoles
from noria.system.errors import NoriaError

_FOLDS = (5, 3, 2)
_MANY_COPIES = 0.02
_WHY = {
    "time": "tests on the latest rows, as the model will meet them",
    "group": "the rows of one group stay together, so that none is known from training",
    "stratified": "draws each row by its content, so that new rows move no other",
}


@dataclass(frozen=True)
class SplitChoice:
    """The split that was chosen."""

    train: pd.DataFrame
    """The validated training rows, whose classes are text."""
    why: str
    """Why this method, in a few words."""
    copies: str
    """What there is to know about copies and which line to change; empty if nothing."""


def choose_split(sections: dict[str, Any], frame: pd.DataFrame, roles: ColumnRoles) -> SplitChoice:
    """Choose the split and the number of folds by trying them; both are added to `sections`.

    Args:
        sections: the use case so far, without `split`, `models` and `rules`.
        frame: the table, with dates read as such.
        roles: which columns hold time and group.

    Raises:
        NoriaError: no method gives training, test and validation rows that hold what they must.
    """
    failed: NoriaError | None = None
    for method in _methods(roles):
        for count in _FOLDS:
            tried = {**sections, **_sections(method, count, len(frame), sections, roles)}
            try:
                train, copies = _train(tried, frame)
            except NoriaError as error:
                failed = failed or error
                continue
            sections.update(tried)
            why = _WHY[method] + (f"; not by time: {failed.what}" if roles.time and failed else "")
            return SplitChoice(train, why, copies)
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
    copies = {"copies": "together"} if method == "stratified" else {}
    return {
        "split": {"method": method, **group, **copies, "test_share": 0.25, "seed": 42},
        "features": features,
        "models": config_draft.models(rows, count),
    }


_LISTS = ("categorical", "exclude")


def _train(sections: config_draft.Draft, frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The training rows, and what there is to know about copies; `sections` sets them free where they must be."""
    use_case = UseCase.model_validate({**sections, "rules": {"otherwise": 0}})
    valid = validate(frame, use_case).frame
    if use_case.split.method == "stratified":
        found = summarize_copies(valid, use_case)
        if found.by_chance and found.share >= _MANY_COPIES:
            why = "as many as chance gives in columns of few different values"
            return _with_free_copies(sections, valid, found.share, why)
        try:
            return _divided(valid, use_case)
        except NoriaError:
            if not found.rows:
                raise
            return _with_free_copies(sections, valid, found.share, "and a class would be on one side alone")
    return _divided(valid, use_case)


def _with_free_copies(
    sections: config_draft.Draft, valid: pd.DataFrame, share: float, why: str
) -> tuple[pd.DataFrame, str]:
    sections["split"] = {**sections["split"], "copies": "free"}
    train, _ = _divided(valid, UseCase.model_validate({**sections, "rules": {"otherwise": 0}}))
    found = f"Copies: {share:.1%} of the rows have the same inputs as another, {why}, so each is drawn by itself"
    return train, f"{found}; to change it: `split.copies: together`"


def _divided(valid: pd.DataFrame, use_case: UseCase) -> tuple[pd.DataFrame, str]:
    train, test = sides(valid, use_case)
    rows = valid.iloc[train].reset_index(drop=True)
    folds(rows, use_case)
    return rows, copies_notice(valid, train, test, use_case) or ""
