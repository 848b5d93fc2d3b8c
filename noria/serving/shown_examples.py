"""What of a model is shown to people: example rows and the values that its inputs had, as the use case allows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from noria.bundle import Bundle, Manifest
from noria.serving.api import Row

if TYPE_CHECKING:
    from noria.config.serving import PrivacyConfig, ServingConfig


def shown_examples(bundle: Bundle, serving: "ServingConfig") -> list[Row]:
    """The examples for the page, `GET /model`, the OpenAPI document and printed commands.

    `serving.examples` says which: synthetic rows, real ones, or none. A bundle of an earlier version holds real
    ones only. In every case a column that `serving.privacy` hashes or drops is null, and one that it truncates is
    truncated.
    """
    if serving.examples == "none" or (serving.examples == "synthetic" and bundle.manifest.examples != "synthetic"):
        return []
    rows: list[Row] = bundle.real_examples() if serving.examples == "real" else bundle.examples()
    return [_redacted(row, serving.privacy) for row in rows]


def shown_manifest(manifest: Manifest, privacy: "PrivacyConfig") -> Manifest:
    """The manifest without the categories and ranges of columns that are redacted before they are stored."""
    redacted = {*privacy.hash, *privacy.drop, *privacy.truncate}
    if redacted.isdisjoint(manifest.schema_.names):
        return manifest
    hidden: dict[str, object] = {"categories": [], "minimum": None, "maximum": None}
    columns = [
        column.model_copy(update=hidden) if column.name in redacted else column for column in manifest.schema_.columns
    ]
    return manifest.model_copy(update={"schema_": manifest.schema_.model_copy(update={"columns": columns})})


def _redacted(row: Mapping[str, object], privacy: "PrivacyConfig") -> Row:
    gone = {*privacy.hash, *privacy.drop}
    shown: Row = {}
    for name, value in row.items():
        length = privacy.truncate.get(name)
        if name in gone or (length is not None and not isinstance(value, str)):
            shown[name] = None
        else:
            shown[name] = value[:length] if isinstance(value, str) else value  # type: ignore[assignment]
    return shown
