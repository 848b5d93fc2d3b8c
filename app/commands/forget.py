"""`forget`: erase a person from everything that Noria has written, and prove it."""

from app.command_result import CommandResult, run_py
from app.commands.predicted_files import predicted_files
from app.runs.artifact_stores import artifact_stores
from noria.bundle.erasure import erase_from_bundle
from noria.config import UseCase
from noria.deployment.deployment_state import spool_in_use
from noria.predictions.erasure import Reach, erase_entity, facts, headline
from noria.system.workspace import Workspace


def forget(use_case: UseCase, entity: str) -> CommandResult:
    """Erase a case from the store, from what waits for it and from all files, and search these for what is left.

    Raises:
        NoriaError: the case cannot be named, the store or the spool does not work, or something is left.
    """
    workspace = Workspace(use_case.name)
    folders, beyond = artifact_stores()
    reach = Reach(erase_from_bundle, folders, predicted_files(workspace), beyond)
    result = erase_entity(entity, use_case, workspace, spool_in_use(workspace), reach)
    following = [f"remove it from your training data, then: {run_py('train')}"] if result.left else [run_py("status")]
    if any(workspace.service in path.parents for path, _ in result.cleaned if path.is_dir()):
        following.insert(0, f"{run_py('deploy')}, which renews the rows that the running service holds in memory")
    return CommandResult(headline(entity, result), facts(result), following)
