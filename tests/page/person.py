"""What a person does on the page."""

import re
from collections.abc import Callable

from browser import Tab
from standin import StandIn

Opened = tuple[Tab, StandIn]
Open = Callable[..., Opened]
"""Opens the page of a stand-in: of a use case and a kind of model, with settings of the stand-in."""


def send(tab: Tab) -> None:
    """Send the form and wait for the reasons."""
    tab.click("#send")
    tab.wait("document.querySelector('.reasons li') && document.getElementById('case').ariaBusy === 'false'")


def answer_id(tab: Tab) -> str:
    """The identifier of the answer, as the small print gives it."""
    return re.findall(r"answer (\w{32})", tab.text("#print"))[0]
