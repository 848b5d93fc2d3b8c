"""`status`, `stop`, `traffic`, `promote` and `rollback` where the service runs on a cluster or in Compose.

What such a service is, neither the workspace nor its orders know: Helm, Compose and the service itself are asked.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from app.serving.kubernetes_rollout import cluster_of
from app.serving.service_probe import Facts, ServiceAddress, probe_service
from app.stacks import stacks
from app.stacks.active_stack import service_stack
from app.stacks.definition import read_stack
from noria.system.errors import NoriaError

Confirm = Callable[[str], bool]


class Place(Protocol):
    """Where a service runs that this workspace knows nothing of."""

    changes: str
    """What of who answers cannot be changed there while it runs, and why."""
    is_changeable: bool
    """Does it take orders over HTTP: one server, which keeps them?"""

    @property
    def address(self) -> ServiceAddress | None:
        """Where it answers this machine, if that is known."""

    @property
    def title(self) -> str:
        """In words."""

    @property
    def headline(self) -> str:
        """How it does, in a few words."""

    @property
    def is_there(self) -> bool:
        """Is anything deployed?"""

    @property
    def answers(self) -> bool:
        """Is it ready, as far as can be told from outside?"""

    @property
    def image(self) -> str:
        """What it runs."""

    def facts(self) -> Facts:
        """What is known of it from outside."""

    def stopping(self) -> str:
        """What `stop` takes away and what it leaves, to be confirmed."""

    def stop(self) -> Facts:
        """Stop it."""

    def roll_back(self) -> tuple[str, Facts]:
        """Put back what answered before."""


def place_of(stack: str | None, url: str | None = None) -> Place | None:
    """Where the service of a stack is; None: on this machine, where the workspace knows all of it.

    Raises:
        NoriaError: there is no such stack, or its file does not say where.
    """
    name = service_stack(stack)
    running = stacks.running_on(name)
    if running.service == "compose":
        from app.serving.compose import Composed

        return Composed(url)
    if running.service == "kubernetes":
        from app.serving.kubernetes import Release

        found = url or running.url
        cluster = cluster_of(read_stack(stacks.STACK_FILES / f"{name}.yaml"), pushes=False)
        return Release(cluster, ServiceAddress(found) if found else None)
    if url is not None:
        raise NoriaError(
            f"stack `{name}` serves on this machine, where the workspace knows the address",
            where="--url",
            fix="leave it out, or name the stack of the service with --stack",
        )
    return None


def service_facts(place: Place, use_case: str) -> tuple[bool, Facts]:
    """Does it answer, and all that can be known of it."""
    facts = place.facts()
    if place.address is None:
        hint = "not asked: name its address with --url, or as `noria.url` in the stack's file"
        return place.answers, [*facts, ("service", hint)]
    said = probe_service(place.address, use_case)
    return not said.unready, [*facts, *said.facts]


def required(place: Place) -> Place:
    """The place, if anything is deployed there.

    Raises:
        NoriaError: nothing is.
    """
    if not place.is_there:
        raise NoriaError(f"no service is deployed: there is no {place.title}", fix="python run.py deploy")
    return place


def stop(place: Place, confirm: Confirm) -> Facts:
    """Stop what is there, if whoever asked for it confirms.

    Raises:
        NoriaError: they do not, or it cannot be stopped.
    """
    if not place.is_there:
        return []
    if not confirm(place.stopping()):
        raise NoriaError("nothing was stopped: it was not confirmed", where=place.title, fix="answer y, or add --yes")
    return place.stop()


def show(place: Place, use_case: str) -> tuple[str, Facts]:
    """Who answers there.

    Raises:
        NoriaError: nothing is deployed, or its address is not known.
    """
    if required(place).address is None:
        raise NoriaError(
            "the service alone knows who answers, and its address is not known",
            where=place.title,
            fix="name it with --url, or as `noria.url` in the stack's file",
        )
    _, facts = service_facts(place, use_case)
    return place.headline, facts


def change(
    place: Place, shares: Mapping[str, float], policy: Mapping[str, float], of: str | None, *, more: bool
) -> tuple[str, Facts]:
    """Let the service itself change shares or a policy.

    Args:
        place: where it is.
        shares: variant → share.
        policy: keys of a policy.
        of: whose policy; None: the champion's.
        more: a shadow or a canary is asked for, too.

    Raises:
        NoriaError: it cannot be changed while it runs, or the service refuses.
    """
    required(place)
    if place.address is None or more or not place.is_changeable:
        raise refusal(place)
    with place.address.client() as client:
        done = [client.change_shares(shares)] if shares else []
        done += [client.change_policy(policy, of)] if policy else []
    facts: Facts = [("before", done[0].before), ("now", done[-1].now), ("service", place.address.url)]
    if policy:
        facts.append(("policy", ", ".join(f"{key} {value:g}" for key, value in policy.items())))
    return f"{done[-1].now}.", facts


def refusal(place: Place) -> NoriaError:
    """What to do instead of changing it while it runs."""
    return NoriaError(
        place.changes,
        where=place.title,
        fix="promote or train what should answer, then `python run.py deploy`; `python run.py rollback` goes back",
    )
