"""Detection of compressed Arrow streams, before anything is decompressed.

Arrow's Python library reports the size of a record batch only after decompressing it, and a megabyte may expand to
gigabytes. The message's own header says whether it is compressed (Arrow's columnar format, Message.fbs).
"""

import struct
from typing import Any

_RECORD_BATCH, _DICTIONARY = 3, 2
# a field's entry in its table's index: 4 bytes of lengths, then 2 for each field
_HEADER_TYPE, _HEADER, _DATA, _COMPRESSION = 6, 8, 6, 10


def is_compressed(body: bytes) -> bool:
    """Whether any batch of this stream is compressed.

    Raises:
        ValueError: it is not an Arrow stream.
    """
    import pyarrow as pa

    try:
        messages = pa.ipc.MessageReader.open_stream(body)
        return any(_has_compression(message.metadata.to_pybytes()) for message in messages)
    except (struct.error, IndexError) as error:
        raise ValueError("a message's header is broken") from error


def _has_compression(header: bytes) -> bool:
    from flatbuffers import encode, number_types, packer
    from flatbuffers.table import Table

    message = Table(header, encode.Get(packer.uoffset, header, 0))
    kind_at = message.Offset(_HEADER_TYPE)
    kind = message.Get(number_types.Uint8Flags, message.Pos + kind_at) if kind_at else 0
    if kind not in {_RECORD_BATCH, _DICTIONARY}:
        return False
    batch: Any = Table(header, 0)
    message.Union(batch, message.Offset(_HEADER))
    if kind == _DICTIONARY:
        batch = Table(header, batch.Indirect(batch.Pos + batch.Offset(_DATA)))
    return bool(batch.Offset(_COMPRESSION))
