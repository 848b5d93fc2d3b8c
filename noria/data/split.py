"""Setting the test rows aside, and cross-validation folds made the same way.

By `stratified` and `group` the side of a row follows from a hash of its own content, or of its group, and from
`split.seed`: the row is a test row if the hash, read as a number from 0 to 1, lies below `split.test_share`. So rows
that are added, removed or reordered move no other row, and a test row stays one when a model is trained again. Three
things can move it: a change of its own inputs (or of the columns that are inputs), a near copy on the other side, and a
class that would otherwise be missing from a side, as when its third row is added.
"""

import warnings
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from noria.config import UseCase
from noria.data.row_copies import Keys, content_keys, copied, copies_notice, draws, row_keys, value_keys
from noria.system import progress
from noria.system.errors import NoriaError
from noria.tabular.names import require_columns
from noria.tabular.types import without_zone

Rows = npt.NDArray[np.intp]
Fold = tuple[Rows, Rows]
_MANY_GROUPS = 2_000


def split(frame: pd.DataFrame, use_case: UseCase) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide the table into training and test rows, and report copies on the console.

    Args:
        frame: n validated rows.
        use_case: its `split` section tells how.

    Returns:
        Training and test rows, each with a new index from 0; by `time` in temporal order, else in the table's order.

    Raises:
        NoriaError: see `sides`.
    """
    keys = content_keys(frame, use_case) if _needs_keys(use_case) else None
    train, test = sides(frame, use_case, keys)
    if notice := copies_notice(frame, train, test, use_case, keys):
        progress.warn(notice)
    return frame.iloc[train].reset_index(drop=True), frame.iloc[test].reset_index(drop=True)


def sides(frame: pd.DataFrame, use_case: UseCase, keys: Keys | None = None) -> Fold:
    """The positions of the training and of the test rows.

    `stratified` draws each row by a hash of its inputs, so that copies stay together (`split.copies: free`: by a hash
    of its identifier, or of all its values), `group` draws each group by a hash of its name, `time` tests on the latest
    rows and never cuts through rows of the same moment.

    Args:
        frame: n validated rows.
        use_case: its `split` section tells how.
        keys: (n,) what `content_keys` gave, if it was asked before.

    Raises:
        NoriaError: a side is empty, a class is missing from the training rows, or a binary test has one class only.
    """
    _require_roles(frame, use_case)
    if use_case.split.method == "stratified":
        train, test = _stratified(frame, use_case, keys)
    else:
        train, test = {"time": _by_time, "group": _by_group}[use_case.split.method](frame, use_case)
    _check_sides(frame, train, test, use_case, where="split")
    return train, test


def folds(train: pd.DataFrame, use_case: UseCase) -> list[Fold]:
    """Cross-validation folds of the training rows.

    `time` gives growing training windows, each validated on the stretch that follows (Hyndman & Athanasopoulos,
    Forecasting: Principles and Practice, §5.10), so its earliest rows are in no validation fold. The others keep the
    mix of the target; copies stay in one fold as they stay on one side of the split.

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


def _needs_keys(use_case: UseCase) -> bool:
    return use_case.split.method == "stratified" and use_case.split.copies == "together"


def _stratified(frame: pd.DataFrame, use_case: UseCase, keys: Keys | None) -> Fold:
    fix = "bring more rows, or change split.test_share"
    if not _needs_keys(use_case):
        return _drawn(row_keys(frame, use_case), frame, use_case, "split", fix)
    keys = content_keys(frame, use_case) if keys is None else keys
    fix = "bring more rows, or set split.copies: free" if copied(keys).any() else fix
    return _drawn(keys, frame, use_case, "split", fix)


def _by_group(frame: pd.DataFrame, use_case: UseCase) -> Fold:
    keys = value_keys(frame[str(use_case.split.group)])
    fix = "bring rows of more groups, or change split.test_share"
    return _drawn(keys, frame, use_case, "split.group", fix)


def _drawn(keys: Keys, frame: pd.DataFrame, use_case: UseCase, where: str, fix: str) -> Fold:
    """Each key on the side that its hash says, and no class on one side alone.

    A class that would be missing from the test has its key of the lowest hash there; one with three keys or more keeps
    two of them, those of the highest hash, for training, so that it is in every fold.
    """
    codes, different = pd.factorize(keys)
    drawn = draws(np.asarray(different), use_case.split.seed)
    is_test = drawn < use_case.split.test_share
    task = use_case.problem.task
    strata = _strata(frame, use_case) if task != "regression" else np.zeros(len(frame), dtype=np.intp)
    for stratum in range(int(strata.max()) + 1):
        own = np.unique(codes[strata == stratum])
        if len(own) < 2 and task != "multiclass":
            kind = "rows" if task == "regression" else f"rows of the class `{_labels(frame, use_case)[stratum]}`"
            what = f"the rows cannot be split: all {kind} " + (
                "are of one group" if where == "split.group" else "have the same inputs, or there is only one"
            )
            raise NoriaError(what, code="data.split_impossible", where=where, fix=fix)
        own = own[np.argsort(drawn[own])]
        if not is_test[own].any() and len(own) > 1:
            is_test[own[0]] = True
        most = len(own) - min(2, max(1, len(own) - 1))
        kept = np.flatnonzero(is_test[own])[most:]
        is_test[own[kept]] = False
    return np.flatnonzero(~is_test[codes]), np.flatnonzero(is_test[codes])


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


def _stratified_folds(train: pd.DataFrame, use_case: UseCase) -> list[Fold]:
    from sklearn.model_selection import StratifiedKFold

    strata = _strata(train, use_case)
    if use_case.split.copies == "together":
        keys = content_keys(train, use_case)
        if copied(keys).any():
            return _folds_of_lots(pd.factorize(keys)[0], strata, use_case)
    maker = StratifiedKFold(n_splits=use_case.models.folds, shuffle=True, random_state=use_case.models.seed)
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
    strata, groups = _strata(train, use_case), pd.factorize(value_keys(train[str(use_case.split.group)]))[0]
    if groups.max() >= _MANY_GROUPS:
        return _folds_of_lots(groups, strata, use_case)
    return list(maker.split(strata, strata, groups))


def _folds_of_lots(lots: Rows, strata: Rows, use_case: UseCase) -> list[Fold]:
    """Folds that keep each lot of rows together and the mix of the target.

    The lots of a stratum are dealt out from the largest to the smallest, back and forth, those of one size at random.
    This takes n log n steps, where `StratifiedGroupKFold` compares all folds for every lot.

    Args:
        lots: (n,) the lot of each row, from 0.
        strata: (n,) the stratum of each row; a lot has that of its first row.
        use_case: `models.folds` and `models.seed`.
    """
    many, (_, first, sizes) = use_case.models.folds, np.unique(lots, return_index=True, return_counts=True)
    if len(sizes) < many:
        raise ValueError(f"they have {len(sizes)} different rows or groups")
    own = strata[first]
    order = np.lexsort((np.random.default_rng(use_case.models.seed).random(len(sizes)), -sizes, own))
    starts = np.searchsorted(own[order], own[order], side="left")
    turn = (np.arange(len(order)) - starts) % (2 * many)
    dealt = np.where(turn < many, turn, 2 * many - 1 - turn)
    fold = np.empty(len(order), dtype=np.intp)
    # each stratum begins where the one before has ended, or small ones would all fill the first folds
    fold[order] = (dealt + starts) % many
    return [(np.flatnonzero(fold[lots] != number), np.flatnonzero(fold[lots] == number)) for number in range(many)]


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
    values = without_zone(times).to_numpy()
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
    labels = _labels(frame, use_case)
    names = ", ".join(f"`{labels[code]}`" for code in absent)
    raise NoriaError(
        f"no {side} row has the class {names}",
        code="data.split_class_missing",
        where=where,
        fix=_advice(use_case, where),
    )


def _labels(frame: pd.DataFrame, use_case: UseCase) -> list[str]:
    """The classes in the order of the codes of `_strata`."""
    return sorted(frame[use_case.data.target].astype(str).unique())


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
