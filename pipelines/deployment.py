"""The deployment pipeline."""

from zenml import pipeline

from noria.config import UseCase
from steps.deployment import build, champion, check, start


@pipeline(name="deployment")
def deployment(use_case: UseCase, image: str) -> None:
    """From the promoted bundle to a service that has proved itself."""
    bundle = champion(use_case, for_service=True)
    bento = build(bundle, use_case)
    url = start(bundle, bento, use_case, image)
    check(url, use_case)
