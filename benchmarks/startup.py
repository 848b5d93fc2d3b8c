"""How long a command takes before it works: `python benchmarks/startup.py`.

Each round starts every command once, in a process of its own, so that a slow moment of the machine falls on all alike.
ZenML's own start, `import zenml` and its client, is the yardstick of `train`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import typer
from rich.console import Console

from benchmarks.machine import machine, now, versions
from tests.small_cases import churn_table, small_case, write_config

_ROOT = Path(__file__).resolve().parent.parent
_RESULTS = _ROOT / "benchmarks" / "results"
_ZENML = "import zenml; from zenml.client import Client; Client().active_stack"
_FIRST_STEP = "✔ ingest"
GOALS = {"status": ("s", 1.0), "error": ("s", 1.0), "train": ("x zenml", 1.5)}
"""What is promised: seconds, or times ZenML's own start; at most."""


def main(rounds: Annotated[int, typer.Option(help="How often each is started.")] = 5) -> None:
    """Measure, print, and keep the result in benchmarks/results/startup.{json,md}."""
    with tempfile.TemporaryDirectory() as folder:
        found = _measure(Path(folder), rounds)
    medians = {name: statistics.median(times) for name, times in found.items()}
    document = {
        "at": now(),
        "machine": machine(),
        "versions": versions("zenml", "typer", "pydantic"),
        "bytecode": _bytecode(),
        "seconds": found,
        "goals": {name: _goal(name, medians) for name in GOALS},
    }
    text = _report(document, medians)
    (_RESULTS / "startup.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (_RESULTS / "startup.md").write_text(text, encoding="utf-8")
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def _measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    environment = {**os.environ, "NORIA_HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1"}
    environment["ZENML_CONFIG_PATH"] = str(folder / "home" / "zenml")
    same, other = folder / "same.csv", folder / "other.csv"
    churn_table(400).to_csv(same, index=False)
    explored = write_config(small_case("startup", same), folder / "explored.yaml")
    trained = write_config(small_case("startup_train", other), folder / "trained.yaml")
    run = [sys.executable, "run.py"]
    # makes ZenML's database, which is no part of a start, and fills the cache
    _seconds([*run, "explore", "--config", str(explored)], environment)
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "help": [*run, "--help"],
        "error": [*run, "train", "--config", "nothing.yaml"],
        "status": [*run, "status", "--config", str(explored)],
        "zenml": [sys.executable, "-c", _ZENML],
        "train": [*run, "train", "--config", str(trained)],
        "explore, cached": [*run, "explore", "--config", str(explored)],
    }
    found: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds):
        # another table each time, so that the first step of training is not taken from the cache
        churn_table(401 + number).to_csv(other, index=False)
        for name, command in commands.items():
            found[name].append(_seconds(command, environment, until=_FIRST_STEP if name == "train" else None))
    return found


def _seconds(command: list[str], environment: dict[str, str], until: str | None = None) -> float:
    """From the start of a process to its end, or to the line that holds `until`."""
    began = time.perf_counter()
    if until is None:
        subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, check=False)  # noqa: S603
        return time.perf_counter() - began
    options = {"cwd": _ROOT, "env": environment, "stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, **options) as process:  # type: ignore[call-overload]  # noqa: S603
        assert process.stderr is not None  # noqa: S101
        for line in process.stderr:
            if until in line:
                passed = time.perf_counter() - began
                process.terminate()
                process.stderr.read()
                return passed
        said = process.returncode
    raise RuntimeError(f"{' '.join(command)} ended with {said} before its first step")


def _bytecode() -> bool:
    """Whether the environment's modules are compiled."""
    import zenml

    return Path(zenml.__cached__).exists()


def _goal(name: str, medians: dict[str, float]) -> dict[str, object]:
    unit, most = GOALS[name]
    value = medians[name] / (1.0 if unit == "s" else medians["zenml"])
    return {"value": round(value, 2), "unit": unit, "at_most": most, "met": value <= most}


def _report(document: dict[str, object], medians: dict[str, float]) -> str:
    lines = ["# How long a command takes before it works", "", f"`python benchmarks/startup.py`, {document['at']}", ""]
    lines += [f"- {name}: {value}" for name, value in dict(document["machine"]).items()]  # type: ignore[call-overload]
    lines += [f"- modules compiled: {'yes' if document['bytecode'] else 'no'}", ""]
    lines += ["| what | median, s | of ZenML's own start |", "|---|---:|---:|"]
    lines += [f"| {name} | {value:.2f} | {value / medians['zenml']:.2f} |" for name, value in medians.items()]
    lines += [
        "",
        "`train` is measured to the end of its first step, `ingest`, on 400 rows; all others to their end.",
        "",
    ]
    for name, goal in dict(document["goals"]).items():  # type: ignore[call-overload]
        met = "met" if goal["met"] else "MISSED"
        lines.append(f"- {name}: {goal['value']} {goal['unit']}, goal at most {goal['at_most']}: {met}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
