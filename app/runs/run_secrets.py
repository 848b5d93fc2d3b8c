"""What steps elsewhere get of the environment here: through ZenML's store of secrets, never in a run's settings.

The secret keeps its name from run to run, since ZenML's cache looks at which secrets a step has.
"""

import os
from typing import Any

from noria.config.load import ENVIRONMENT_VARIABLE

_ALWAYS = ("NORIA_PREDICTIONS_URL", "NORIA_PRIVACY_KEY")


def run_secrets(client: Any, model: str, *texts: str) -> dict[str, Any]:
    """Options of a run: a secret with the variables that `texts` name as `${env:NAME}`; none, if there are none.

    Args:
        client: ZenML's.
        model: name of the model; its runs share the secret.
        texts: the use case and what else the steps are given.
    """
    values = _values(*texts)
    if not values:
        return {}
    name = f"noria-runs-{model}".replace("_", "-")
    known = next((each for each in client.list_secrets(size=1000) if each.name == name), None)
    if known is None:
        client.create_secret(name, values)
    else:
        gone = sorted(set(client.get_secret(known.id).secret_values) - set(values))
        client.update_secret(known.id, add_or_update_values=values, remove_values=gone)
    return {"secrets": [name]}


def _values(*texts: str) -> dict[str, str]:
    given = [os.environ.get(name, "") for name in _ALWAYS]
    named = ENVIRONMENT_VARIABLE.findall(" ".join([*texts, *given]))
    return {name: os.environ[name] for name in (*_ALWAYS, *named) if os.environ.get(name)}
