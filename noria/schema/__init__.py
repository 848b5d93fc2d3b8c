"""The input schema: which columns a model takes, of which kind, and what it saw of them in training."""

from noria.schema.column import Column
from noria.schema.input_schema import InputSchema
from noria.schema.row_check import CheckedRows

__all__ = ["CheckedRows", "Column", "InputSchema"]
