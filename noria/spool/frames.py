"""How an entry lies in a segment: a marker, its length, a checksum, and the entry as msgpack.

The marker's first byte occurs in no UTF-8 text, so no text that a client sends looks like a frame. After damaged
bytes, reading goes on at the next marker whose checksum is right.
"""

import struct
from zlib import crc32

import msgspec

from noria.spool.entries import Entry

MARKER = b"\xffNSF"
_HEAD = struct.Struct("<4sII")  # marker, length, CRC-32 of the entry with the length as its start value
HEAD_BYTES = _HEAD.size
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)


def framed(entry: Entry) -> bytes:
    """The entry as it is written."""
    payload = _encoder.encode(entry)
    length = len(payload)
    return _HEAD.pack(MARKER, length, crc32(payload, length)) + payload


def entry_at(data: bytes, start: int) -> tuple[Entry, int] | None:
    """The entry whose frame begins at `start`, and where it ends; None if there is no whole and sound one."""
    if len(data) - start < HEAD_BYTES:
        return None
    marker, length, checksum = _HEAD.unpack_from(data, start)
    end = start + HEAD_BYTES + length
    if marker != MARKER or end > len(data):
        return None
    payload = memoryview(data)[start + HEAD_BYTES : end]
    if crc32(payload, length) != checksum:
        return None
    try:
        return _decoder.decode(payload), end
    except msgspec.MsgspecError:  # sound, but of another version of Noria
        return None


def next_frame(data: bytes, start: int) -> int | None:
    """Where the first sound frame at or after `start` begins."""
    at = data.find(MARKER, start)
    while at >= 0:
        if entry_at(data, at) is not None:
            return at
        at = data.find(MARKER, at + 1)
    return None
