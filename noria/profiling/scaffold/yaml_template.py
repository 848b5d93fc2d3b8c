"""The text of the file, and the notes for its author."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from noria.config.use_case import METRICS
from noria.profiling.scaffold.split_choice import SplitChoice
from noria.profiling.scaffold.table_summary import TableSummary
from noria.profiling.scaffold.yaml_scalars import to_comment, to_yaml
from noria.tabular.column_decision import ColumnDecision

_WORTH_MEANS = {
    "true_positive": "we acted and it was right",
    "false_positive": "we acted for nothing",
    "false_negative": "we should have acted and did not",
    "true_negative": "we left it alone and that was right",
    "right": "a right answer",
    "wrong": "a wrong class",
    "tolerance": "how far off still counts as right",
    "too_high_per_unit": "cost of each unit predicted too much (a positive number)",
    "too_low_per_unit": "cost of each unit predicted too little (a positive number)",
}
_WORTH_NAMING = 0.1


def render(
    sections: dict[str, Any], seen: TableSummary, decisions: Sequence[ColumnDecision], split: SplitChoice, schema: str
) -> str:
    """The commented use-case file."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - YAML, escaped by its own filters
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"y": to_yaml, "comment": to_comment}
    excluded = {name: seen.roles.exclude[name] for name in sections["features"]["exclude"]}
    roles = {one.column: one.comment for one in _roles(sections, seen)}
    told_elsewhere = {seen.roles.id, seen.roles.time, sections["split"].get("group")}
    source = sections["data"]["sources"][0]
    return environment.get_template("template.yaml.j2").render(
        **sections,
        schema=schema,
        origin=source.get("path") or source["url"],
        seen=seen,
        split_why=split.why,
        roles=roles,
        questioned={name: why for name, why in roles.items() if name not in {*told_elsewhere, *excluded}},
        excluded=excluded,
        decided={one.column: one.comment for one in decisions},
        strongest=_strongest(seen),
        worth_means=_WORTH_MEANS,
        metrics=METRICS[seen.target.task],
        target_note=_target_note(seen),
    )


def notes(sections: dict[str, Any], seen: TableSummary, split: SplitChoice) -> list[str]:
    """What was detected and guessed, one sentence each."""
    target, roles = seen.target, seen.roles
    lines = [f"Task: {target.task} ({target.why})."]
    if target.task == "binary":
        lines.append(f"We act on `{target.positive}`: {target.share:.1%} of the rows.")
    lines += [one.note for one in _roles(sections, seen)]
    lines.append(f"Split: {sections['split']['method']} ({split.why}); to change it: `split.method`.")
    lines += [split.copies] * bool(split.copies)
    lines += [f"Suspected of leakage, so no feature: `{name}` ({why})." for name, why in seen.leakage.suspects.items()]
    lines += [
        f"A feature, but ask when it is known: `{name}` ({why})." for name, why in seen.leakage.questioned.items()
    ]
    excluded = sections["features"]["exclude"]
    lines += [
        f"Left out: `{name}` ({roles.exclude[name]}); to change it: remove it from `features.exclude`."
        for name in excluded
    ]
    if seen.lost:
        why = "they lack a usable target or time, or hold infinite numbers"
        lines.append(f"{seen.lost:,} of {seen.rows:,} rows will be set aside: {why}.")
    lines.append("Replace the guesses marked `replace:`; what errors cost matters most.")
    return lines


def _roles(sections: dict[str, Any], seen: TableSummary) -> list[ColumnDecision]:
    """The decisions about roles that hold with this split, those to confirm first."""
    decisions, group = dict(seen.roles.decisions), seen.roles.group
    method = sections["split"]["method"]
    if group is not None and method != "group":
        text = f"several rows share a value, and by {method} its rows are on both sides of the split"
        decisions[group] = ColumnDecision(group, text, asks=True, line=f"`split: {{method: group, group: {group}}}`")
    kept = [one for name, one in decisions.items() if name not in seen.leakage.suspects]
    return sorted(kept, key=lambda one: not one.asks)


def _strongest(seen: TableSummary) -> str:
    floor = _WORTH_NAMING if seen.target.task == "regression" else 0.5 + _WORTH_NAMING
    kept = [(name, score) for name, score in seen.leakage.alone.items() if name not in seen.leakage.suspects]
    return ", ".join(f"{name} {score:.2f}" for name, score in kept[:3] if score >= floor)


def _target_note(seen: TableSummary) -> str:
    rare = seen.target.too_rare
    if not rare:
        return ""
    shown = ", ".join(map(repr, rare[:5])) + (", …" if len(rare) > 5 else "")
    return f" # too few rows to learn from: {shown}"
