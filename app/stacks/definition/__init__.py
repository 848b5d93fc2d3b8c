"""Stacks as files: what they say, checked without ZenML. `app` registers them."""

from app.stacks.definition.finding import Finding
from app.stacks.definition.secret_values import looks_secret, only_referenced
from app.stacks.definition.stack_diff import Member, Standing, differences
from app.stacks.definition.stack_file import Component, StackFile, read_stack
from app.stacks.definition.step_settings import STEPS, Resources, Running, StepRunning

__all__ = [
    "STEPS",
    "Component",
    "Finding",
    "Member",
    "Resources",
    "Running",
    "StackFile",
    "Standing",
    "StepRunning",
    "differences",
    "looks_secret",
    "only_referenced",
    "read_stack",
]
