"""How an entry lies in a segment: a marker, its length, a checksum, and the entry as msgpack.

The marker's first byte occurs in no UTF-8 text, so no text that a client sends looks like a frame. After damaged
bytes, reading goes on at the next marker whose checksum is right.
"""

import struct
from zlib import crc32

import msgspec

from noria.predictions.spool.events import Entry, LabelEvent, PredictionEvent, Value

MARKER = b"\xffNSF"
_HEAD = struct.Struct("<4sII")  # marker, length, CRC-32 of the entry with the length as its start value
HEAD_BYTES = _HEAD.size
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)


def encode_frame(entry: Entry) -> bytes:
    """The entry as it is written."""
    try:
        payload = _encoder.encode(entry)
    except OverflowError:
        payload = _encoder.encode(_in_64_bits(entry))
    length = len(payload)
    return _HEAD.pack(MARKER, length, crc32(payload, length)) + payload


def frame_end(data: bytes, start: int) -> int | None:
    """Where the frame that begins at `start` ends; None if there is no whole and sound one."""
    if len(data) - start < HEAD_BYTES:
        return None
    marker, length, checksum = _HEAD.unpack_from(data, start)
    end = start + HEAD_BYTES + length
    if marker != MARKER or end > len(data):
        return None
    return end if crc32(data[start + HEAD_BYTES : end], length) == checksum else None


def decode_frame(data: bytes, start: int, end: int) -> Entry | None:
    """The entry in a sound frame; None if another version of Noria has written it in a form of its own."""
    try:
        return _decoder.decode(data[start + HEAD_BYTES : end])
    except msgspec.MsgspecError:
        return None


def next_frame(data: bytes, start: int) -> int | None:
    """Where the first sound frame at or after `start` begins."""
    at = data.find(MARKER, start)
    while at >= 0:
        if frame_end(data, at) is not None:
            return at
        at = data.find(MARKER, at + 1)
    return None


def _in_64_bits(entry: Entry) -> Entry:
    """The entry without the larger whole numbers that JSON allows and msgpack does not."""
    if isinstance(entry, PredictionEvent):
        return msgspec.structs.replace(entry, features=[[_fitting(value) for value in row] for row in entry.features])
    return msgspec.structs.replace(entry, label=_fitting(entry.label)) if isinstance(entry, LabelEvent) else entry


def _fitting(value: Value) -> Value:
    if not isinstance(value, int) or -(2**63) <= value < 2**64:
        return value
    try:
        return float(value)
    except OverflowError:
        return str(value)
