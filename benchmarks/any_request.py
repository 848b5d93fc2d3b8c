"""Ten thousand requests made from the OpenAPI document, and two thousand damaged tables.

Run `python benchmarks/any_request.py`.

Each address is asked with every token, with an unknown one and with none, by requests that fit the document and by such
that do not. An error of the service's own, or an answer that the document does not tell of, ends the run. It needs the
packages of requirements-dev.lock.
"""

import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "service"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import mixed
import typer
from asked import Asked, asked
from documented import InProcess, addresses, ask_as_documented
from rich.console import Console
from schemathesis import GenerationMode
from test_mutated_tables import TABLE, as_body, mutated
from test_openapi_tokens import TOKENS

from benchmarks.machine import machine, now, versions

_RESULTS = Path(__file__).resolve().parent / "results"
_SEED = 14


def main(
    cases: Annotated[int, typer.Option(help="Requests made from the document, at least.")] = 10_000,
    tables: Annotated[int, typer.Option(help="Damaged tables of each format.")] = 1_000,
) -> None:
    """Ask, print, and keep the result in benchmarks/results/any_request.{json,md}."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        bundle = mixed.write("xgboost", "binary", folder / "bundle")
        (folder / "service").mkdir()
        given = {f"NORIA_{name.upper()}_TOKEN": token for name, token in TOKENS.items()}
        with asked(bundle, folder / "service", **given) as service:
            found = _documented(service, cases) | _damaged(service, tables)
    document = {
        "at": now(),
        "machine": machine(),
        "versions": versions("schemathesis", "pyarrow", "msgspec"),
        "seconds": time.perf_counter() - began,
        "statuses": {name: dict(sorted(seen.items())) for name, seen in found.items()},
    }
    text = _report(document, found)
    (_RESULTS / "any_request.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (_RESULTS / "any_request.md").write_text(text, encoding="utf-8")
    Console(highlight=False, soft_wrap=True).print(text, markup=False)
    if any(status >= 500 for seen in found.values() for status in seen):
        raise SystemExit(1)


def _documented(service: Asked, cases: int) -> dict[str, Counter[int]]:
    """Address → status → how often; rounds of more and more cases until there are enough."""
    document = service.ask("GET", "/openapi.json").json()
    every = addresses(document)
    # a GET can be made in one way, and a request without the right token ends early
    each = max(1, cases // (2 * sum(method != "GET" for method, _ in every) * (len(TOKENS) + 2)))
    found: dict[str, Counter[int]] = {f"{method} {path}": Counter() for method, path in every}
    while sum(sum(seen.values()) for seen in found.values()) < cases:
        for token in (*TOKENS.values(), "nobody's token, long enough", None):
            for address in every:
                for mode in GenerationMode if address[0] != "GET" else [GenerationMode.POSITIVE]:
                    seen = ask_as_documented(InProcess(service, token), document, address, mode, each)
                    found[" ".join(address)].update(seen)
        each = each * 3 // 2 + 1
    return found


def _damaged(service: Asked, tables: int) -> dict[str, Counter[int]]:
    found = {}
    for kind in ("parquet", "arrow.stream"):
        body, chance = as_body(kind, TABLE), random.Random(_SEED)  # noqa: S311 - the same ones each time
        headers = {
            "content-type": f"application/vnd.apache.{kind}",
            "authorization": f"Bearer {TOKENS['predict']}",
        }
        sent = (mutated(body, chance) for _ in range(tables))
        found[f"POST /predict, damaged {kind}"] = Counter(service.post("/predict", one, headers).status for one in sent)
    return found


def _report(document: dict[str, Any], found: dict[str, Counter[int]]) -> str:
    total = sum(sum(seen.values()) for seen in found.values())
    errors = sum(times for seen in found.values() for status, times in seen.items() if status >= 500)
    lines = [
        "# Any request",
        f"{total:,} requests in {document['seconds']:.0f} s, {errors} errors of the service's own. "
        "Every answer to a request made from the document is as the document says.",
        "",
        f"Made by `python benchmarks/any_request.py` at {document['at']} on {', '.join(document['machine'].values())}.",
        "",
        "| request | times | statuses |",
        "|---|---|---|",
    ]
    for name, seen in found.items():
        statuses = ", ".join(f"{status}: {times:,}" for status, times in sorted(seen.items()))
        lines.append(f"| `{name}` | {sum(seen.values()):,} | {statuses} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
