"""Have everything that was answered in the store before it is looked at."""

from datetime import UTC, datetime
from typing import Annotated

from zenml import step

from noria.config import UseCase
from noria.deployment import wait_until_stored
from noria.system.workspace import Workspace
from steps.shared.failures import alert_on_failure


@step(enable_cache=False, on_failure=alert_on_failure)
def collect(use_case: UseCase, labels_joined: int, now: str = "") -> Annotated[str, "checked_at"]:
    """The time of the check, `now` if given, when all that was answered until then is in the store.

    The rows themselves stay there: a copy of them as an artifact would outlive retention and `forget`.
    `labels_joined` is only there to run after the join.
    """
    wait_until_stored(Workspace(use_case.name))
    return now or datetime.now(UTC).isoformat()
