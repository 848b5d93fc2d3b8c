"""The service as a process of this machine: starting, rolling over, testing, changing, stopping."""

from noria.deployment.deployment_state import Deployment, ServerSettings, state
from noria.deployment.flush_wait import wait_until_stored
from noria.deployment.plan_change import PlanChange, change_plan, current_plan, running_server
from noria.deployment.rollover import start_or_roll
from noria.deployment.server_process import stop
from noria.deployment.service_status import ServiceStatus, VariantSummary, service_status
from noria.deployment.smoke_tests import smoke_test
from noria.deployment.variants import VariantSpec, same_version_variants

__all__ = [
    "Deployment",
    "PlanChange",
    "ServerSettings",
    "ServiceStatus",
    "VariantSpec",
    "VariantSummary",
    "change_plan",
    "current_plan",
    "running_server",
    "same_version_variants",
    "service_status",
    "smoke_test",
    "start_or_roll",
    "state",
    "stop",
    "wait_until_stored",
]
