"""A past period asked of a real service, with the loop at work: `python benchmarks/replay.py`.

The command `replay` runs as a person runs it, in a process and a workspace of its own. What is measured is the time
from its start to its end, and what the loop has earned beside the other ways to retrain. Other use cases:
`python benchmarks/replay.py --config configs/bike_demand.yaml --from 2012-01-01 --to 2012-12-31`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import typer
from rich.console import Console

from benchmarks.machine import circumstances, machine, now, versions
from noria.config import load_use_case

_ROOT = Path(__file__).resolve().parent.parent
_RESULTS = _ROOT / "benchmarks" / "results"
SHARE, RETRAININGS, RATIO, MINUTES = 0.93, 5, 1.10, 25.0
"""Of what weekly retraining gains over never; with at most so many; hindsight's total over ours; the whole command."""


def main(
    config: Annotated[Path, typer.Option(help="The use case.")] = _ROOT / "configs" / "flight_delays.yaml",
    since: Annotated[str, typer.Option("--from", help="First day of the period.")] = "2013-03-01",
    until: Annotated[str, typer.Option("--to", help="The day after its last.")] = "2013-12-31",
) -> None:
    """Run one replay, print, and keep the result in benchmarks/results/replay_NAME.{json,md}."""
    name = load_use_case(config).name
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        command = ["replay", "--config", str(config), "--from", since, "--to", until]
        environment = _environment(Path(home))
        subprocess.run([sys.executable, "run.py", *command], cwd=_ROOT, env=environment, check=True)  # noqa: S603
        seconds = time.perf_counter() - started
        (file,) = Path(home).glob(f"replays/*/{name}/reports/replay.json")
        found = json.loads(file.read_text(encoding="utf-8"))
    document = {
        "at": now(),
        "machine": machine(),
        "versions": versions("zenml", "bentoml", "xgboost", "evidently", "pandas"),
        "command": " ".join(["python run.py", *command[:2], f"configs/{config.name}", *command[3:]]),
        "minutes": seconds / 60,
        "price": load_use_case(config).loop.price,
        **found,
    }
    document["goals"] = goals(document)
    text = report(name, document)
    (_RESULTS / f"replay_{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (_RESULTS / f"replay_{name}.md").write_text(text, encoding="utf-8")
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "NORIA_HOME": str(home), "ZENML_CONFIG_PATH": str(home / "zenml"), "PYTHONUNBUFFERED": "1"}


def goals(document: dict[str, Any]) -> list[tuple[str, bool]]:
    """Each goal in words with its figures, and whether it is met."""
    worlds = {world["name"]: world for world in document["worlds"]}
    ours, best = worlds["Noria"], worlds["hindsight, by price"]
    rules = [world for name, world in worlds.items() if name.startswith(("calendar", "alarm"))]
    rival = max(rules, key=lambda world: world["total"])
    ratio, share = best["total"] / ours["total"], ours["share"] or 0.0
    if best["total"] < 0:  # what decisions cost
        ratio = 1 / ratio
    return [
        (
            f"at most {RETRAININGS} retrainings and {SHARE} of the gain: {ours['retrainings']}, {share:.3f}",
            ours["retrainings"] <= RETRAININGS and share >= SHARE,
        ),
        (f"total within {RATIO:.2f} of hindsight by price: {ratio:.3f}", ratio <= RATIO),
        (
            f"a higher total than every calendar and alarm: {ours['total']:,.0f}, the best of them ({rival['name']}) "
            f"{rival['total']:,.0f}",
            ours["total"] > rival["total"],
        ),
        (f"under {MINUTES:.0f} minutes: {document['minutes']:.1f}", document["minutes"] < MINUTES),
    ]


def report(name: str, document: dict[str, Any]) -> str:
    """The result as Markdown."""
    rows = [
        f"| {world['name']} | {world['retrainings']} | {_number(world['share'], 3)} | {world['worth']:,.0f} | "
        f"{_number(world['metric'], 4)} | {_number(world['calibration'], 4)} | {world['labels']:,} | "
        f"{world['total']:,.0f} |"
        for world in document["worlds"]
    ]
    return "\n".join(
        [
            f"# A replay of {name}",
            "",
            circumstances(document),
            "",
            f"`{document['command']}`: {document['cases']:,} cases over HTTP, {document['minutes']:.1f} minutes; a "
            f"stated price of {document['price']:,.0f} units of worth per retraining. Share: of what retraining at "
            "each period gains over never. Total: worth less price × retrainings.",
            "",
            "| way to retrain | retrainings | share | worth | metric | calibration | labels | total |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            *rows,
            "",
            *(f"- **{'met' if met else 'MISSED'}**: {text}" for text, met in document["goals"]),
            "",
        ]
    )


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    typer.run(main)
