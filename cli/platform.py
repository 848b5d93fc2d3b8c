"""Commands on servers and images of your own: `dashboard`, `platform`, `image`, `images`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.app import app
from cli.options import DEFAULT_CONFIG, Config
from cli.session import begin, begin_without_case, show


@app.command(short_help="One page of all use cases; ZenML, MLflow, Evidently.")
def dashboard(
    config: Config = DEFAULT_CONFIG,
    page: Annotated[bool, typer.Option("--page", help="Only write the page; start no server.")] = False,
) -> None:
    """Write one page of all use cases, start the dashboards of ZenML, MLflow and Evidently, and print their addresses.

    The page says of each use case: champion, verdict, worth per day, last action, next look, and links.

    Example: python run.py dashboard --config configs/telco_churn.yaml
    """
    use_case = begin(config, "Dashboards")
    from app.commands.dashboard import dashboard as command

    show(command(use_case, servers=not page))


@app.command(short_help="Servers of your own in containers on this machine.")
def platform(
    action: Annotated[
        Literal["up", "store", "serve", "watch", "down"],
        typer.Argument(
            help="up: the servers; store: with an S3-compatible store; serve: a model, too; watch: Prometheus and "
            "Grafana, too; down: stop all."
        ),
    ] = "up",
    image: Annotated[str | None, typer.Option(help="serve: the image that `make image` has built.")] = None,
) -> None:
    """Start the platform of Docker Compose and make its ZenML server ready, add to it, or stop it.

    Example: python run.py platform up
    """
    begin_without_case(None)
    from app.commands.platform import platform as command

    show(command(action, image))


@app.command(short_help="Build the service's container image, with a model.")
def image(
    config: Config = DEFAULT_CONFIG,
    bundle: Annotated[Path | None, typer.Option(help="Folder of a bundle to take instead.")] = None,
    tag: Annotated[str | None, typer.Option(help="Name of the image; by default name:version of the model.")] = None,
) -> None:
    """Build the service's container image with the deployed model, or with the champion.

    Example: python run.py image --config configs/telco_churn.yaml
    """
    begin_without_case(None)
    from app.commands.image import image as command

    show(command(config, bundle, tag))


@app.command(short_help="Build the images of Noria itself, without a model.")
def images() -> None:
    """Build the images that the stack `docker` runs: the steps of pipelines, and the service without a model.

    Example: python run.py images
    """
    begin_without_case(None)
    from app.commands.image import images as command

    show(command())
