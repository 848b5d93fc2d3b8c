"""The frame of an event in a segment: a marker, the length, a checksum, and the event as msgpack.

The marker's first byte occurs in no UTF-8 text, so no text that a client sends looks like a frame. After damaged
bytes, reading continues at the next marker with a valid checksum.
"""

import struct
from zlib import crc32

import msgspec

from noria.predictions.spool.events import Event, LabelEvent, PredictionEvent, Value

MARKER = b"\xffNSF"
_HEAD = struct.Struct("<4sII")  # marker, length, CRC-32 of the event with the length as its start value
HEAD_BYTES = _HEAD.size
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode_frame(event: Event) -> bytes:
    """The event as a frame."""
    try:
        payload = _encoder.encode(event)
    except OverflowError:
        payload = _encoder.encode(_with_64_bit_numbers(event))
    length = len(payload)
    return _HEAD.pack(MARKER, length, crc32(payload, length)) + payload


def frame_end(data: bytes, start: int) -> int | None:
    """Where the frame that begins at `start` ends; None if there is no complete and valid one."""
    if len(data) - start < HEAD_BYTES:
        return None
    marker, length, checksum = _HEAD.unpack_from(data, start)
    end = start + HEAD_BYTES + length
    if marker != MARKER or end > len(data):
        return None
    return end if crc32(data[start + HEAD_BYTES : end], length) == checksum else None


def decode_frame(data: bytes, start: int, end: int) -> Event | None:
    """The event in a valid frame; None if it has a form that this version does not know."""
    try:
        return _decoder.decode(data[start + HEAD_BYTES : end])
    except msgspec.MsgspecError:
        return None


def next_frame(data: bytes, start: int) -> int | None:
    """Where the first valid frame at or after `start` begins."""
    at = data.find(MARKER, start)
    while at >= 0:
        if frame_end(data, at) is not None:
            return at
        at = data.find(MARKER, at + 1)
    return None


def _with_64_bit_numbers(event: Event) -> Event:
    """The event without the larger whole numbers that JSON allows and msgpack does not."""
    if isinstance(event, PredictionEvent):
        return msgspec.structs.replace(
            event, features=[[_to_64_bits(value) for value in row] for row in event.features]
        )
    return msgspec.structs.replace(event, label=_to_64_bits(event.label)) if isinstance(event, LabelEvent) else event


def _to_64_bits(value: Value) -> Value:
    if not isinstance(value, int) or -(2**63) <= value < 2**64:
        return value
    try:
        return float(value)
    except OverflowError:
        return str(value)
