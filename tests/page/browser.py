"""A real Chromium without a window, driven over its DevTools protocol."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE_S = 60.0
KEYS = {"Enter": 13, "Tab": 9, " ": 32, "Escape": 27, "ArrowDown": 40}


def found() -> str | None:
    """The browser's program, if this machine has one."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Tab:
    """One page in its own empty profile: no cookies, no cache, no storage of another tab."""

    def __init__(self, connection: ClientConnection, session: str) -> None:
        self._connection, self._session = connection, session
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []
        """What the browser wrote to its console as an error: failed scripts, refused styles, uncaught exceptions."""
        self.requests: list[dict[str, Any]] = []
        """What was asked for: `url`, `method`, `headers`."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, "sessionId": self._session}
        self._connection.send(json.dumps(message))
        while True:
            answer = json.loads(self._connection.recv(timeout=PATIENCE_S))
            if answer.get("id") == number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._hear(answer)

    def _hear(self, event: dict[str, Any]) -> None:
        method, said = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(said["exceptionDetails"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.complaints.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(said["request"])

    def run(self, script: str) -> Any:
        """The value of an expression; of a promise, what it comes to."""
        result = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.run(f"Boolean({script})"):
            if time.monotonic() > end:
                raise AssertionError(f"never came true: {script}\n{self.run('document.body.innerText')}")
            time.sleep(0.03)

    def open(self, url: str) -> Self:
        self.command("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")
        return self

    def text(self, selector: str = "body") -> str:
        """What a person reads there."""
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def names(self) -> list[str]:
        """What a screen reader would say of each part of the page."""
        nodes = self.command("Accessibility.getFullAXTree")["nodes"]
        return [str(node["name"].get("value", "")) for node in nodes if "name" in node and not node["ignored"]]

    def click(self, selector: str) -> None:
        """Press the mouse in the middle of what is seen there."""
        place = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def press(self, key: str, *, shift: bool = False) -> None:
        code = KEYS[key]
        text = {"Enter": "\r", " ": " "}.get(key, "")
        common = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        modifiers = 8 if shift else 0
        kind = "keyDown" if text else "rawKeyDown"
        self.command("Input.dispatchKeyEvent", type=kind, text=text, modifiers=modifiers, **common)
        self.command("Input.dispatchKeyEvent", type="keyUp", modifiers=modifiers, **common)

    def write(self, text: str) -> None:
        """Type into whatever has the focus."""
        self.command("Input.insertText", text=text)

    def put(self, selector: str, text: str) -> None:
        """Type into a field in the place of what it held."""
        self.run(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.focus(); e.select(); }})()")
        self.write(text) if text else self.press_delete()

    def press_delete(self) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.command("Input.dispatchKeyEvent", type=kind, key="Delete", code="Delete", windowsVirtualKeyCode=46)

    def choose(self, selector: str, text: str) -> None:
        """Choose an entry of a list by its text, as a person's choice reaches the page."""
        done = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            f" const o = [...e.options].find((o) => o.text === {json.dumps(text)}); if (!o) return false;"
            " e.value = o.value; e.dispatchEvent(new Event('input', {bubbles: true}));"
            " e.dispatchEvent(new Event('change', {bubbles: true})); return true; })()"
        )
        assert done, f"{selector} has no entry {text}"

    def screen(self, width: int, height: int, *, phone: bool = False, dark: bool = False, scale: float = 1) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        calm = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.command("Emulation.setEmulatedMedia", features=[scheme, calm])

    def offline(self, *, on: bool) -> None:
        self.command(
            "Network.emulateNetworkConditions", offline=on, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    def picture(self, path: Path, *, whole: bool = False) -> None:
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


class Browser:
    """Chromium, and tabs in it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(-1, -1)

    def _command(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=PATIENCE_S))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    @contextmanager
    def tab(self) -> Iterator[Tab]:
        context = self._command("Target.createBrowserContext")["browserContextId"]
        target = self._command("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self._command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            yield Tab(self._connection, session)
        finally:
            self._command("Target.disposeBrowserContext", browserContextId=context)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium with a fresh profile, stopped and wiped at the end."""
    program = found()
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="noria-chromium-", ignore_cleanup_errors=True) as profile:
        # Chromium's own sandbox cannot be set up by root, nor in most containers; only our own page is opened
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        options += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"]
        options += [
            "--force-color-profile=srgb",
            "--lang=en",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
        ]
        process = subprocess.Popen(
            [program, *options, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HOME": profile},
        )
        try:
            with connect(_address(Path(profile), process), max_size=64 << 20, proxy=None) as connection:
                yield Browser(connection)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(profile: Path, process: "subprocess.Popen[bytes]") -> str:
    """Where it listens: it writes that into its profile once it does."""
    end = time.monotonic() + 3 * PATIENCE_S
    while time.monotonic() < end:
        assert process.poll() is None, f"Chromium ended with {process.returncode}"
        lines = (
            (profile / "DevToolsActivePort").read_text().splitlines()
            if (profile / "DevToolsActivePort").exists()
            else []
        )
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise AssertionError("Chromium does not listen")
