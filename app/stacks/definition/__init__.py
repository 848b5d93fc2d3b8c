"""Stacks as files: what they say, checked without ZenML. `app` registers them."""

from app.stacks.definition.finding import PreflightFinding
from app.stacks.definition.secret_values import looks_secret, only_referenced
from app.stacks.definition.stack_diff import RegisteredStack, StackMember, differences
from app.stacks.definition.stack_file import Component, StackFile, read_stack
from app.stacks.definition.step_settings import STEPS, StepConfig, StepResources, StepsConfig

__all__ = [
    "STEPS",
    "Component",
    "PreflightFinding",
    "RegisteredStack",
    "StackFile",
    "StackMember",
    "StepConfig",
    "StepResources",
    "StepsConfig",
    "differences",
    "looks_secret",
    "only_referenced",
    "read_stack",
]
