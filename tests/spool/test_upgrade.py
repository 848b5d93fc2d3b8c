"""Files that an earlier version has written stay readable: spool, dead letters, heartbeat, traffic plans."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import msgspec
import pytest

from noria.predictions.spool.codec import HEAD_BYTES, MARKER, decode_frame, encode_frame
from noria.predictions.spool.dead_letter import dead_letters, remove_dead_letters
from noria.predictions.spool.events import AuditEvent, Event, LabelEvent, PredictionEvent
from noria.predictions.spool.heartbeat import FLUSHER_LOCK, read_heartbeat, write_heartbeat
from noria.traffic.activation import TrafficPlan, read_plan, worker_reports, write_plan
from noria.traffic.plan_history import earlier_plans, remember_plan
from tests.spool.spooled import DAY, answered, labelled

_FIELDS = {
    PredictionEvent: (
        "answered",
        *(DAY, "r", "churn", "1", "champion", "1", 1.5, ["tenure", "contract"], [[3.0, "One year"]], ["r-0"]),
        *(["case r"], ["Yes"], [0.7], ["act"], [""], None),
    ),
    LabelEvent: ("labelled", "k", DAY, "r-0", None, "No"),
    AuditEvent: ("happened", "e", DAY, "error", "new", "2", "ValueError", 3),
}
_PLAN = {
    "variants": [{"name": "champion", "bundle": "/b", "version": "1"}],
    "serial": "abc",
    "at": "2026-05-01T12:00:00Z",
}
_HEARTBEAT = {
    **{"pid": 7, "started_at": 1.0, "at": 2.0, "flushed_at": None, "entries": 5, "predictions": 4},
    **{"backlog_bytes": 9, "set_aside": 2, "error": "", "failing_since": None, "duties": {"canary": "it broke"}},
}


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (PredictionEvent, answered("r")),
        (LabelEvent, labelled("r-0")),
        (AuditEvent, AuditEvent("e", DAY, "error", "new", "2", "ValueError", 3)),
    ],
)
def test_frames_with_the_tags_of_an_earlier_version_are_read_and_written(kind: type, event: Event) -> None:
    payload = msgspec.msgpack.encode(_FIELDS[kind])
    size = len(payload)
    frame = MARKER + size.to_bytes(4, "little") + crc32(payload, size).to_bytes(4, "little") + payload
    assert decode_frame(frame, 0, len(frame)) == event
    written = msgspec.msgpack.decode(encode_frame(event)[HEAD_BYTES:])
    assert written[: len(_FIELDS[kind])] == list(_FIELDS[kind]), "an earlier version reads it; it ignores later fields"


def test_predictions_of_an_earlier_version_count_as_production() -> None:
    earlier = msgspec.msgpack.decode(msgspec.msgpack.encode(_FIELDS[PredictionEvent]), type=PredictionEvent)
    assert earlier.is_test is False
    frame = encode_frame(msgspec.structs.replace(earlier, is_test=True))
    read = decode_frame(frame, 0, len(frame))
    assert isinstance(read, PredictionEvent)
    assert read.is_test is True


def test_dead_letters_of_an_earlier_version_are_found_and_removed(tmp_path: Path) -> None:
    for name in ("000000000001-24-00.bad", "000000000002-24-00.dead-letter", "000000000003.segment"):
        (tmp_path / name).write_bytes(b"bytes")
    assert {path.suffix for path in dead_letters(tmp_path)} == {".bad", ".dead-letter"}
    remove_dead_letters(tmp_path, datetime.now(UTC) + timedelta(days=1))
    assert [path.name for path in tmp_path.iterdir()] == ["000000000003.segment"]


def test_flushers_of_two_versions_see_each_other(tmp_path: Path) -> None:
    assert FLUSHER_LOCK == "keeper.lock"
    (tmp_path / "keeper.json").write_text(json.dumps(_HEARTBEAT))
    heartbeat = read_heartbeat(tmp_path)
    assert heartbeat is not None
    assert (heartbeat.events, heartbeat.dead_letters, heartbeat.task_errors) == (5, 2, {"canary": "it broke"})
    write_heartbeat(tmp_path, heartbeat)
    assert json.loads((tmp_path / "keeper.json").read_text()) == _HEARTBEAT


def test_plans_history_and_reports_keep_their_keys(tmp_path: Path) -> None:
    (tmp_path / "active.json").write_text(json.dumps(_PLAN))
    (tmp_path / "history.json").write_text(json.dumps({"orders": [_PLAN]}))
    (tmp_path / "workers").mkdir()
    report = {"pid": 1, "process_started": 1.0, "namespace": "", "serial": "abc", "version": "1", "error": ""}
    (tmp_path / "workers" / "1.json").write_text(json.dumps(report))
    plan = read_plan(tmp_path)
    assert plan is not None
    assert plan.plan_id == "abc"
    assert [each.plan_id for each in earlier_plans(tmp_path)] == ["abc"]
    assert [each.plan_id for each in worker_reports(tmp_path)] == ["abc"]
    write_plan(tmp_path, plan)
    remember_plan(tmp_path, TrafficPlan.of(Path("/c"), "2"))
    assert json.loads((tmp_path / "active.json").read_text())["serial"] == "abc"
    written = json.loads((tmp_path / "history.json").read_text())
    assert [len(written["orders"]), all("serial" in each for each in written["orders"])] == [2, True]
    assert worker_reports(tmp_path)[0].model_dump(mode="json") == report
