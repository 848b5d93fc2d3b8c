"""Setting the test rows aside, and cross-validation folds made the same way."""

import warnings
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from noria.config import UseCase
from noria.system.errors import NoriaError
from noria.tabular.names import require_columns

Rows = npt.NDArray[np.intp]
Fold = tuple[Rows, Rows]
_GROUP_DRAWS = 25


def split(frame: pd.DataFrame, use_case: UseCase) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide the table into training and test rows.

    `stratified` keeps the mix of the target (for regression: of its quantile bins), `time` tests on the latest
    rows and never cuts through rows of the same moment, `group` keeps the rows of one group together.

    Args:
        frame: n validated rows.
        use_case: its `split` section tells how.

    Returns:
        Training and test rows, each with a new index from 0; by `time` in temporal order, else in the table's order.

    Raises:
        NoriaError: a side is empty, a class is missing from the training rows, or a binary test has one class only.
    """
    _require_roles(frame, use_case)
    method = {"stratified": _stratified, "time": _by_time, "group": _by_group}[use_case.split.method]
    train, test = method(frame, use_case)
    _check_sides(frame, train, test, use_case, where="split")
    return frame.iloc[train].reset_index(drop=True), frame.iloc[test].reset_index(drop=True)


def folds(train: pd.DataFrame, use_case: UseCase) -> list[Fold]:
    """Cross-validation folds of the training rows.

    `time` gives growing training windows, each validated on the stretch that follows (Hyndman & Athanasopoulos,
    Forecasting: Principles and Practice, §5.10), so its earliest rows are in no validation fold.

    Args:
        train: n training rows.
        use_case: `split.method` and `models.folds`, `models.seed`.

    Returns:
        Per fold the positions of the rows to fit on and of those to validate on.

    Raises:
        NoriaError: the rows do not suffice for that many folds.
    """
    _require_roles(train, use_case)
    method = {"stratified": _stratified_folds, "time": _time_folds, "group": _group_folds}[use_case.split.method]
    with warnings.catch_warnings():
        # sklearn warns of rare classes; the check below raises where it matters
        warnings.simplefilter("ignore", UserWarning)
        try:
            made = method(train, use_case)
        except ValueError as error:
            raise _too_few(use_case, str(error)) from error
    for fit, validation in made:
        _check_sides(train, fit, validation, use_case, where="models.folds")
    return made


def _stratified(frame: pd.DataFrame, use_case: UseCase) -> Fold:
    from sklearn.model_selection import train_test_split

    try:
        train, test = train_test_split(
            np.arange(len(frame)),
            test_size=use_case.split.test_share,
            random_state=use_case.split.seed,
            stratify=_strata(frame, use_case),
        )
    except ValueError as error:
        fix = "bring more rows, or change split.test_share"
        raise NoriaError(
            f"the rows cannot be split: {error}", code="data.split_impossible", where="split", fix=fix
        ) from error
    return np.sort(train), np.sort(test)


def _by_time(frame: pd.DataFrame, use_case: UseCase) -> Fold:
    order, times = _in_order(frame, use_case)
    if times[0] == times[-1]:
        what = f"all rows have the same `{use_case.data.time}`, so they cannot be divided by it"
        raise NoriaError(
            what,
            code="data.time_constant",
            where="data.time",
            fix="use another column as data.time, or `split.method: stratified`",
        )
    if use_case.split.cutoff is not None:
        start = np.searchsorted(times, _moment(use_case.split.cutoff, times), side="left")
    else:
        first_test = len(times) - max(1, round(len(times) * use_case.split.test_share))
        start = np.searchsorted(times, times[first_test], side="left")
    return order[:start], order[start:]


def _by_group(frame: pd.DataFrame, use_case: UseCase) -> Fold:
    """Of some random draws of whole groups the one nearest to the wanted share and mix of the target."""
    from sklearn.model_selection import GroupShuffleSplit

    groups, strata = _groups(frame, use_case), _strata(frame, use_case)
    share, seed = use_case.split.test_share, use_case.split.seed
    draws = GroupShuffleSplit(n_splits=_GROUP_DRAWS, test_size=share, random_state=seed)
    whole = np.bincount(strata) / len(strata)

    def distance(fold: Fold) -> float:
        test = np.bincount(strata[fold[1]], minlength=len(whole)) / max(1, len(fold[1]))
        return abs(len(fold[1]) / len(frame) - share) + float(np.abs(test - whole).max())

    try:
        best: Fold = min(draws.split(strata, groups=groups), key=distance)
    except ValueError as error:
        fix = "bring rows of more groups, or change split.test_share"
        raise NoriaError(
            f"the groups cannot be split: {error}", code="data.split_impossible", where="split.group", fix=fix
        ) from error
    return best


def _stratified_folds(train: pd.DataFrame, use_case: UseCase) -> list[Fold]:
    from sklearn.model_selection import StratifiedKFold

    maker = StratifiedKFold(n_splits=use_case.models.folds, shuffle=True, random_state=use_case.models.seed)
    strata = _strata(train, use_case)
    return list(maker.split(strata, strata))


def _time_folds(train: pd.DataFrame, use_case: UseCase) -> list[Fold]:
    from sklearn.model_selection import TimeSeriesSplit

    order, times = _in_order(train, use_case)
    firsts = [validation[0] for _, validation in TimeSeriesSplit(n_splits=use_case.models.folds).split(times)]
    # rows of one moment stay on one side
    starts = np.searchsorted(times, times[firsts], side="left")
    if starts[0] == 0 or (np.diff(starts) == 0).any():
        raise _too_few(use_case, f"`{use_case.data.time}` has too few different moments")
    ends = np.append(starts[1:], len(times))
    return [(order[:start], order[start:end]) for start, end in zip(starts, ends, strict=True)]


def _group_folds(train: pd.DataFrame, use_case: UseCase) -> list[Fold]:
    from sklearn.model_selection import StratifiedGroupKFold

    maker = StratifiedGroupKFold(n_splits=use_case.models.folds, shuffle=True, random_state=use_case.models.seed)
    strata = _strata(train, use_case)
    return list(maker.split(strata, strata, _groups(train, use_case)))


def _strata(frame: pd.DataFrame, use_case: UseCase) -> Rows:
    """Class of each row as a code (n,); for regression up to ten equally full quantile bins."""
    target = frame[use_case.data.target]
    if use_case.problem.task != "regression":
        return pd.factorize(target.astype(str), sort=True)[0]
    bins = max(1, min(10, len(target) // (2 * use_case.models.folds)))
    rank = target.rank(method="first").to_numpy()
    codes: Rows = ((rank - 1) * bins // len(target)).astype(np.intp)
    return codes


def _in_order(frame: pd.DataFrame, use_case: UseCase) -> tuple[Rows, npt.NDArray[np.generic]]:
    column = str(use_case.data.time)
    times = frame[column]
    if not (pd.api.types.is_datetime64_any_dtype(times) or pd.api.types.is_numeric_dtype(times)):
        raise NoriaError(
            f"column `{column}` holds no dates or numbers to order the rows by",
            code="data.time_not_ordered",
            where="data.time",
            fix=f"declare `{column}: {{type: datetime}}` in data.expectations.columns",
        )
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    values = times.to_numpy()
    order = np.argsort(values, kind="stable")
    return order, values[order]


def _moment(cutoff: datetime, times: npt.NDArray[np.generic]) -> np.datetime64:
    if times.dtype.kind != "M":
        fix = "use split.test_share, or a date column as data.time"
        raise NoriaError(
            "split.cutoff is a date, but data.time holds numbers",
            code="data.cutoff_not_comparable",
            where="split.cutoff",
            fix=fix,
        )
    moment = pd.Timestamp(cutoff)
    if moment.tzinfo is not None:
        moment = moment.tz_convert("UTC").tz_localize(None)
    return moment.to_datetime64()


def _groups(frame: pd.DataFrame, use_case: UseCase) -> Rows:
    return pd.factorize(frame[str(use_case.split.group)])[0]


def _require_roles(frame: pd.DataFrame, use_case: UseCase) -> None:
    roles = [("data.target", use_case.data.target)]
    if use_case.split.method == "time":
        roles.append(("data.time", str(use_case.data.time)))
    if use_case.split.group is not None:
        roles.append(("split.group", use_case.split.group))
    require_columns(frame, roles)
    if len(frame) < 2:
        raise NoriaError(
            f"the table has {len(frame)} row(s); nothing to split",
            code="data.rows_too_few",
            where="data",
            fix="bring more rows",
        )
    for key, column in roles:
        if frame[column].isna().any():
            fix = "validate the table first, or remove those rows"
            raise NoriaError(f"column `{column}` has missing values", code="data.values_missing", where=key, fix=fix)


def _check_sides(frame: pd.DataFrame, train: Rows, test: Rows, use_case: UseCase, *, where: str) -> None:
    held_out = "test" if where == "split" else "validation"
    for name, rows in (("training", train), (held_out, test)):
        if len(rows) == 0:
            raise NoriaError(
                f"no {name} rows are left", code="data.split_side_empty", where=where, fix=_advice(use_case, where)
            )
    if use_case.problem.task == "regression":
        return
    strata = _strata(frame, use_case)
    classes = np.unique(strata)
    _check_classes(frame, use_case, classes[~np.isin(classes, strata[train])], "training", where)
    if use_case.problem.task == "binary":
        _check_classes(frame, use_case, classes[~np.isin(classes, strata[test])], held_out, where)


def _check_classes(frame: pd.DataFrame, use_case: UseCase, absent: Rows, side: str, where: str) -> None:
    if len(absent) == 0:
        return
    labels = sorted(frame[use_case.data.target].astype(str).unique())
    names = ", ".join(f"`{labels[code]}`" for code in absent)
    raise NoriaError(
        f"no {side} row has the class {names}",
        code="data.split_class_missing",
        where=where,
        fix=_advice(use_case, where),
    )


def _advice(use_case: UseCase, where: str) -> str:
    if where == "models.folds":
        return "lower models.folds, or bring more rows"
    if use_case.split.method == "time":
        return "move split.cutoff, or change split.test_share"
    return "change split.test_share, or bring more rows"


def _too_few(use_case: UseCase, reason: str) -> NoriaError:
    return NoriaError(
        f"the training rows do not suffice for {use_case.models.folds} folds: {reason}",
        code="data.folds_too_many",
        where="models.folds",
        fix="lower models.folds, or bring more rows",
    )
