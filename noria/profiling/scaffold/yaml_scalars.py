"""Writing values into a YAML template so that they read back as they were."""

import re
from typing import Any

import numpy as np
import yaml

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


class _Dumper(yaml.SafeDumper):
    """SafeDumper without anchors, which a reader of a config would not expect."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # a line break in plain or single quotes would be folded into the template's own lines
    style = '"' if _CONTROL.search(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(value: Any) -> str:
    """A scalar, list or mapping as YAML on one line, safe inside `[…]` and `{…}` too.

    Numpy scalars are written as the Python values they hold.
    """
    dumped = yaml.dump(
        [_plain(value)],
        Dumper=_Dumper,
        default_flow_style=True,
        allow_unicode=True,
        sort_keys=False,
        width=float("inf"),
    )
    return dumped.strip()[1:-1]


def to_comment(text: object) -> str:
    """Text that stays on its comment line, whatever it holds; long text is cut."""
    line = _CONTROL.sub(" ", str(text))
    return line if len(line) <= 300 else line[:299] + "…"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value
