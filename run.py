"""The command line, `python run.py COMMAND --config FILE`: parses, calls, prints. Heavy imports wait."""

import sys
import traceback
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from noria.config import UseCase
    from noria.console import Screen

DEFAULT_CONFIG = Path("configs/telco_churn.yaml")

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,  # its Markdown machinery would double the time that --help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog="Start with make demo, or with your own table: python run.py new --data my.csv --target label",
)
Config = Annotated[Path, typer.Option("--config", "-c", help="The use case: one YAML file.")]
Stack = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="ZenML stack for this run: a registered one or a file in configs/stacks."),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the result.")]


@app.callback(invoke_without_command=True)
def noria(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Without a command: run the whole cycle.")
    ] = None,
    stack: Stack = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and the tools' own logs.")] = False,
) -> None:
    """From a table and one YAML file to a prediction service that watches itself.

    \b
    python run.py new --data my.csv --target label      write a use case for your table
    python run.py train --config configs/my.yaml        find the best model that beats your rules
    python run.py deploy --config configs/my.yaml       serve it on http://127.0.0.1:3000
    python run.py monitor --config configs/my.yaml      is it still right?
    python run.py --config configs/my.yaml              all three: one turn of the wheel
    """
    if context.invoked_subcommand is not None:
        # options before the command count for the command
        given = {name: value for name, value in (("config", config), ("stack", stack)) if value is not None}
        context.default_map = {context.invoked_subcommand: given}
        return
    if config is None:
        typer.echo(context.get_help())
        return
    cycle(config, stack)


@app.command(short_help="One whole turn on real data; stops what it started.")
def demo(
    config: Config = DEFAULT_CONFIG,
    stack: Stack = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the service and the dashboards running.")] = False,
) -> None:
    """One whole turn on real data: train, deploy, predict over HTTP, label, monitor. Stops what it started.

    Example: python run.py demo --keep
    """
    screen, use_case = _begin(config, "Demo: one turn of the wheel")
    from pipelines.platform import demo as turn
    from pipelines.platform import flows

    facts = turn.run(use_case, config, screen, stack)
    if keep:
        following = [f"python run.py dashboard --config {config}", f"python run.py stop --config {config}"]
    else:
        flows.stop(use_case)
        following = [f"python run.py demo --config {config} --keep", "python run.py new --data my.csv --target label"]
    screen.result("The wheel has turned once.", facts, following=following)


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
    screen = _screen()
    from pipelines.platform.newcase import write_use_case

    path, notes = write_use_case(data, target, query, output, force=force)
    screen.result(
        f"A use case for `{target}` is written.",
        [("file", path), *(("note", note) for note in notes)],
        following=[f"read it, correct what is marked `replace`, then: python run.py train --config {path}"],
    )


@app.command(short_help="A report on the data.")
def explore(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Validate the data and write a report on it that a person can read.

    Example: python run.py explore --config configs/bike_demand.yaml
    """
    screen, use_case = _begin(config, "Exploring")
    from pipelines.platform import flows

    explored = flows.explore(use_case, stack)
    screen.result(
        "The data is explored.",
        [("report", explored.report), *explored.facts],
        following=[f"open the report, then: python run.py train --config {config}"],
    )


@app.command(short_help="Train, judge, promote what beats champion and rules.")
def train(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Train, tune and judge all candidates; promote the winner if it beats the champion and the rules.

    Example: python run.py train --config configs/telco_churn.yaml --stack local
    """
    screen, use_case = _begin(config, "Training")
    from pipelines.platform import flows

    trained = flows.train(use_case, stack)
    following = f"python run.py deploy --config {config}" if trained.champion else f"open {trained.report}"
    screen.result(trained.headline, trained.facts, following=[following])


@app.command(short_help="Serve the champion, or roll over to it.")
def deploy(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Serve the promoted model, or roll a running service over to it without a failed request.

    Example: python run.py deploy --config configs/telco_churn.yaml
    """
    screen, use_case = _begin(config, "Deploying")
    from pipelines.platform import flows

    deployed = flows.deploy(use_case, stack)
    screen.result(
        deployed.headline, deployed.facts, following=[deployed.curl, f"python run.py status --config {config}"]
    )


@app.command(short_help="Predict a whole file.")
def predict(
    source: Annotated[str, typer.Option("--input", "-i", help="CSV or Parquet file to predict (path or URL).")],
    config: Config = DEFAULT_CONFIG,
    output: Output = None,
    stack: Stack = None,
) -> None:
    """Predict a whole file: one row out for each row in, bad rows set aside with the reason.

    Example: python run.py predict --input data/telco_churn.csv --output out/predictions.parquet
    """
    screen, use_case = _begin(config, "Predicting a file")
    from pipelines.platform import flows

    predicted = flows.predict(use_case, source, output, stack)
    screen.result(predicted.headline, predicted.facts, following=[f"python run.py monitor --config {config}"])


@app.command(short_help="Join late labels, look for drift, give a verdict.")
def monitor(
    config: Config = DEFAULT_CONFIG,
    stack: Stack = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="CSV or Parquet with true labels that have arrived (path or URL).")
    ] = None,
) -> None:
    """Join late labels, look for drift, measure performance and worth, and give a verdict.

    Example: python run.py monitor --config configs/telco_churn.yaml --labels labels.csv
    """
    screen, use_case = _begin(config, "Monitoring")
    from pipelines.platform import flows

    monitored = flows.monitor(use_case, labels, stack)
    screen.result(monitored.headline, monitored.facts, following=[monitored.next_command(config)])


@app.command(short_help="Train, deploy and monitor with one config.")
def cycle(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Train, deploy and monitor with one config; the same as `python run.py --config FILE`.

    Example: python run.py cycle --config configs/bike_demand.yaml
    """
    screen, use_case = _begin(config, "One turn of the wheel")
    from pipelines.platform import flows

    trained = flows.train(use_case, stack)
    screen.title("Deploying")
    deployed = flows.deploy(use_case, stack)
    screen.title("Monitoring")
    monitored = flows.monitor(use_case, None, stack)
    screen.result(
        f"{trained.headline} {deployed.headline} {monitored.headline}",
        [*trained.facts, *deployed.facts, *monitored.facts],
        following=[f"python run.py status --config {config}", f"python run.py stop --config {config}"],
    )


@app.command(short_help="What is deployed, and how it is doing.")
def status(config: Config = DEFAULT_CONFIG) -> None:
    """What is deployed, since when, what it has answered, and the last verdict on it.

    Example: python run.py status --config configs/telco_churn.yaml
    """
    screen, use_case = _begin(config, None)
    from pipelines.platform.status import describe

    described = describe(use_case, config)
    screen.result(described.headline, described.facts, following=described.following)


@app.command(short_help="Erase a person from what was predicted, and prove it.")
def forget(
    entity: Annotated[str, typer.Option("--entity", help="The case, as its identifier (data.id) was sent.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Erase a case's predictions and labels, in the store and in what waits for it, and search the files for its name.

    The service goes on answering. If cases are kept as hashes, NORIA_PRIVACY_KEY must hold the key.

    Example: python run.py forget --entity C-1017 --config configs/my.yaml
    """
    screen, use_case = _begin(config, f"Forgetting {entity}")
    from noria.forget import facts, headline
    from noria.forget import forget as erase
    from noria.workspace import Workspace

    done = erase(entity, use_case, Workspace(use_case.name))
    what = "remove it from your training data, then: python run.py train" if done.left else "python run.py status"
    screen.result(headline(entity, done), facts(done), following=[f"{what} --config {config}"])


@app.command(short_help="Stop the service and the dashboards.")
def stop(config: Config = DEFAULT_CONFIG) -> None:
    """Stop the service of a use case, and the dashboards.

    Example: python run.py stop --config configs/telco_churn.yaml
    """
    screen, use_case = _begin(config, None)
    from pipelines.platform import flows

    stopped = flows.stop(use_case)
    headline = "Stopped." if stopped else "Nothing was running."
    screen.result(headline, stopped, following=[f"python run.py deploy --config {config}"])


@app.command(short_help="Start the dashboards of ZenML, MLflow, Evidently.")
def dashboard(config: Config = DEFAULT_CONFIG) -> None:
    """Start the dashboards of ZenML, MLflow and Evidently, and print their addresses.

    Example: python run.py dashboard --config configs/telco_churn.yaml
    """
    screen, use_case = _begin(config, "Dashboards")
    from pipelines.platform.dashboards import start_dashboards

    running = start_dashboards(use_case)
    screen.result(
        "The dashboards are running.",
        [(each.name, each.url) for each in running],
        following=[f"python run.py stop --config {config}   (stops them again)"],
    )


@cache
def _screen() -> "Screen":
    from noria.console import Screen

    screen = Screen()
    screen.follow_progress()
    return screen


def _begin(config: Path, title: str | None) -> tuple["Screen", "UseCase"]:
    from noria.config import load_use_case
    from pipelines.platform.environment import prepare_environment

    screen = _screen()
    use_case = load_use_case(config)
    prepare_environment(debug="--debug" in sys.argv)
    if title is not None:
        screen.title(f"{title}: {use_case.name}")
    return screen, use_case


def main() -> None:
    """Run one command. What goes wrong is told without a traceback, and the exit code says what it was.

    0: done. 1: an unforeseen error. 2: an error that the user can mend. 130 and the like: stopped by a signal.
    """
    from noria.stopping import Stopped, stop_on_signals

    # `--debug` is understood anywhere on the line
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv[1:])
    try:
        with stop_on_signals():
            app(args=arguments)
    except (Exception, Stopped) as error:
        if debug:
            traceback.print_exc()
        sys.exit(_explain(error))


def _explain(error: BaseException) -> int:
    """Tell what ended the command; returns the exit code."""
    from noria.errors import NoriaError
    from noria.stopping import stop_requested

    stop = stop_requested()
    if stop is not None:
        _screen().stopped("Nothing is left half done. The same command takes finished steps from the cache.")
        return stop.exit_code
    if isinstance(error, NoriaError):
        _screen().error(error)
        return 2
    _screen().unexpected(error)
    return 1


if __name__ == "__main__":
    main()
