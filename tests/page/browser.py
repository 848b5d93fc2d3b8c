"""A real Chromium without a window, driven by Playwright: the machine's own, none is downloaded."""

import base64
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser as Driven
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE_S = 60.0


def found() -> str | None:
    """The browser's program, if this machine has one."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Tab:
    """One page in its own empty profile: no cookies, no cache, no storage of another tab."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.complaints: list[str] = []
        """What the browser wrote to its console as an error: failed scripts, refused styles, uncaught exceptions."""
        self.requests: list[str] = []
        """The URLs that were asked for."""
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(_told(said)) if said.type == "error" else None)
        page.on("request", lambda request: self.requests.append(request.url))
        self._protocol = page.context.new_cdp_session(page)

    def command(self, method: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol, for what Playwright has no word for."""
        return self._protocol.send(method, parameters)

    def run(self, script: str) -> Any:
        """The value of an expression; of a promise, what it comes to."""
        return self._page.evaluate(script)

    def wait(self, script: str) -> None:
        """Wait until an expression is true. Playwright's own waiting needs `eval`, which the page's policy forbids."""
        end = time.monotonic() + PATIENCE_S
        while not self.run(f"Boolean({script})"):
            if time.monotonic() > end:
                raise AssertionError(f"never came true: {script}\n{self.text()}")
            self._page.wait_for_timeout(30)

    def open(self, url: str) -> Self:
        self._page.goto(url)
        return self

    def text(self, selector: str = "body") -> str:
        """What a person reads there."""
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def click(self, selector: str) -> None:
        """Press the mouse in the middle of what is seen there."""
        self._page.click(selector)

    def press(self, key: str) -> None:
        self._page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Type into whatever has the focus."""
        self._page.keyboard.insert_text(text)

    def put(self, selector: str, text: str) -> None:
        """Type into a field in the place of what it held."""
        self._page.fill(selector, text)

    def choose(self, selector: str, text: str) -> None:
        """Choose an entry of a list by its text."""
        self._page.select_option(selector, label=text)

    def screen(self, width: int, height: int, *, phone: bool = False, dark: bool = False, scale: float = 1) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )
        self._page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")

    def paper(self) -> None:
        """Show the page as it is printed."""
        self._page.emulate_media(media="print")

    def offline(self, *, on: bool) -> None:
        self._page.context.set_offline(on)

    def picture(self, path: Path) -> None:
        """With every dot of the screen, where Playwright's own goes by the size it gave the page."""
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"]))


def _told(said: ConsoleMessage) -> str:
    return f"{said.text} {said.location['url']}"


class Browser:
    """Chromium, and tabs in it."""

    def __init__(self, driven: Driven) -> None:
        self._driven = driven

    @contextmanager
    def tab(self, *, scripts: bool = True) -> Iterator[Tab]:
        # without a viewport of Playwright's: `screen` sets one, and may turn a desk into a telephone
        with self._driven.new_context(java_script_enabled=scripts, no_viewport=True) as context:
            yield Tab(context.new_page())


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium with a fresh profile, stopped and wiped at the end.

    Meanwhile an event loop of Playwright's runs in this thread, so that `asyncio.run` refuses to start another one.
    """
    with sync_playwright() as playwright:
        # Chromium's own sandbox cannot be set up by root, nor in most containers; only our own page is opened
        driven = playwright.chromium.launch(executable_path=found(), chromium_sandbox=False, timeout=3_000 * PATIENCE_S)
        with driven:
            yield Browser(driven)
