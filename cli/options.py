"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("configs/telco_churn.yaml")

Config = Annotated[Path, typer.Option("--config", "-c", help="The use case: one YAML file.")]
Stack = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="ZenML stack for this run: a registered one or a file in configs/stacks."),
]
Url = Annotated[
    str | None,
    typer.Option("--url", help="Where a service on another machine answers; by default noria.url of the stack."),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the result.")]
StackName = Annotated[str, typer.Argument(metavar="NAME", help="A file in configs/stacks, without .yaml.")]
