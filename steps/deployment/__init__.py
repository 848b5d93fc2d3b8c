"""The steps of the deployment pipeline."""

from steps.deployment.build import build
from steps.deployment.champion import champion
from steps.deployment.check import check
from steps.deployment.start import start

__all__ = ["build", "champion", "check", "start"]
