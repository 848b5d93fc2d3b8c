"""The input schema: which columns a model takes, of which kind, and what it saw of them in training."""

from noria.schema.check import Checked
from noria.schema.columns import Column
from noria.schema.schema import InputSchema

__all__ = ["Checked", "Column", "InputSchema"]
