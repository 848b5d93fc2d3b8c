"""What was done about a service, as the monitoring page tells it; `noria.loop` knows it."""

from datetime import datetime

from noria.config.section import Section


class NewsItem(Section):
    """Something that was decided or done."""

    at: datetime
    """When, the last time (UTC)."""
    text: str
    """What, in a few words."""
    why: str = ""
    """Why, or what came of it, in a plain sentence."""
    command: str = ""
    """The command that a person may run; empty: none."""
    times: int = 1
    """How many times in a row."""


class LoopNews(Section):
    """The state of the loop, in words."""

    is_known: bool = False
    """Whether the loop has ever looked at this service, as far as this workspace knows."""
    is_watching: bool = False
    """Whether `watch` is running."""
    done: list[NewsItem] = []
    """The last decisions and actions, the newest first."""
    under_way: str = ""
    """What is being done now; empty: nothing."""
    next_look: str = ""
    """When the loop looks next; empty: not known."""
