"""The service as a process of this machine: starting, rolling over, testing, stopping."""

from noria.deployment.facts import ServiceFacts, service_facts
from noria.deployment.launch import stop
from noria.deployment.roll import start_or_roll
from noria.deployment.smoke import smoke_test
from noria.deployment.state import Deployment, Settings, state

__all__ = [
    "Deployment",
    "ServiceFacts",
    "Settings",
    "service_facts",
    "smoke_test",
    "start_or_roll",
    "state",
    "stop",
]
