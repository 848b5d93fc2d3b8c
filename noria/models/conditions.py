"""Conditions of rules: a small, safe language that is checked before anything is evaluated.

The text is parsed with `ast` and only listed kinds of nodes are accepted; nothing is ever passed to `eval`, and no
attribute, call (but `is_missing`), index or assignment exists. What remains is compiled into functions over arrays.
"""

from collections.abc import Mapping

from noria.config.rule_syntax import parse_condition
from noria.models.condition_compiler import Compiler, Predicate
from noria.schema.column import Kind


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
    tree, quoted = parse_condition(when, where)
    return Compiler(kinds, quoted, where).condition(tree.body)
