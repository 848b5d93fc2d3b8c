"""Power cuts and broken disks: what is damaged is cut and told, the rest is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from noria.predictions.spool import codec
from noria.predictions.spool.dead_letter import pieces
from noria.predictions.spool.events import PredictionEvent
from noria.predictions.spool.flusher import Flusher
from noria.predictions.spool.offsets import waiting_bytes
from noria.predictions.spool.segments import START, Segment, segments
from tests.spool.spooled import Memory, answered, writing

NAMES = ["first", "second", "third"]
WHOLE = [codec.encode_frame(answered(name)) for name in NAMES]


def left_behind(folder: Path, content: bytes) -> Path:
    """A segment of a writer that lives no more."""
    segment = Segment(folder)
    segment.write(content)
    segment.close()
    return segment.path


def sound(data: bytes) -> list[str]:
    found = [codec.decode_frame(data, *piece[:2]) for piece in pieces(data, is_closed=True) if piece.is_valid]
    return [event.request_id for event in found if isinstance(event, PredictionEvent)]


def test_wherever_the_tail_is_torn_all_whole_entries_are_kept(tmp_path: Path) -> None:
    data = b"".join(WHOLE)
    ends = [len(b"".join(WHOLE[: n + 1])) for n in range(3)]
    for length in range(len(data)):
        whole = sum(end <= length for end in ends)
        found = list(pieces(data[:length], is_closed=True))
        assert sound(data[:length]) == NAMES[:whole]
        assert sum(piece.end - piece.start for piece in found) == length  # every byte is an entry's or set aside


def test_whichever_byte_is_flipped_only_its_entry_is_lost() -> None:
    data = b"".join(WHOLE)
    for place in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            broken = bytearray(data)
            broken[place] ^= mask
            hit = next(n for n in range(3) if place < len(b"".join(WHOLE[: n + 1])))
            assert sound(bytes(broken)) == [name for n, name in enumerate(NAMES) if n != hit]


def test_a_flipped_byte_in_the_head_of_a_segment_loses_nothing(tmp_path: Path) -> None:
    for place in range(START):
        path = left_behind(tmp_path, b"".join(WHOLE))
        content = bytearray(path.read_bytes())
        content[place] ^= 0x10
        path.write_bytes(content)
        store = Memory()
        assert Flusher(tmp_path, store).flush().dead_letters == []
        assert store.ids == [f"{name}-0" for name in NAMES]


TORN = [WHOLE[2][:-1], WHOLE[2][:5], b"\x00" * 4096, codec.MARKER, WHOLE[2][:40] + b"\x00" * 200]


@pytest.mark.parametrize("tail", TORN, ids=["a byte short", "half a head", "zeros", "a marker", "half zeros"])
def test_a_torn_tail_is_kept_aside_and_told(tmp_path: Path, tail: bytes, caplog: pytest.LogCaptureFixture) -> None:
    before = len(WHOLE[0] + WHOLE[1])
    left_behind(tmp_path, WHOLE[0] + WHOLE[1] + tail)
    store = Memory()
    done = Flusher(tmp_path, store).flush()
    assert store.ids == ["first-0", "second-0"]
    told = f"{len(tail)} bytes of 000000000001.segment from byte {START + before} are damaged"
    assert done.dead_letters[0].startswith(told)
    assert told in caplog.text
    assert [(event.kind, event.detail) for event in store.audit_events] == [("corrupt", done.dead_letters[0])]
    aside = list(tmp_path.glob("*.dead-letter"))
    assert [path.read_bytes() for path in aside] == [tail]
    assert aside[0].name in done.dead_letters[0]
    assert (segments(tmp_path), waiting_bytes(tmp_path)) == ([], 0)
    assert Flusher(tmp_path, store).flush().dead_letters == []


def test_damage_in_the_middle_is_told_once_though_the_store_fails_in_between(tmp_path: Path) -> None:
    broken = bytearray(WHOLE[1])
    broken[30] ^= 1
    left_behind(tmp_path, WHOLE[0] + bytes(broken) + WHOLE[2])
    store = Memory()
    store.down = True
    for _ in range(3):
        with pytest.raises(Exception, match="it is down"):
            Flusher(tmp_path, store).flush()
    store.down = False
    Flusher(tmp_path, store).flush()
    assert store.ids == ["first-0", "third-0"]
    assert len({event.key for event in store.audit_events}) == 1
    assert [path.read_bytes() for path in tmp_path.glob("*.dead-letter")] == [bytes(broken)]


def test_an_entry_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    segment = Segment(tmp_path)
    store = Memory()
    for part in (WHOLE[0], WHOLE[1][:20]):
        segment.write(part)
    assert Flusher(tmp_path, store).flush().dead_letters == []
    assert store.ids == ["first-0"]
    for part in (WHOLE[1][20:], WHOLE[2]):
        segment.write(part)
    assert Flusher(tmp_path, store).flush().dead_letters == []
    assert store.ids == ["first-0", "second-0", "third-0"]
    segment.close()


def test_damage_in_a_segment_that_is_written_to_holds_nothing_up(tmp_path: Path) -> None:
    segment = Segment(tmp_path)
    segment.write(WHOLE[0] + b"\xff" * 50)
    store = Memory()
    assert Flusher(tmp_path, store).flush().dead_letters == []  # it may be an entry that is not complete yet
    segment.write(WHOLE[1])
    assert len(Flusher(tmp_path, store).flush().dead_letters) == 1
    assert store.ids == ["first-0", "second-0"]
    segment.close()


@pytest.mark.parametrize("content", [b"", b"noria", b"noria01\n" + b"x" * 16])
def test_a_segment_without_an_entry_is_removed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "000000000007.segment").write_bytes(content)
    done = Flusher(tmp_path, Memory()).flush()
    assert (done.dead_letters, segments(tmp_path)) == ([], [])


def test_a_frame_in_a_form_of_another_version_is_kept_aside(tmp_path: Path) -> None:
    strange = codec.encode_frame(["a kind of entry that comes later", 1])  # type: ignore[arg-type]
    left_behind(tmp_path, WHOLE[0] + strange + WHOLE[1])
    store = Memory()
    assert len(Flusher(tmp_path, store).flush().dead_letters) == 1
    assert store.ids == ["first-0", "second-0"]
    assert [path.read_bytes() for path in tmp_path.glob("*.dead-letter")] == [strange]


@pytest.fixture
def positioned(tmp_path: Path) -> Iterator[tuple[Path, Memory]]:
    """A segment of a living writer of which two entries have been read."""
    with writing(tmp_path) as writer:
        store = Memory()
        writer.append(answered("first"))
        writer.append(answered("second"))
        Flusher(tmp_path, store).flush()
        writer.append(answered("third"))
        yield tmp_path / "000000000001.position", store


def test_what_was_read_is_not_read_again(positioned: tuple[Path, Memory]) -> None:
    path, store = positioned
    Flusher(path.parent, store).flush()
    assert store.ids == ["first-0", "second-0", "third-0"]


@pytest.mark.parametrize("damage", ["lost", "torn", "flipped", "of another segment"])
def test_a_position_that_is_damaged_loses_nothing(positioned: tuple[Path, Memory], damage: str) -> None:
    path, store = positioned
    content = path.read_bytes()
    if damage == "lost":
        path.unlink()
    elif damage == "torn":
        path.write_bytes(content[:-3])
    elif damage == "flipped":
        path.write_bytes(bytes([*content[:24], content[24] ^ 1, *content[25:]]))
    else:
        segment = path.with_suffix(".segment")
        bytes_of_it = segment.read_bytes()
        segment.write_bytes(bytes_of_it[:8] + b"another segment." + bytes_of_it[24:])
    Flusher(path.parent, store).flush()
    assert store.ids[-3:] == ["first-0", "second-0", "third-0"]


def test_text_that_looks_like_an_entry_is_none() -> None:
    forged = codec.encode_frame(answered("forged")).decode("latin-1")
    data = codec.encode_frame(answered("real", text=forged))
    broken = bytearray(data)
    broken[20] ^= 1
    assert sound(bytes(broken) + WHOLE[0]) == ["first"]
