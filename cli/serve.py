"""Commands on the service: `deploy`, `promote`, `rollback`, `traffic`, `monitor`, `label`, `status`, `stop`."""

from typing import Annotated, Literal

import typer

from cli.app import app
from cli.options import DEFAULT_CONFIG, Config, Stack, Url
from cli.session import begin, screen, show


@app.command(short_help="Serve the champion, or roll over to it.")
def deploy(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Serve the promoted model, or roll a running service over to it without a failed request.

    Example: python run.py deploy --config configs/telco_churn.yaml
    """
    use_case = begin(config, "Deploying", stack)
    from app.commands.deploy import deploy as command

    show(command(use_case, stack))


@app.command(short_help="Make another version the champion, live.")
def promote(
    config: Config = DEFAULT_CONFIG,
    version: Annotated[
        str | None,
        typer.Option(
            "--version", help="A version's number, or `rules`; default: the challenger that answers, or the newest."
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before a version that the gate did not let through.")
    ] = False,
    stack: Stack = None,
) -> None:
    """Make a version the champion: in ZenML (stage `production`), MLflow (alias `champion`) and the running service.

    The service goes on without a restart and without a failed request. Its cases go to the new champion, and so does
    the share that this version had as a challenger. If the service cannot answer with it, nothing changes anywhere.
    A version that the gate did not let through is promoted only once you have confirmed it, and one that is
    disqualified never is.

    Example: python run.py promote --version 3

    \b
    python run.py promote                    the challenger: the one that answers, or else the newest version
    python run.py promote --version 3        version 3, older ones too
    python run.py promote --version 3 --yes  the same without a question, in a script
    python run.py promote --version rules    your own rules
    """
    use_case = begin(config, "Promoting", stack)
    from app.commands.promote import promote as command

    show(command(use_case, version, stack, lambda question: yes or screen().confirmed(question)))


@app.command(short_help="Take the last change back, live.")
def rollback(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Put back what answered before the last deploy, promote or traffic: models, shares and decision policies.

    The service goes on without a restart and without a failed request. If the champion changes with it, ZenML's stage
    and MLflow's alias follow. Once more takes back the change before that one, up to five.

    Example: python run.py rollback --config configs/telco_churn.yaml
    """
    use_case = begin(config, "Rolling back", stack)
    from app.commands.rollback import rollback as command

    show(command(use_case, stack))


@app.command(short_help="Who answers which share of the cases, live.")
def traffic(
    config: Config = DEFAULT_CONFIG,
    *,
    shares: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=SHARE from 0 to 1; 0 takes it out. May be given several times."),
    ] = None,
    shadow: Annotated[
        str | None, typer.Option("--shadow", help="It predicts everything, but its answers are not sent.")
    ] = None,
    canary: Annotated[
        str | None, typer.Option("--canary", help="Its share grows by serving.canary.steps while it does well.")
    ] = None,
    threshold: Annotated[float | None, typer.Option("--threshold", help="Policy, binary: act from here on.")] = None,
    review_margin: Annotated[
        float | None,
        typer.Option("--review-margin", help="Policy, binary: this close to the threshold a person decides."),
    ] = None,
    review_below: Annotated[
        float | None, typer.Option("--review-below", help="Policy, several classes: below this a person decides.")
    ] = None,
    act_from: Annotated[
        float | None, typer.Option("--act-from", help="Policy, regression: act from this number on.")
    ] = None,
    ask_within: Annotated[float | None, typer.Option("--ask-within", hidden=True)] = None,
    ask_below: Annotated[float | None, typer.Option("--ask-below", hidden=True)] = None,
    act_above: Annotated[float | None, typer.Option("--act-above", hidden=True)] = None,
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
    use_case = begin(config, None, stack)
    from app.commands.traffic import TrafficRequest, change_traffic, show_traffic

    policy = {"threshold": threshold, "review_margin": review_margin}
    policy |= {"review_below": review_below, "act_from": act_from}
    policy |= _renamed({"ask_within": ask_within, "ask_below": ask_below, "act_above": act_above}, policy)
    request = TrafficRequest.read(shares or [], shadow, canary, variant, **policy)
    result = change_traffic(use_case, request, stack, url) if request else show_traffic(use_case, stack, url)
    show(result)


def _renamed(old: dict[str, float | None], new: dict[str, float | None]) -> dict[str, float | None]:
    """The values of options that were given by their old names, by the new ones."""
    from noria.config.migration import both_given, renamed_in
    from noria.system import progress

    given = {name: (renamed_in("decision")[name], value) for name, value in old.items() if value is not None}
    option = {name: "--" + name.replace("_", "-") for name in (*old, *new)}
    for name, (key, _) in given.items():
        if new[key] is not None:
            raise both_given(option[name], option[key])
    if given:
        names = ", ".join(f"{option[name]} is now {option[key]}" for name, (key, _) in given.items())
        progress.warn(f"Old names of options: {names}.")
    return dict(given.values())


@app.command(short_help="Join late labels, look for drift, give a verdict.")
def monitor(
    config: Config = DEFAULT_CONFIG,
    stack: Stack = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="CSV or Parquet with true labels that have arrived (path or URL).")
    ] = None,
    now: Annotated[
        str | None,
        typer.Option("--now", help="Check as at this time (ISO 8601, UTC without an offset): for a look at the past."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option("--every", help="Have the stack's orchestrator do it at intervals: 1h, 1d; `never` ends that."),
    ] = None,
) -> None:
    """Join late labels, look for drift, measure performance and worth, and give a verdict.

    Example: python run.py monitor --config configs/telco_churn.yaml --labels labels.csv
    """
    use_case = begin(config, "Monitoring", stack)
    from app.commands.monitor import monitor as command
    from app.commands.monitor import schedule_monitoring

    if every is not None:
        show(schedule_monitoring(use_case, labels, stack, every, now))
        return
    show(command(use_case, labels, stack, now))


@app.command(short_help="Ask people for the labels that teach most.")
def label(
    config: Config = DEFAULT_CONFIG,
    *,
    budget: Annotated[int, typer.Option("--budget", min=1, help="How many labels people can give.")] = 100,
    to: Annotated[Literal["csv", "label-studio", "both"], typer.Option("--to", help="What is written.")] = "csv",
    young: Annotated[
        bool, typer.Option("--young", help="Also ask for cases whose label will still come by itself.")
    ] = False,
    random: Annotated[
        float | None,
        typer.Option(
            "--random", min=0, max=1, help="Share of the cases that is drawn at random, to judge the model by."
        ),
    ] = 0.1,
    file: Annotated[
        str | None, typer.Option("--import", help="Take answers: the filled-in table, or Label Studio's JSON export.")
    ] = None,
    resolve: Annotated[
        Literal["majority", "newest"] | None,
        typer.Option("--resolve", help="With --import: which answer counts where people disagree."),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="With --import: who gave the answers without a name.")] = None,
    stack: Stack = None,
) -> None:
    """Choose the predictions whose true labels would teach the next model most, or take the answers of people.

    The choice goes to labels/wanted.csv in the workspace: fill in the target's column, and bring it back with --import.
    Labels on which people disagree are stored only once --resolve settles them.

    Example: python run.py label --config configs/telco_churn.yaml --budget 100

    \b
    python run.py label --budget 100                                   100 cases as a table
    python run.py label --budget 100 --to label-studio                 as a project of Label Studio
    python run.py label --budget 100 --random 1                        all drawn at random, to judge the model by
    python run.py label --import wanted.csv --by Ann                   the answers of Ann
    python run.py label --import export.json --resolve majority        the answers of several people
    """
    use_case = begin(config, "Labels wanted", stack)
    from app.commands.label import ask_for_labels, import_labels, import_missing

    if file is not None:
        show(import_labels(use_case, file, resolve, by, stack))
        return
    if resolve is not None or by is not None:
        raise import_missing()
    show(ask_for_labels(use_case, budget, to, include_young=young, random_share=random, stack=stack))


@app.command(short_help="What is deployed, and how it is doing.")
def status(config: Config = DEFAULT_CONFIG, stack: Stack = None, url: Url = None) -> None:
    """What is deployed, since when, what it has answered, and the last verdict on it.

    Where the stack serves on a cluster or in Compose, these are asked, and the service itself.

    Example: python run.py status --config configs/telco_churn.yaml
    """
    use_case = begin(config, None, stack)
    from app.commands.status import status as command

    show(command(use_case, stack, url))


@app.command(short_help="Stop the service and the dashboards.")
def stop(
    config: Config = DEFAULT_CONFIG,
    stack: Stack = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a service elsewhere is stopped.")] = False,
) -> None:
    """Stop the service of a use case, and the dashboards that no other use case has asked for.

    A service on a cluster or in Compose is stopped once you have confirmed it; what it keeps on volumes stays.

    Example: python run.py stop --config configs/telco_churn.yaml
    """
    use_case = begin(config, None, stack)
    from app.commands.stop import stop as command

    show(command(use_case, stack, lambda question: yes or screen().confirmed(question)))
