"""Sends the loop's messages, each once, to the addresses of the use case and to the stack's alerter."""

from app.environment import hints_of, zenml_client
from app.stacks.registration import stack_for_one_run
from noria.config import UseCase
from noria.loop import Journal, LoopState, channels
from noria.loop.messages import end_message, is_due
from noria.system import progress
from noria.system.errors import NoriaError


class Messenger:
    """Sends messages, and knows which have been sent already."""

    def __init__(self, use_case: UseCase, stack: str | None, journal: Journal) -> None:
        self._use_case = use_case
        self._stack = stack
        self._journal = journal
        self._unrecorded: set[str] = set()
        """Keys of messages that the journal could not keep, as on a full disk."""

    def send(self, key: str, text: str, *, to_stack: bool = True) -> None:
        """Send a message, unless one with this key was sent a short time ago.

        Args:
            key: identifies it.
            text: the first line is its title.
            to_stack: whether the stack's alerter gets it, too.
        """
        config = self._use_case.loop.alert
        if self._use_case.loop.actions.alert == "never" or not text or key in self._unrecorded:
            return
        if not is_due(self._journal, key, config):
            return
        hints = hints_of(self._use_case.name)
        arrived = channels.send(config.urls, hints.complete(text))
        if to_stack:
            self._post_to_stack(text)
        if not arrived:
            return  # it is tried again at the next look
        try:
            self._journal.append("alert", name=key, why=[text.partition("\n")[0]])
        except NoriaError as error:
            self._unrecorded.add(key)
            progress.warn(error.what)

    def send_ends(self) -> None:
        """Report each action that has ended and was not reported yet, also of a process that was killed in between."""
        state = LoopState.of(self._journal)
        for action in state.actions:
            key = f"end {action.id}"
            if action.ended is not None and key not in state.alerts:
                self.send(key, end_message(self._use_case.name, action))

    def _post_to_stack(self, text: str) -> None:
        from steps.shared.alerts import post_alert

        try:
            zenml_client()
            with stack_for_one_run(self._stack):
                post_alert(text, hints_of(self._use_case.name))
        except Exception as error:  # a message that cannot be posted must not end the loop
            progress.warn(f"the stack's alerter could not be asked: {error}")
