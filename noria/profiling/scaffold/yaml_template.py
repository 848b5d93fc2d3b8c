"""The text of the file, and the notes for its author."""

from pathlib import Path
from typing import Any

from noria.config.use_case import METRICS
from noria.profiling.scaffold.table_summary import TableSummary
from noria.profiling.scaffold.yaml_scalars import to_comment, to_yaml

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


def render(sections: dict[str, Any], seen: TableSummary, split_why: str, schema: str) -> str:
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
    source = sections["data"]["sources"][0]
    return environment.get_template("template.yaml.j2").render(
        **sections,
        schema=schema,
        origin=source.get("path") or source["url"],
        seen=seen,
        split_why=split_why,
        excluded=excluded,
        strongest=_strongest(seen),
        worth_means=_WORTH_MEANS,
        metrics=METRICS[seen.target.task],
        target_note=_target_note(seen),
    )


def notes(sections: dict[str, Any], seen: TableSummary, split_why: str) -> list[str]:
    """What was detected and guessed, one sentence each."""
    target, roles = seen.target, seen.roles
    lines = [f"Task: {target.task} ({target.why})."]
    if target.task == "binary":
        lines.append(f"We act on `{target.positive}`: {target.share:.1%} of the rows.")
    if roles.id:
        lines.append(f"`{roles.id}` identifies a case.")
    lines.append(f"Split: {sections['split']['method']} ({split_why}).")
    lines += [f"Suspected of leakage, so no feature: `{name}` ({why})." for name, why in seen.leakage.suspects.items()]
    excluded = sections["features"]["exclude"]
    lines += [f"Left out: `{name}` ({roles.exclude[name]})." for name in excluded]
    if seen.lost:
        why = "they lack a usable target or time, or hold infinite numbers"
        lines.append(f"{seen.lost:,} of {seen.rows:,} rows will be set aside: {why}.")
    lines.append("Replace the guesses marked `replace:`; what errors cost matters most.")
    return lines


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
