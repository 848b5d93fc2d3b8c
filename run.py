"""The command line, `python run.py COMMAND --config FILE`: parses, calls, prints. Heavy imports wait."""

import os
import sys
import traceback
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.console import Screen
    from noria.config import UseCase

DEFAULT_CONFIG = Path("configs/telco_churn.yaml")

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,  # its Markdown machinery would double the time that --help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog="Start with make demo, or with your own table: python run.py new --data my.csv --target label",
)
stack_app = typer.Typer(
    help="Where pipelines run: the stacks in configs/stacks.", rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(stack_app, name="stack", short_help="Where pipelines run: list, up, check, use, down, server.")
StackName = Annotated[str, typer.Argument(metavar="NAME", help="A file in configs/stacks, without .yaml.")]
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
    from app.commands import demo as turn
    from app.commands import pipeline_commands

    facts = turn.run(use_case, config, screen, stack)
    if keep:
        following = [f"python run.py dashboard --config {config}", f"python run.py stop {_on(config, stack)}"]
    else:
        pipeline_commands.stop_here(use_case)
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
    from app.commands.new import write_use_case

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
    from app.commands import pipeline_commands

    explored = pipeline_commands.explore(use_case, stack)
    screen.result(
        "The data is explored.",
        [("report", explored.report), *explored.facts],
        following=[f"open the report, then: python run.py train {_on(config, stack)}"],
    )


@app.command(short_help="Train, judge, promote what beats champion and rules.")
def train(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Train, tune and judge all candidates; promote the winner if it beats the champion and the rules.

    Example: python run.py train --config configs/telco_churn.yaml --stack local
    """
    screen, use_case = _begin(config, "Training")
    from app.commands import pipeline_commands

    trained = pipeline_commands.train(use_case, stack)
    following = f"python run.py deploy {_on(config, stack)}" if trained.champion else f"open {trained.report}"
    screen.result(trained.headline, trained.facts, following=[following])


@app.command(short_help="Serve the champion, or roll over to it.")
def deploy(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Serve the promoted model, or roll a running service over to it without a failed request.

    Example: python run.py deploy --config configs/telco_churn.yaml
    """
    screen, use_case = _begin(config, "Deploying")
    from app.commands import pipeline_commands

    deployed = pipeline_commands.deploy(use_case, stack)
    screen.result(
        deployed.headline, deployed.facts, following=[deployed.curl, f"python run.py status {_on(config, stack)}"]
    )


@app.command(short_help="Make another version the champion, live.")
def promote(
    config: Config = DEFAULT_CONFIG,
    version: Annotated[
        str | None,
        typer.Option(
            "--version", help="A version's number, or `rules`; default: the challenger that answers, or the newest."
        ),
    ] = None,
    stack: Stack = None,
) -> None:
    """Make a version the champion: in ZenML (stage `production`), MLflow (alias `champion`) and the running service.

    The service goes on without a restart and without a failed request. Its cases go to the new champion, and so does
    the share that this version had as a challenger. If the service cannot answer with it, nothing changes anywhere.

    Example: python run.py promote --version 3

    \b
    python run.py promote                    the challenger: the one that answers, or else the newest version
    python run.py promote --version 3        version 3, older ones too
    python run.py promote --version rules    your own rules
    """
    screen, use_case = _begin(config, "Promoting")
    from app.commands import traffic as turning

    turned = turning.promote(use_case, version, stack)
    following = "rollback" if turned.is_live else "deploy"
    screen.result(turned.headline, turned.facts, following=[f"python run.py {following} {_on(config, stack)}"])


@app.command(short_help="Take the last change back, live.")
def rollback(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Put back what answered before the last deploy, promote or traffic: models, shares and decision policies.

    The service goes on without a restart and without a failed request. If the champion changes with it, ZenML's stage
    and MLflow's alias follow. Once more takes back the change before that one, up to five.

    Example: python run.py rollback --config configs/telco_churn.yaml
    """
    screen, use_case = _begin(config, "Rolling back")
    from app.commands import traffic as turning

    turned = turning.rollback(use_case, stack)
    screen.result(turned.headline, turned.facts, following=[f"python run.py status {_on(config, stack)}"])


@app.command(short_help="Who answers which share of the cases, live.")
def traffic(
    config: Config = DEFAULT_CONFIG,
    *,
    shares: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=SHARE from 0 to 1; 0 takes it out. May be given several times."),
    ] = None,
    shadow: Annotated[str | None, typer.Option("--shadow", help="It predicts everything, but answers nobody.")] = None,
    canary: Annotated[
        str | None, typer.Option("--canary", help="Its share grows by serving.canary.steps while it does well.")
    ] = None,
    threshold: Annotated[float | None, typer.Option("--threshold", help="Policy, binary: act from here on.")] = None,
    ask_within: Annotated[
        float | None, typer.Option("--ask-within", help="Policy, binary: this close to the threshold a person decides.")
    ] = None,
    ask_below: Annotated[
        float | None, typer.Option("--ask-below", help="Policy, several classes: below this a person decides.")
    ] = None,
    act_above: Annotated[
        float | None, typer.Option("--act-above", help="Policy, regression: act from this number on.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option("--variant", help="Whose policy changes; by default the champion's.")
    ] = None,
    stack: Stack = None,
    url: Url = None,
) -> None:
    """Show who answers, or change it: shares, shadows, a canary, the decision policy. No restart, no failed request.

    A case always gets the same variant. NAME is a variant of `serving.variants`, or `challenger` (the newest version
    that was never promoted), `rules`, or a version's number; the champion takes what the others leave. Every change
    is kept in the prediction store with who made it, and lasts until the next deploy or rollback. On a cluster an image
    with all who should answer is rolled out instead, and Helm's history keeps that.

    Example: python run.py traffic --set challenger=0.1

    \b
    python run.py traffic                                 who answers, and how each one does
    python run.py traffic --set challenger=0.1            one case in ten goes to the challenger
    python run.py traffic --set challenger=0              it is out again
    python run.py traffic --shadow rules                  what would the rules have said?
    python run.py traffic --canary challenger             grow by itself, or be taken back by itself
    python run.py traffic --threshold 0.4                 act from a probability of 0.4 on
    """
    from app.commands.traffic_change import TrafficRequest, change_traffic

    screen, use_case = _begin(config, None)
    policy = {"threshold": threshold, "ask_within": ask_within, "ask_below": ask_below, "act_above": act_above}
    wishes = TrafficRequest.read(shares or [], shadow, canary, variant, **policy)
    if wishes:
        turned = change_traffic(use_case, wishes, stack, url)
        following = "rollback" if turned.goes_back else "traffic"
    else:
        from app.commands import traffic as turning

        turned, following = turning.show(use_case, stack, url), "traffic --help"
    next_command = following if following.endswith("--help") else f"{following} {_on(config, stack)}"
    screen.result(turned.headline, turned.facts, following=[f"python run.py {next_command}"])


@app.command(short_help="Predict a whole file.")
def predict(
    source: Annotated[
        str, typer.Option("--input", "-i", help="CSV or Parquet file, or folder of Parquet files (path or URL).")
    ],
    config: Config = DEFAULT_CONFIG,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="Parquet file; with `engine: ray` also a folder or URL: NAME/.")
    ] = None,
    stack: Stack = None,
) -> None:
    """Predict a whole file: one row out for each row in, bad rows set aside with the reason.

    With `engine: ray` in the use case, the workers of a Ray cluster read, predict and write.

    Example: python run.py predict --input data/telco_churn.csv --output out/predictions.parquet
    """
    screen, use_case = _begin(config, "Predicting a file")
    from app.commands import pipeline_commands

    predicted = pipeline_commands.predict(use_case, source, output, stack)
    screen.result(predicted.headline, predicted.facts, following=[f"python run.py monitor {_on(config, stack)}"])


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
    from app.commands import pipeline_commands

    monitored = pipeline_commands.monitor(use_case, labels, stack)
    following = f"python run.py {monitored.following} {_on(config, stack)}"
    screen.result(monitored.headline, monitored.facts, following=[following])


@app.command(short_help="Train, deploy and monitor with one config.")
def cycle(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Train, deploy and monitor with one config; the same as `python run.py --config FILE`.

    Example: python run.py cycle --config configs/bike_demand.yaml
    """
    screen, use_case = _begin(config, "One turn of the wheel")
    from app.commands import pipeline_commands

    trained = pipeline_commands.train(use_case, stack)
    screen.title("Deploying")
    deployed = pipeline_commands.deploy(use_case, stack)
    screen.title("Monitoring")
    monitored = pipeline_commands.monitor(use_case, None, stack)
    screen.result(
        f"{trained.headline} {deployed.headline} {monitored.headline}",
        [*trained.facts, *deployed.facts, *monitored.facts],
        following=[f"python run.py {what} {_on(config, stack)}" for what in ("status", "stop")],
    )


@app.command(short_help="What is deployed, and how it is doing.")
def status(config: Config = DEFAULT_CONFIG, stack: Stack = None, url: Url = None) -> None:
    """What is deployed, since when, what it has answered, and the last verdict on it.

    Where the stack serves on a cluster or in Compose, these are asked, and the service itself.

    Example: python run.py status --config configs/telco_churn.yaml
    """
    screen, use_case = _begin(config, None)
    from app.commands.status import describe

    described = describe(use_case, stack, url)
    following = f"python run.py {described.following} {_on(config, stack)}"
    screen.result(described.headline, described.facts, following=[following])


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
    from noria.deployment.deployment_state import spool_in_use
    from noria.predictions.erasure import erase_entity as erase
    from noria.predictions.erasure import facts, headline
    from noria.system.workspace import Workspace

    workspace = Workspace(use_case.name)
    done = erase(entity, use_case, workspace, spool_in_use(workspace))
    what = "remove it from your training data, then: python run.py train" if done.left else "python run.py status"
    screen.result(headline(entity, done), facts(done), following=[f"{what} --config {config}"])


@app.command(short_help="Stop the service and the dashboards.")
def stop(
    config: Config = DEFAULT_CONFIG,
    stack: Stack = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a service elsewhere is stopped.")] = False,
) -> None:
    """Stop the service of a use case, and the dashboards.

    A service on a cluster or in Compose is stopped once you have confirmed it; what it keeps on volumes stays.

    Example: python run.py stop --config configs/telco_churn.yaml
    """
    screen, use_case = _begin(config, None)
    from app.commands import pipeline_commands

    stopped = pipeline_commands.stop(use_case, stack, lambda question: yes or screen.confirmed(question))
    screen.result(stopped.headline, stopped.facts, following=[f"python run.py deploy {_on(config, stack)}"])


@app.command(short_help="Start the dashboards of ZenML, MLflow, Evidently.")
def dashboard(config: Config = DEFAULT_CONFIG) -> None:
    """Start the dashboards of ZenML, MLflow and Evidently, and print their addresses.

    Example: python run.py dashboard --config configs/telco_churn.yaml
    """
    screen, use_case = _begin(config, "Dashboards")
    from app.servers.dashboards import start_dashboards

    running = start_dashboards(use_case)
    screen.result(
        "The dashboards are running.",
        [(each.name, each.url) for each in running],
        following=[f"python run.py stop --config {config}   (stops them again)"],
    )


@stack_app.command("list")
def list_stacks() -> None:
    """The stacks that have a file or are registered, and which one is in use.

    Example: python run.py stack list
    """
    screen = _begin_stacks(None)
    from app.stacks.registration import list_stacks

    listed = list_stacks()
    facts = [(each.name, f"{each.orchestrator}, {each.state}{', in use' if each.is_active else ''}") for each in listed]
    screen.result("Stacks", facts, following=["python run.py stack check NAME", "python run.py stack use NAME"])


@stack_app.command("up")
def stack_up(name: StackName) -> None:
    """Register a stack in ZenML as its file says, and change what differs. Safe to repeat.

    Example: python run.py stack up local
    """
    screen = _begin_stacks(f"Stack {name}")
    from app.stacks.registration import register_stack

    done = register_stack(name)
    headline = f"`{name}` is as its file says." if not done else f"`{name}` is registered as its file says."
    facts = [("mended", each) for each in done]
    screen.result(
        headline, facts, following=[f"python run.py stack check {name}", f"python run.py train --stack {name}"]
    )


@stack_app.command("check")
def stack_check(name: StackName) -> None:
    """The preflight: all that is missing or wrong, and how to mend it, before anything is submitted.

    Example: python run.py stack check local
    """
    screen = _begin_stacks(f"Checking stack {name}")
    from app.stacks.preflight.preflight import check

    found = check(name)
    if found:
        again = [f"python run.py stack check {name}"]
        things = "one thing is" if len(found) == 1 else f"{len(found)} things are"
        screen.problems(f"`{name}`: {things} amiss.", [(each.what, each.fix) for each in found], following=again)
        raise typer.Exit(2)
    screen.result(f"`{name}` is ready.", [], following=[f"python run.py train --stack {name}"])


@stack_app.command("server")
def stack_server(
    url: Annotated[str, typer.Argument(metavar="URL", help="The ZenML server's address.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write its address and a key for Noria, for you alone.")
    ] = Path("zenml.env"),
) -> None:
    """Make a fresh ZenML server ready: an administrator, an account for Noria, its key. Safe to repeat.

    NORIA_ZENML_PASSWORD in the environment becomes the administrator's password.

    Example: python run.py stack server http://localhost:8080
    """
    screen = _begin_stacks(f"ZenML server {url}")
    from app.servers.zenml_server import PASSWORD, set_up

    facts = [("done", each) for each in set_up(url, output, os.environ.get(PASSWORD, ""))]
    headline = "The server is ready." if facts else f"The server was ready; its key is in {output}."
    screen.result(headline, facts, following=[f"set -a; . {output}; set +a", "python run.py stack check NAME"])


@stack_app.command("use")
def stack_use(name: StackName) -> None:
    """Let commands without --stack use this one, as `zenml stack set` does.

    Example: python run.py stack use local
    """
    screen = _begin_stacks(None)
    from app.stacks.registration import use_stack

    use_stack(name)
    screen.result(f"`{name}` is in use.", [], following=["python run.py train"])


@stack_app.command("down")
def stack_down(name: StackName) -> None:
    """Take a stack out of ZenML, with the components that no other stack has. What they hold, stays.

    Example: python run.py stack down local
    """
    screen = _begin_stacks(None)
    from app.stacks.registration import remove_stack

    gone = [("taken away", each) for each in remove_stack(name)]
    screen.result(f"`{name}` is taken away.", gone, following=[f"python run.py stack up {name}"])


def _on(config: Path, stack: str | None) -> str:
    """How the next command finds the same service."""
    return f"--config {config}" + (f" --stack {stack}" if stack else "")


@cache
def _only_screen() -> "Screen":
    from cli.console import Screen

    return Screen()


def _screen() -> "Screen":
    screen = _only_screen()
    screen.follow_progress()
    return screen


def _begin(config: Path, title: str | None) -> tuple["Screen", "UseCase"]:
    from app.environment import prepare_environment
    from noria.config import load_use_case

    screen = _screen()
    use_case = load_use_case(config)
    prepare_environment(debug="--debug" in sys.argv)
    if title is not None:
        screen.title(f"{title}: {use_case.name}")
    return screen, use_case


def _begin_stacks(title: str | None) -> "Screen":
    from app.environment import prepare_environment

    screen = _screen()
    prepare_environment(debug="--debug" in sys.argv)
    if title is not None:
        screen.title(title)
    return screen


def main() -> None:
    """Run one command. What goes wrong is told without a traceback, and the exit code says what it was.

    0: done. 1: an unforeseen error. 2: an error that the user can mend. 130 and the like: stopped by a signal.
    """
    from noria.system.signals import Stopped, stop_on_signals

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
    from noria.system.errors import NoriaError
    from noria.system.signals import stop_requested

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
