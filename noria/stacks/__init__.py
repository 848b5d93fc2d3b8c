"""Stacks as files: what they say, checked without ZenML. `pipelines/platform` registers them."""

from noria.stacks.difference import Member, Standing, differences
from noria.stacks.file import Component, StackFile, read_stack
from noria.stacks.secrets import looks_secret, only_referenced

__all__ = [
    "Component",
    "Member",
    "StackFile",
    "Standing",
    "differences",
    "looks_secret",
    "only_referenced",
    "read_stack",
]
