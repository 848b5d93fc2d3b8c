"""The labels wanted as files for people: a table for a spreadsheet, and a project for Label Studio."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pandas as pd

from noria.bundle import Manifest
from noria.labelling.selection import WantedLabel
from noria.predictions.json_values import json_value
from noria.system.files import atomic_path, write_text
from noria.tabular.names import set_apart
from noria.tabular.spreadsheet_text import for_people

PREDICTION_ID, GIVEN_BY, GIVEN_AT = "prediction_id", "labelled_by", "labelled_at"
_KEYS = 9
"""Classes that have a key."""
_OURS = (PREDICTION_ID, GIVEN_BY, "reason", "predicted_at", "prediction", "probability", "decision", "selected_by")


def write_csv(wanted: Sequence[WantedLabel], manifest: Manifest, file: Path) -> None:
    """A row per case: its prediction's id, the target's column to be filled in, who fills it in, why, and the inputs.

    Texts that a spreadsheet would take for formulas get an apostrophe. An input with the name of another column is
    called `NAME (input)`.
    """
    rows = []
    for each in wanted:
        ours: dict[str, Any] = {PREDICTION_ID: each.prediction_id, manifest.target: "", GIVEN_BY: ""}
        if manifest.id is not None and manifest.id not in ours:
            ours[manifest.id] = each.entity
        ours |= {"reason": each.reason, "predicted_at": each.at.isoformat(timespec="seconds")}
        ours |= {"prediction": each.prediction, "probability": each.probability, "decision": each.decision}
        ours["selected_by"] = each.selected_by
        taken = [*_OURS, manifest.target, *([manifest.id] if manifest.id else [])]
        inputs = {set_apart(name, taken, " (input)"): value for name, value in each.inputs.items()}
        rows.append(ours | inputs)
    with atomic_path(file) as part:
        for_people(pd.DataFrame(rows), keep=[PREDICTION_ID, manifest.id]).to_csv(part, index=False)


def write_label_studio(wanted: Sequence[WantedLabel], manifest: Manifest, folder: Path) -> None:
    """`config.xml`, the labelling interface, and `tasks.json`, to be imported in a project of Label Studio."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "config.xml", _interface(manifest))
    tasks = [
        {
            "data": {
                PREDICTION_ID: each.prediction_id,
                "reason": each.reason,
                "case": {name: json_value(value) for name, value in each.inputs.items()},
            }
        }
        for each in wanted
    ]
    write_text(folder / "tasks.json", json.dumps(tasks, indent=1, ensure_ascii=False) + "\n")


def _interface(manifest: Manifest) -> str:
    """The interface's XML: the case as a table, and its label as one of the classes by key, or as a number."""
    if manifest.classes:
        keys = [f' hotkey="{place}"' if place <= _KEYS else "" for place in range(1, len(manifest.classes) + 1)]
        choices = "\n".join(
            f"    <Choice value={quoteattr(name)}{key}/>" for name, key in zip(manifest.classes, keys, strict=True)
        )
        control = f'  <Choices name="label" toName="case" choice="single" showInline="true">\n{choices}\n  </Choices>'
    else:
        control = '  <Number name="label" toName="case"/>'
    title = quoteattr(f"{manifest.target} of this {manifest.case}?")
    return f'<View>\n  <Header value={title}/>\n  <Text name="reason" value="$reason"/>\n' + (
        f'  <Table name="case" value="$case"/>\n{control}\n</View>\n'
    )
