"""Parquet files in chunks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from noria.batch.chunk import Chunk
from noria.system.errors import NoriaError
from noria.tabular.compound_values import as_texts, is_compound
from noria.tabular.names import column_names
from noria.tabular.with_columns import with_columns

if TYPE_CHECKING:
    import pyarrow as pa

_BUFFER_BYTES = 1 << 20


class ParquetSource:
    """The rows of a Parquet file; every column keeps its type."""

    def __init__(self, handle: Any, where: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.where = where
        try:
            # read piece by piece: a large row group does not fill the memory
            self._file = pq.ParquetFile(handle, pre_buffer=False, buffer_size=_BUFFER_BYTES)
        except (pa.ArrowInvalid, OSError) as error:
            raise _unreadable(error, where) from error
        written = self._file.schema_arrow.remove_metadata()
        self.names = column_names(written.names, where)
        self.schema = pa.schema([field.with_name(name) for field, name in zip(written, self.names, strict=True)])
        self.groups = [self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)]
        """Rows of each row group."""
        self._compound = [field.name for field in self.schema if is_compound(field.type)]

    def chunks(
        self, inputs: list[str], rows: int, *, first: int = 1, groups: Sequence[int] | None = None
    ) -> Iterator[Chunk]:
        """All rows in order, or those of some row groups, at most `rows` at a time; the first has number `first`."""
        import pyarrow as pa

        with _reading(self.where):
            for batch in self._file.iter_batches(batch_size=rows, row_groups=groups, use_threads=False):
                kept = pa.Table.from_batches([batch]).replace_schema_metadata(None).rename_columns(self.names)
                yield Chunk(first, kept, partial(self._tables, kept, inputs), is_typed=True)
                first += kept.num_rows

    def _tables(
        self, kept: "pa.Table", inputs: list[str], some: "pa.Table | None"
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        # whole numbers stay whole beside missing ones, whatever else is in the chunk
        raw = (kept if some is None else some).to_pandas(integer_object_nulls=True, ignore_metadata=True)
        raw = with_columns(raw, {name: as_texts(raw[name]) for name in self._compound})
        return raw[inputs], raw


@contextmanager
def _reading(where: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(error, where) from error


def _unreadable(error: Exception, where: str) -> NoriaError:
    return NoriaError(
        f"not a readable Parquet file: {error}", code="data.parquet_invalid", where=where, fix="write the file again"
    )
