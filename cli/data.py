"""Commands on tables and files: `new`, `explore`, `predict`, `forget`."""

from typing import Annotated

import typer

from cli.app import app
from cli.options import DEFAULT_CONFIG, Config, Output, Stack
from cli.session import begin, screen, show


@app.command(short_help="Write a use case for a table.")
def new(
    data: Annotated[str, typer.Option("--data", help="CSV or Parquet file, or a SQLAlchemy URL (with --query).")],
    target: Annotated[str, typer.Option("--target", help="The column to predict.")],
    output: Output = None,
    query: Annotated[str | None, typer.Option("--query", help="SQL query, when --data is a database URL.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Look at a table and write a commented use-case YAML that `train` accepts as it is.

    Example: python run.py new --data data/bike_sharing.csv --target cnt --output configs/my_bikes.yaml
    """
    from app.commands.new import new as command
    from app.environment import command_hints

    screen().hints = command_hints()
    show(command(data, target, query, output, force=force))


@app.command(short_help="A report on the data.")
def explore(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Validate the data and write a report on it that a person can read.

    Example: python run.py explore --config configs/bike_demand.yaml
    """
    use_case = begin(config, "Exploring", stack)
    from app.commands.explore import explore as command

    show(command(use_case, stack))


@app.command(short_help="Predict a whole file.")
def predict(
    source: Annotated[
        str, typer.Option("--input", "-i", help="CSV or Parquet file, or folder of Parquet files (path or URL).")
    ],
    config: Config = DEFAULT_CONFIG,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="CSV or Parquet file; with `engine: ray` also a folder or URL: NAME/."),
    ] = None,
    stack: Stack = None,
) -> None:
    """Predict a whole file: one row out for each row in, bad rows set aside with the reason.

    With `engine: ray` in the use case, the workers of a Ray cluster read, predict and write.

    Example: python run.py predict --input data/telco_churn.csv --output out/predictions.parquet
    """
    use_case = begin(config, "Predicting a file", stack)
    from app.commands.predict import predict as command

    show(command(use_case, source, output, stack))


@app.command(short_help="Erase a person from what was predicted, and prove it.")
def forget(
    entity: Annotated[str, typer.Option("--entity", help="The case, as its identifier (data.id) was sent.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Erase a case's predictions and labels, in the store and in what waits for it, and search the files for its name.

    The service goes on answering. If cases are kept as hashes, NORIA_PRIVACY_KEY must hold the key.

    Example: python run.py forget --entity C-1017 --config configs/my.yaml
    """
    use_case = begin(config, f"Forgetting {entity}")
    from app.commands.forget import forget as command

    show(command(use_case, entity))
