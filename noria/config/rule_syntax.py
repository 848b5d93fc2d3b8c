"""The language of rule conditions: parsed with `ast`, and never evaluated here.

The text is parsed as one expression; columns whose names are no plain words stand in backticks.
"""

import ast
import re
import warnings

from noria.config.modelling import RulesConfig
from noria.system.errors import NoriaError

HELP = "write comparisons joined by `and`, `or`, `not`; also `in [...]`, `+ - * /` and `is_missing(column)`"
_LONGEST = 5000
_MOST_NODES = 250
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]+)`""")


def rule_columns(rules: RulesConfig) -> dict[str, str]:
    """Column that a rule uses → the first rule that does, in words for an error.

    Raises:
        NoriaError: a condition is not in the language of rules.
    """
    found: dict[str, str] = {}
    for place, rule in enumerate(rules.conditions):
        where = rule_place(place, rule.when)
        tree, quoted = parse_condition(rule.when, where)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and not (node.id == "is_missing" and node.id not in quoted):
                found.setdefault(quoted.get(node.id, node.id), where)
    return found


def rule_place(place: int, when: str) -> str:
    """Where a rule stands, for an error."""
    return f"rules.conditions, rule {place + 1}: {when if len(when) <= 200 else when[:199] + '…'}"


def parse_condition(when: str, where: str) -> tuple[ast.Expression, dict[str, str]]:
    """The syntax tree of a condition, and the columns in backticks: the name that stands for one in the tree → it.

    Raises:
        NoriaError: the condition is too long, or no expression.
    """
    if len(when) > _LONGEST:
        raise NoriaError(
            f"the condition is longer than {_LONGEST} characters",
            code="rules.condition_too_long",
            where=where,
            fix="split the rule",
        )
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
        raise NoriaError(
            "the condition cannot be read", code="rules.condition_unreadable", where=where, fix=HELP + hint
        ) from error
    if sum(not isinstance(node, ast.Constant | ast.expr_context) for node in ast.walk(tree)) > _MOST_NODES:
        raise NoriaError(
            "the condition is too long", code="rules.condition_too_long", where=where, fix="split the rule into several"
        )
    return tree, quoted
