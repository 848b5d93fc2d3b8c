"""The measurements as one table, for the screen and for `benchmarks/results`."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import machine, now, versions
from benchmarks.overhead.measure import Measured, Side
from benchmarks.overhead.phases import ADDED, PYTHON, STAGES
from noria.config.section import Section

GOAL = 1.15
_LIBRARIES = ("zenml", "mlflow", "pandas", "pyarrow", "scikit-learn", "xgboost")
WORK = "the work itself"


class Results(Section):
    """Everything that was measured, and where."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    models: dict[str, object]
    """The `models` section of the use case."""
    once: dict[str, float]
    """What the first run in a workspace pays besides: what → seconds."""
    runs: list[Measured]


def results(runs: list[Measured], once: dict[str, float], models: dict[str, object]) -> Results:
    """The measurements with the facts of this machine."""
    return Results(
        date=now(),
        machine=machine(),
        versions=versions(*_LIBRARIES),
        models=models,
        once=once,
        runs=runs,
    )


def typical(runs: Sequence[Measured], rows: int, side: Side) -> Measured:
    """The round with the median total, so that its phases add up."""
    rounds = sorted((run for run in runs if run.rows == rows and run.side == side), key=lambda run: run.total)
    return rounds[(len(rounds) - 1) // 2]


def ratio(runs: Sequence[Measured], rows: int) -> float:
    """Median total of the pipeline over that of the plain script."""
    totals = [[run.total for run in runs if run.rows == rows and run.side == side] for side in ("pipeline", "plain")]
    return statistics.median(totals[0]) / statistics.median(totals[1])


def table(found: Results) -> list[list[str]]:
    """The lines of the table, its head first: a part, then per size the plain script's and the pipeline's figures."""
    sizes = sorted({run.rows for run in found.runs})
    pairs = [typical(found.runs, rows, side) for rows in sizes for side in ("plain", "pipeline")]
    lines = [["seconds", *(f"{run.rows:,} rows: {run.side}" for run in pairs)]]
    lines.append([PYTHON, *(_seconds(run.phases.get(PYTHON)) for run in pairs)])
    lines.append([WORK, *(_seconds(work(run)) for run in pairs)])
    lines += [[name, *(_seconds(run.phases.get(name)) for run in pairs)] for name in ADDED]
    lines.append(["total", *(_seconds(run.total) for run in pairs)])
    lines.append(["ratio", *(cell for rows in sizes for cell in ("1", f"{ratio(found.runs, rows):.2f}"))])
    lines.append(["processor time of all cores", *(_seconds(run.cpu) for run in pairs)])
    lines.append(["peak memory, MB", *(f"{run.memory_mb:,.0f}" for run in pairs)])
    lines.append(["rounds", *(str(_rounds(found.runs, run)) for run in pairs)])
    lines.append(["load average before", *(f"{run.load:.1f}" for run in pairs)])
    return lines


def stages(found: Results) -> list[list[str]]:
    """The work by stage, in the form of `table`."""
    sizes = sorted({run.rows for run in found.runs})
    pairs = [typical(found.runs, rows, side) for rows in sizes for side in ("plain", "pipeline")]
    head = ["seconds", *(f"{run.rows:,} rows: {run.side}" for run in pairs)]
    return [head, *([stage, *(_seconds(run.phases.get(stage)) for run in pairs)] for stage in STAGES)]


def work(run: Measured) -> float:
    """Seconds in Noria's own functions."""
    return sum(run.phases.get(stage, 0.0) for stage in STAGES)


def verdict(found: Results) -> list[str]:
    """The sentences that the table comes to."""
    sizes = sorted({run.rows for run in found.runs})
    fixed, largest = added(found, sizes[0]), added(found, sizes[-1])
    once = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.once.items())
    said = [
        f"Fixed cost: {sum(fixed.values()):.1f} s per run ({_listed(fixed)}), measured at {sizes[0]:,} rows, where "
        "almost nothing is materialized.",
        f"The first run in a workspace pays besides for making {once}.",
    ]
    if len(sizes) > 1:
        said.append(
            f"At {sizes[-1]:,} rows the pipeline adds {sum(largest.values()):.1f} s ({_listed(largest)}): "
            f"{ratio(found.runs, sizes[-1]):.2f} times the plain script's time; the goal is at most {GOAL}."
        )
    return said


def added(found: Results, rows: int) -> dict[str, float]:
    """Tool → seconds that the pipeline spends in it."""
    run = typical(found.runs, rows, "pipeline")
    tools: dict[str, float] = {}
    for name in ADDED:
        tool = name.partition(":")[0]
        tools[tool] = tools.get(tool, 0.0) + run.phases.get(name, 0.0)
    return tools


def write(found: Results, folder: Path, text: str) -> Path:
    """Write the page and the raw figures; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline_overhead.json").write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    page = folder / "pipeline_overhead.md"
    page.write_text(text, encoding="utf-8")
    return page


def page(found: Results) -> str:
    """The results as Markdown."""
    facts = " · ".join(f"{name}: {value}" for name, value in [*found.machine.items(), *found.versions.items()])
    return "\n".join(
        [
            "# What the training pipeline costs on top of the work itself",
            "",
            f"{found.date} · {facts}",
            "",
            "The training pipeline (`pipelines.training` on the embedded stack) against a plain script that calls the "
            "same functions in the same order. Each run is a process of its own; both found the same scores to the "
            f"last bit. Models: `{found.models}`.",
            "",
            *_markdown(table(found)),
            "",
            *(f"- {sentence}" for sentence in verdict(found)),
            "",
            "The work by stage:",
            "",
            *_markdown(stages(found)),
            "",
        ]
    )


def _markdown(lines: list[list[str]]) -> list[str]:
    head, *body = lines
    rule = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(line) + " |" for line in [head, rule, *body]]


def _listed(tools: dict[str, float]) -> str:
    return ", ".join(f"{tool} {seconds:.1f} s" for tool, seconds in tools.items())


def _rounds(runs: Sequence[Measured], of: Measured) -> int:
    return sum(run.rows == of.rows and run.side == of.side for run in runs)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"
