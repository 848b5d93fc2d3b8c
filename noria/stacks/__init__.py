"""Stacks as files: what they say, checked without ZenML. `pipelines/platform` registers them."""

from noria.stacks.difference import Member, Standing, differences
from noria.stacks.file import Component, StackFile, read_stack
from noria.stacks.finding import Finding
from noria.stacks.running import STEPS, Resources, Running, StepRunning
from noria.stacks.secrets import looks_secret, only_referenced

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
