"""How the commands that a run writes into reports and alerts are completed; the command that started it says so."""

from zenml import get_step_context

from noria.system.command_hints import CommandHints

HINTS = "command_hints"
"""Key of a run's `extra` settings, which are no part of any cache key."""


def run_hints() -> CommandHints:
    """The use case's file, the stack and the workspace of the command that started the run of this step."""
    return CommandHints(**get_step_context().pipeline_run.config.extra.get(HINTS, {}))
