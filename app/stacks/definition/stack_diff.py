"""What is registered in ZenML beside what a file says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str]
"""Type and name of a component."""


@dataclass(frozen=True)
class StackMember:
    """A component: who provides it, and its settings, filled in."""

    flavor: str
    configuration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RegisteredStack:
    """What ZenML knows."""

    components: Mapping[Key, StackMember]
    """Those that a file names and ZenML has, whichever stack they belong to."""
    members: Sequence[Key] | None
    """The stack's own; None: there is no stack of that name."""


def differences(wanted: Mapping[Key, StackMember], standing: RegisteredStack) -> list[str]:
    """What `up` would do, in words; empty: nothing.

    A setting that only ZenML has is one that the flavor fills in by itself, so it is no difference.
    """
    found = []
    for key, member in wanted.items():
        title = f"{key[0]} `{key[1]}`"
        known = standing.components.get(key)
        if known is None:
            found.append(f"{title} is not registered")
        elif known.flavor != member.flavor:
            found.append(f"{title} is `{known.flavor}` instead of `{member.flavor}`")
        else:
            changed = [name for name, value in member.configuration.items() if known.configuration.get(name) != value]
            found += [f"{title}: `{name}` differs" for name in changed]
    if standing.members is None:
        found.append("the stack is not registered")
    else:
        found += [
            f"{kind} `{name}` is not in the stack" for kind, name in wanted if (kind, name) not in standing.members
        ]
        found += [
            f"{kind} `{name}` is in the stack as well" for kind, name in standing.members if (kind, name) not in wanted
        ]
    return found
