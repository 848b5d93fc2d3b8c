"""The service as a process of this machine: starting, rolling over, testing, changing, stopping."""

from noria.deployment.deployment_state import Deployment, Settings, state
from noria.deployment.flush_wait import settle
from noria.deployment.plan_change import Changed, change, running, standing
from noria.deployment.rollover import start_or_roll
from noria.deployment.server_process import stop
from noria.deployment.service_status import ServiceFacts, VariantSummary, service_facts
from noria.deployment.smoke_tests import smoke_test
from noria.deployment.variants import Role, namesakes

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
