"""A ledger of all decision policies that a model has had in this service, so that a version is never reused."""

import json
from pathlib import Path

from pydantic import ValidationError

from noria.models.decision_policy import DecisionPolicy
from noria.system import progress
from noria.system.files import write_text

BUILT_IN = "1"
"""Version of the policy that a bundle brings along."""
_LEDGER = "policies.json"


def policy_version(folder: Path, model: str, policy: DecisionPolicy, own: DecisionPolicy) -> str:
    """The version of a policy; a new one is entered in the ledger of the service folder.

    Args:
        folder: the service folder.
        model: name of the bundle's folder, which names its content.
        policy: the policy.
        own: the one that the bundle brings along, which is version "1".
    """
    if policy == own:
        return BUILT_IN
    ledger = _read(folder / _LEDGER)
    known = ledger.setdefault(model, [])
    if policy not in known:
        known.append(policy)
        plain = {name: [each.model_dump(mode="json") for each in policies] for name, policies in ledger.items()}
        write_text(folder / _LEDGER, json.dumps(plain, indent=1))
    return str(known.index(policy) + 2)


def _read(path: Path) -> dict[str, list[DecisionPolicy]]:
    try:
        raw = json.loads(path.read_bytes())
        return {name: [DecisionPolicy.model_validate(each) for each in policies] for name, policies in raw.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, ValidationError, AttributeError):
        path.replace(path.with_name(path.name + ".bad"))
        progress.warn(f"{path} could not be read and is set aside as {path.name}.bad")
        return {}
