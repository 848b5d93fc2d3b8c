"""`forget`: erase a person from what was predicted, and prove it."""

from app.commands.result import CommandResult, run_py
from noria.config import UseCase
from noria.deployment.deployment_state import spool_in_use
from noria.predictions.erasure import erase_entity, facts, headline
from noria.system.workspace import Workspace


def forget(use_case: UseCase, entity: str) -> CommandResult:
    """Erase a case from the store and from what waits for it, and search the files for its name.

    Raises:
        NoriaError: the case cannot be named, the store or the spool does not work, or something is left.
    """
    workspace = Workspace(use_case.name)
    result = erase_entity(entity, use_case, workspace, spool_in_use(workspace))
    following = f"remove it from your training data, then: {run_py('train')}" if result.left else run_py("status")
    return CommandResult(headline(entity, result), facts(result), [following])
