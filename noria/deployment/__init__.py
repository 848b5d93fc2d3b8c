"""The service on this machine: start, rollover, smoke tests, plan changes, stop."""

from noria.deployment.deployment_state import Deployment, read_state
from noria.deployment.flush_wait import Unflushed, flush_rest, wait_until_stored
from noria.deployment.plan_change import PlanChange, change_plan, current_plan, running_server
from noria.deployment.rollover import start_or_roll
from noria.deployment.server_process import stop
from noria.deployment.server_settings import ServerSettings
from noria.deployment.service_status import ServiceStatus, VariantSummary, service_status
from noria.deployment.smoke_tests import smoke_test
from noria.deployment.variants import VariantSpec, same_version_variants

__all__ = [
    "Deployment",
    "PlanChange",
    "ServerSettings",
    "ServiceStatus",
    "Unflushed",
    "VariantSpec",
    "VariantSummary",
    "change_plan",
    "current_plan",
    "flush_rest",
    "read_state",
    "running_server",
    "same_version_variants",
    "service_status",
    "smoke_test",
    "start_or_roll",
    "stop",
    "wait_until_stored",
]
