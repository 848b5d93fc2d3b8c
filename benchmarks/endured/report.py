"""What a run tells: a table, whether all goals were met, and the files of results."""

import json
from pathlib import Path

from benchmarks.endured.measure import AFTER_KILL_S, SHARE_OF_SATURATION, Endured
from benchmarks.machine import machine, now, versions

MOST_GROWTH = 0.1
_FILE = "endurance"


def goals(found: Endured, *, memory: bool = True) -> dict[str, bool]:
    """Goal → was it met?"""
    met = {
        "no answer of 500 or above": not found.broken,
        "no other refusal": not found.refused,
        "connections break only where a worker is killed": found.cut_otherwise == 0,
        "every answer is in the store": found.missing == 0,
        "none is there twice": found.twice == 0,
        "both models answered": set(found.versions) == {"1", "2"},
    }
    if memory:
        grown = [share for share in found.growth.values() if share is not None]
        met[f"memory grows by at most {MOST_GROWTH:.0%}"] = bool(grown) and max(grown) <= MOST_GROWTH
    return met


def table(found: Endured) -> list[tuple[str, str]]:
    """Name and figure of each line."""
    kills = sum(event.what.startswith("killed") for event in found.events)
    grown = {role: "–" if share is None else f"{share:+.1%}" for role, share in found.growth.items()}
    return [
        ("Saturation", f"{found.saturation:,.0f} requests per second"),
        ("Load", f"{found.rate:,.0f} per second ({SHARE_OF_SATURATION:.0%}) for {found.times.load:.0f} s"),
        ("Store", f"{found.store} for {found.times.outage:.0f} s"),
        ("Workers killed (kill -9)", f"{kills} (of {found.workers} at work)"),
        ("Answered", f"{found.answered:,} ({', '.join(f'version {v}: {n:,}' for v, n in found.versions.items())})"),
        (f"Connections cut within {AFTER_KILL_S:.0f} s after a kill", str(found.cut)),
        ("Connections cut otherwise", str(found.cut_otherwise)),
        ("Answers of 500 and above", str(len(found.broken))),
        ("Answered, but not in the store", str(found.missing)),
        ("In the store twice", str(found.twice)),
        ("In the store, the answer cut off on its way", str(found.unanswered)),
        ("Everything in the store after the load", f"{found.flush_s:.1f} s"),
        ("Time of an answer", f"p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms"),
        ("Growth of memory", ", ".join(f"{role} {share}" for role, share in grown.items())),
    ]


def write(found: Endured, folder: Path) -> Path:
    """The results as Markdown and JSON; returns the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    told = machine()
    lines = ["# Endurance: `python benchmarks/endurance.py`", ""]
    lines += [f"{now()}, {told['processor']}, {told['cores']} cores, {told['memory']}.", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {figure} |" for name, figure in table(found)]
    lines += ["", "Goals:", ""]
    lines += [f"- {'met' if met else '**missed**'}: {goal}" for goal, met in goals(found).items()]
    lines += ["", "What was done, in seconds since the load began:", ""]
    lines += [f"- {event.at:.1f}: {event.what}" for event in found.events]
    path = folder / f"{_FILE}.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    content = {"date": now(), "machine": told, "versions": versions("bentoml", "onnxruntime"), **found.as_json()}
    content["memory"] = [[round(each.at), each.role, each.pid, each.bytes // 1000] for each in found.memory]
    (folder / f"{_FILE}.json").write_text(json.dumps(content) + "\n", encoding="utf-8")
    return path
