"""What decides which labelled cases a training reads, besides `data`."""

from datetime import datetime

from noria.config import UseCase
from noria.config.section import Section
from noria.config.serving import PrivacyConfig


class CaseSettings(Section):
    """What the rest of a use case says of its labelled cases."""

    use_case: str
    """Name of the use case."""
    label_delay_days: float
    """How old a case must be, in days: labels that come earlier come for some outcomes only."""
    privacy: PrivacyConfig
    """What the store does not hold as it was asked."""
    not_features: list[str]
    """Columns that no model may see, and that predictions therefore do not hold."""
    computed: list[str] = []
    """Columns that are counted from earlier cases: predictions hold them, and training computes them again."""
    now: datetime | None = None
    """The time (with a zone) at which cases are old enough and labels known; None: that of the machine."""
    needs_time: bool
    """Whether a case without its time is of no use: the split goes by it."""
    known: bool = False
    """Whether cases were found where the run was started: then a step that finds no store looks in the wrong place."""

    @property
    def hidden(self) -> set[str]:
        """Columns that the store does not hold as they were asked."""
        return {*self.privacy.hash, *self.privacy.drop, *self.privacy.truncate}


def case_settings(use_case: UseCase, *, known: bool = False, now: datetime | None = None) -> CaseSettings | None:
    """The settings of a use case; None if it reads no labelled cases.

    Args:
        use_case: the use case.
        known: whether cases were found where the run was started.
        now: the time (with a zone) of the training, for a look at the past; None: that of the machine.
    """
    if all(source.kind != "predictions" for source in use_case.data.sources):
        return None
    history = use_case.history_spec()
    return CaseSettings(
        use_case=use_case.name,
        label_delay_days=use_case.problem.label_delay_days,
        privacy=use_case.serving.privacy,
        not_features=sorted(use_case.not_features),
        needs_time=use_case.split.method == "time" or use_case.data.window != "all",
        computed=[] if history is None else history.names,
        known=known,
        now=now,
    )
