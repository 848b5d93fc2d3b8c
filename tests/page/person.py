"""What a person does on the page."""

import re

from browser import Tab


def send(tab: Tab) -> None:
    """Send the form and wait for the reasons."""
    tab.click("#send")
    tab.wait("document.querySelector('.reasons li') && document.getElementById('case').ariaBusy === 'false'")


def answer_id(tab: Tab) -> str:
    """The identifier of the answer, as the small print gives it."""
    return re.findall(r"answer (\w{32})", tab.text("#print"))[0]
