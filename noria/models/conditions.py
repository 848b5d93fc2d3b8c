"""Conditions of rules: a small, safe language that is checked before anything is evaluated.

The text is parsed with `ast` and only listed kinds of nodes are accepted; nothing is ever passed to `eval`, and no
attribute, call (but `is_missing`), index or assignment exists. What remains is compiled into functions over arrays.
"""

import ast
import re
import warnings
from collections.abc import Mapping

from noria.config.modelling import Rules
from noria.errors import NoriaError
from noria.models.compiler import HELP, Compiler, Predicate
from noria.schema.columns import Kind

_LONGEST = 5000
_MOST_NODES = 250
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]+)`""")


def rule_columns(rules: Rules) -> dict[str, str]:
    """Column that a rule uses → the first rule that does, in words for an error.

    Raises:
        NoriaError: a condition is not in the language of rules.
    """
    found: dict[str, str] = {}
    for place, rule in enumerate(rules.conditions):
        where = rule_place(place, rule.when)
        tree, quoted = _parse(rule.when, where)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and not (node.id == "is_missing" and node.id not in quoted):
                found.setdefault(quoted.get(node.id, node.id), where)
    return found


def rule_place(place: int, when: str) -> str:
    """Where a rule stands, for an error."""
    return f"rules.conditions, rule {place + 1}: {when if len(when) <= 200 else when[:199] + '…'}"


def compile_condition(when: str, kinds: Mapping[str, Kind], where: str) -> Predicate:
    """A function that tells for each row whether the condition holds.

    A comparison with a missing value, or with the result of a division by zero, does not hold, whatever it compares;
    so `not (a > 1)` holds where `a` is missing.

    Args:
        when: the condition. A column whose name is no plain word stands in backticks.
        kinds: the columns that may be used and how each is read.
        where: the rule, for errors.

    Returns:
        Maps columns as (n,) arrays (see `Checked.values`) to (n,) booleans, or to one boolean if no column is used.

    Raises:
        NoriaError: the condition is not in the language of rules, or does not fit the columns.
    """
    tree, quoted = _parse(when, where)
    return Compiler(kinds, quoted, where).condition(tree.body)


def _parse(when: str, where: str) -> tuple[ast.Expression, dict[str, str]]:
    if len(when) > _LONGEST:
        raise NoriaError(f"the condition is longer than {_LONGEST} characters", where=where, fix="split the rule")
    quoted: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)
        stand_in = f"_quoted_column_{len(quoted)}"
        quoted[stand_in] = match.group(1)
        return stand_in

    text = _QUOTED.sub(name, when).strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        hint = "; write `==` for equality" if re.search(r"[^=<>!]=[^=]", when) else ""
        raise NoriaError("the condition cannot be read", where=where, fix=HELP + hint) from error
    if sum(not isinstance(node, ast.Constant | ast.expr_context) for node in ast.walk(tree)) > _MOST_NODES:
        raise NoriaError("the condition is too long", where=where, fix="split the rule into several")
    return tree, quoted
