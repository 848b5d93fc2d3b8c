"""The service as a process of this machine: starting, rolling over, testing, changing, stopping."""

from noria.deployment.change import Changed, change, running, standing
from noria.deployment.facts import ServiceFacts, VariantSummary, service_facts
from noria.deployment.launch import stop
from noria.deployment.lineup import Role, namesakes
from noria.deployment.roll import start_or_roll
from noria.deployment.settle import settle
from noria.deployment.smoke import smoke_test
from noria.deployment.state import Deployment, Settings, state

__all__ = [
    "Changed",
    "Deployment",
    "Role",
    "ServiceFacts",
    "Settings",
    "VariantSummary",
    "change",
    "namesakes",
    "running",
    "service_facts",
    "settle",
    "smoke_test",
    "standing",
    "start_or_roll",
    "state",
    "stop",
]
