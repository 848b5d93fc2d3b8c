"""From a table to the first version of its use-case file."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from noria.config import UseCase
from noria.config.column_reading import ColumnReading
from noria.config.data import DataConfig, SourceConfig
from noria.data.sources import read_table
from noria.profiling.scaffold import baseline_rules, config_draft
from noria.profiling.scaffold.column_summary import ColumnSummary, summarize_columns
from noria.profiling.scaffold.name_hints import slug
from noria.profiling.scaffold.source_location import locate_source, schema_line
from noria.profiling.scaffold.split_choice import choose_split
from noria.profiling.scaffold.table_summary import TableSummary, summarize_table
from noria.profiling.scaffold.task_inference import infer_task
from noria.profiling.scaffold.yaml_template import notes, render
from noria.schema.column_types import classify_features
from noria.system import progress
from noria.system.errors import NoriaError
from noria.tabular.names import did_you_mean


@dataclass(frozen=True)
class Proposal:
    """A use-case file that trains as it is, and what its author should know."""

    name: str
    """Name of the use case; no use case in `configs/` has it yet, unless it was asked for."""
    yaml: str
    """Text of the file."""
    notes: list[str]
    """What was found and guessed, one sentence each."""


def propose(
    data: str,
    target: str,
    query: str | None = None,
    name: str | None = None,
    *,
    output: Path | None = None,
) -> Proposal:
    """Look at a table and write a commented use case for it.

    Args:
        data: path of a CSV or Parquet file, fsspec URL, or SQLAlchemy URL together with `query`.
        target: the column to predict.
        query: SQL query that returns one row per case.
        name: name of the use case; by default that of `output`, or of the file.
        output: where the text will be written; its reference to the JSON Schema is relative to that place.

    Raises:
        NoriaError: the table cannot be read, has no such target, or too little in it to learn from.
    """
    source = locate_source(data, target, query)
    table = read_table(DataConfig(sources=[source], target=target))
    frame = table.frame
    _check_table(frame, target, data)
    facts = summarize_columns(frame, table.readings)
    seen = summarize_table(frame, facts, infer_task(frame[target], facts[target]))
    sections = _sections(source, seen, table.readings, _named(name, output, source, target), output)
    chosen = choose_split(sections, frame, seen.roles)
    seen = _without_unusable(sections, chosen.train, seen)
    first_rules = baseline_rules.suggest_rules(chosen.train, seen.target, _nameable(seen))
    sections["rules"] = baseline_rules.as_section(first_rules)
    _warn_of_leakage(seen)
    text = render(sections, seen, table.decisions, chosen, schema_line(output))
    how_read = [decision.note for decision in table.decisions]  # those to confirm come first
    return Proposal(sections["name"], text, [*how_read, *notes(sections, seen, chosen)])


def _check_table(frame: pd.DataFrame, target: str, data: str) -> None:
    if frame.empty:
        raise NoriaError(
            "the table has no rows", code="data.table_empty", where=f"--data {data}", fix="bring a table with rows"
        )
    if target not in frame.columns:
        fix = did_you_mean(target, frame.columns)
        raise NoriaError(
            f"the table has no column `{target}`", code="data.column_missing", where=f"--target {target}", fix=fix
        )
    if len(frame.columns) < 2:
        fix = "bring a table that holds the inputs beside the target"
        raise NoriaError(
            "the table has no column but the target", code="profiling.inputs_missing", where=f"--data {data}", fix=fix
        )


def _named(name: str | None, output: Path | None, source: SourceConfig, target: str) -> str:
    if name is not None and name != slug(name):
        what = f"`{name}` cannot name a use case"
        raise NoriaError(
            what,
            code="profiling.name_invalid",
            where="--name",
            fix=f"use lower case, digits and `_`, such as `{slug(name)}`",
        )
    if name is not None:
        return name
    if output is not None:
        return slug(output.stem)
    base = source.name if source.path is not None else slug(target)
    return config_draft.free_name(base, list(config_draft.existing_ports()))


def _sections(
    source: SourceConfig, seen: TableSummary, readings: dict[str, ColumnReading], name: str, output: Path | None
) -> config_draft.Draft:
    return {
        "name": name,
        "problem": config_draft.problem(seen.target),
        "data": config_draft.data(source, seen, readings),
        "features": config_draft.features(seen),
        "evaluation": config_draft.evaluation(seen),
        "decision": config_draft.decision(seen.target),
        "serving": {
            "port": config_draft.free_port(
                [port for other, port in config_draft.existing_ports(output).items() if other != name]
            )
        },
        "monitoring": {"metric_drop": config_draft.metric_drop(seen.target, seen.truth)},
    }


def _without_unusable(sections: config_draft.Draft, train: pd.DataFrame, seen: TableSummary) -> TableSummary:
    """Exclude what is usable in the whole table, but not in the training rows; added to `sections` as well."""
    use_case = UseCase.model_validate({**sections, "rules": {"otherwise": 0}})
    types = classify_features(train, use_case)
    names = [fact.name for fact in seen.features if fact.name in types]
    reasons = {name: types[name].reason for name in names if types[name].unusable not in {None, "calendar"}}
    excluded = [*sections["features"]["exclude"], *reasons]
    categorical = [name for name in sections["features"]["categorical"] if name not in reasons]
    sections["features"] = {**sections["features"], "exclude": excluded, "categorical": categorical}
    return seen.excluding(reasons)


def _warn_of_leakage(seen: TableSummary) -> None:
    found = seen.leakage
    for name, why in found.suspects.items():
        progress.warn(
            f"`{name}` is left out, as it is suspected of leakage: it {why}. If it is known when the prediction is "
            "needed, take it out of data.unavailable_at_prediction"
        )
    if found.questioned:
        progress.warn(replace(found, suspects={}).warning([*found.suspects]))


def _nameable(seen: TableSummary) -> list[ColumnSummary]:
    """Columns for a first rule: features except codes in digits, for which a threshold has no meaning, and columns
    that may turn out to be known too late."""
    others = {*seen.roles.categorical, seen.roles.group, *seen.leakage.questioned}
    return [fact for fact in seen.features if fact.name not in others]
