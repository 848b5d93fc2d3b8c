"""Compiling a parsed condition into functions over arrays; whatever is not listed here is refused."""

import ast
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noria.config.rule_syntax import HELP
from noria.schema.column import Kind
from noria.system.errors import NoriaError
from noria.tabular.names import did_you_mean
from noria.tabular.values import shown, text_of

Values = Mapping[str, NDArray[Any]]
Predicate = Callable[[Values], Any]
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}


class _Operand(NamedTuple):
    kind: Kind | None
    """None: a constant, which takes the kind of what it is compared with."""
    value: Predicate
    constant: Any = None


class Compiler:
    """Turns the tree of one condition into functions."""

    def __init__(self, kinds: Mapping[str, Kind], quoted: Mapping[str, str], where: str) -> None:
        self.kinds = kinds
        self.quoted = quoted
        self.where = where

    def condition(self, node: ast.expr) -> Predicate:
        """What is true or false of each row."""
        if isinstance(node, ast.BoolOp):
            parts = [self.condition(value) for value in node.values]
            combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return lambda values: combine.reduce(np.broadcast_arrays(*(part(values) for part in parts)))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.condition(node.operand)
            return lambda values: np.logical_not(inner(values))
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Call):
            return self._is_missing(node)
        if isinstance(node, ast.Name):
            raise self._error(
                f"`{self._column(node)}` alone is no condition",
                f"compare it: {node.id} == …",
                code="rules.condition_incomplete",
            )
        raise self._refused(node)

    def operand(self, node: ast.expr) -> _Operand:
        """What can be compared."""
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.Name):
            column = self._column(node)
            return _Operand(self.kinds[column], lambda values: values[column])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
            inner = self._number(node.operand)
            return self._computed(lambda values: sign * inner(values), node)
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            combine = _ARITHMETIC[type(node.op)]
            left, right = self._number(node.left), self._number(node.right)
            return self._computed(lambda values: _finite(combine, left(values), right(values)), node)
        raise self._refused(node)

    def _comparison(self, node: ast.Compare) -> Predicate:
        sides = [node.left, *node.comparators]
        parts = [self._pair(left, op, right) for left, op, right in zip(sides, node.ops, sides[1:], strict=False)]
        if len(parts) == 1:
            return parts[0]
        return lambda values: np.logical_and.reduce(np.broadcast_arrays(*(part(values) for part in parts)))

    def _pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Predicate:
        if isinstance(op, ast.In | ast.NotIn):
            return self._membership(left, right, wanted=isinstance(op, ast.In))
        if type(op) not in _COMPARE:
            raise self._error("`is` is not allowed in a rule", HELP, code="rules.expression_not_allowed")
        one, other = self.operand(left), self.operand(right)
        kind = one.kind or other.kind or "number"
        if {one.kind, other.kind} - {None, kind}:
            raise self._error(
                f"`{ast.unparse(left)}` and `{ast.unparse(right)}` are of different kinds",
                HELP,
                code="rules.kinds_differ",
            )
        if kind == "category" and not isinstance(op, ast.Eq | ast.NotEq):
            raise self._error(
                f"`{self._named(left, one, right)}` is a category: it has no order",
                "use ==, != or in",
                code="rules.category_unordered",
            )
        first, second = self._of_kind(one, kind), self._of_kind(other, kind)
        return _compared(_COMPARE[type(op)], first, second, kind, different=isinstance(op, ast.NotEq))

    def _membership(self, left: ast.expr, right: ast.expr, *, wanted: bool) -> Predicate:
        if not isinstance(right, ast.List | ast.Tuple | ast.Set) or not right.elts:
            raise self._error(
                "`in` needs a list of values",
                f"write {ast.unparse(left)[:60]} in [value, value]",
                code="rules.list_invalid",
            )
        one = self.operand(left)
        if one.kind is None:
            raise self._error("the left side of `in` is no column", HELP, code="rules.list_invalid")
        choices = []
        for item in right.elts:
            option = self.operand(item)
            if option.kind is not None and option.constant is None:
                raise self._error(
                    "`in` needs a list of values", "name values, not columns, in the list", code="rules.list_invalid"
                )
            choices.append(self._of_kind(option, one.kind)({}))
        kind, listed = one.kind, np.array(choices, dtype=object if one.kind == "category" else None)

        def among(values: Values) -> Any:
            given = one.value(values)
            return np.logical_and(np.isin(given, listed, invert=not wanted), _present(given, kind))

        return among

    def _is_missing(self, node: ast.Call) -> Predicate:
        known = isinstance(node.func, ast.Name) and node.func.id == "is_missing" and not node.keywords
        if not known or len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
            raise self._refused(node)
        column = self._column(node.args[0])
        return lambda values: np.logical_not(_present(values[column], self.kinds[column]))

    def _column(self, node: ast.Name) -> str:
        name = self.quoted.get(node.id, node.id)
        if name not in self.kinds:
            raise self._error(
                f"`{name}` is not a column that rules may use",
                did_you_mean(name, self.kinds),
                code="rules.column_unknown",
            )
        return name

    def _constant(self, node: ast.Constant) -> _Operand:
        value = node.value
        if isinstance(value, int) and abs(value) > 10**300:
            raise self._error("a number is too large", "write a smaller one", code="rules.number_too_large")
        if not isinstance(value, str | int | float):
            raise self._refused(node)
        return _Operand(None, lambda values: value, value)

    def _number(self, node: ast.expr) -> Predicate:
        operand = self.operand(node)
        if operand.kind not in {None, "number"}:
            raise self._error(
                f"`{ast.unparse(node)}` is no number, so nothing can be computed with it",
                HELP,
                code="rules.kinds_differ",
            )
        return self._of_kind(operand, "number")

    def _computed(self, value: Predicate, node: ast.expr) -> _Operand:
        names = any(isinstance(part, ast.Name) for part in ast.walk(node))
        return _Operand("number", value) if names else _Operand(None, value, float(value({})))

    def _of_kind(self, operand: _Operand, kind: Kind) -> Predicate:
        if operand.kind is not None:
            return operand.value
        constant = self._converted(operand.constant, kind)
        return lambda values: constant

    def _converted(self, constant: Any, kind: Kind) -> Any:
        if kind == "category":
            return text_of(constant)
        if kind == "number" and not isinstance(constant, str):
            return float(constant)
        if kind == "datetime" and isinstance(constant, str):
            try:
                return np.datetime64(constant, "us")
            except ValueError:
                pass
        fix = 'write a date as "2012-01-31"' if kind == "datetime" else "compare it with a number"
        raise self._error(f"{shown(constant)} is compared with a {kind}", fix, code="rules.kinds_differ")

    def _named(self, left: ast.expr, one: _Operand, right: ast.expr) -> str:
        return ast.unparse(left if one.kind == "category" else right)

    def _refused(self, node: ast.expr) -> NoriaError:
        return self._error(
            f"`{ast.unparse(node)[:60]}` is not allowed there in a rule", HELP, code="rules.expression_not_allowed"
        )

    def _error(self, what: str, fix: str, *, code: str) -> NoriaError:
        for stand_in, name in self.quoted.items():
            what = what.replace(stand_in, name)
        return NoriaError(what, code=code, where=self.where, fix=fix)


def _compared(
    compare: Callable[[Any, Any], Any], first: Predicate, second: Predicate, kind: Kind, *, different: bool
) -> Predicate:
    if not different:
        return lambda values: np.asarray(compare(first(values), second(values)), dtype=bool)

    def holds(values: Values) -> Any:
        one, other = first(values), second(values)
        unequal = np.asarray(compare(one, other), dtype=bool)
        return unequal & _present(one, kind) & _present(other, kind)

    return holds


def _present(values: Any, kind: Kind) -> Any:
    if kind == "category":
        return np.asarray(values, dtype=object) != None  # noqa: E711 - element by element
    return np.logical_not(np.isnat(values) if kind == "datetime" else np.isnan(values))


def _finite(combine: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    with np.errstate(all="ignore"):
        result = combine(left, right)
    return np.where(np.isfinite(result), result, np.nan)
