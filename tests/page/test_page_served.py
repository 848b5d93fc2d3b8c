"""The page of the real service: what a person says there reaches the prediction store."""

import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import Browser, Tab
from person import send
from real_service import serving, store_url

from noria.bundle import Bundle
from noria.predictions import PredictionStore
from service.page import SECURITY_HEADERS, files
from tests.spool.spooled import eventually

pytestmark = pytest.mark.e2e
TOKENS = {f"NORIA_{scope.upper()}_TOKEN": f"{scope}-0123456789abcdef" for scope in ("predict", "feedback", "admin")}
OPEN = "!document.getElementById('work').hidden"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def url(bundle_of: Callable[[str, str], Bundle], folder: Path) -> Iterator[str]:
    with serving(bundle_of("churn", "xgboost"), folder, **TOKENS) as address:
        yield address


@pytest.fixture
def tab(browser: Browser, url: str) -> Iterator[Tab]:
    with browser.tab() as opened:
        opened.screen(1280, 900)
        yield opened.open(url)
        opened.run("1")
        noted = "Failed to load resource: the server responded with a status of 4"
        assert [one for one in opened.complaints if not one.startswith(noted)] == []


def enter(tab: Tab, token: str) -> None:
    tab.wait("document.getElementById('token').open")
    tab.put("#token-input", token)
    tab.press("Enter")


def kept(folder: Path) -> dict[str, Any]:
    """The newest prediction in the store once its label is there, which a process of its own brings."""
    since, store = datetime.now(UTC) - timedelta(hours=1), PredictionStore(store_url(folder))
    assert eventually(lambda: not store.window(since, labelled=True).empty), "the label never came"
    newest: dict[str, Any] = store.window(since, labelled=True).iloc[-1].to_dict()
    store.close()
    return newest


def test_from_the_token_to_the_truth(tab: Tab, folder: Path, bundle_of: Callable[[str, str], Bundle]) -> None:
    enter(tab, "predict-0123456789abcdef")
    tab.wait(OPEN)
    tab.put("[name=tenure]", "2")
    tab.click("#trial")  # it is a real case now
    send(tab)
    assert "of 100" in tab.text("#said .large")
    assert "Tenure: 2" in tab.text("#why")
    assert "variant champion" in tab.text("#print")
    assert "The answer came from variant" not in tab.text("#why")
    tab.click(".choices button")
    enter(tab, "feedback-0123456789abcdef")
    tab.wait("document.querySelector('#outcome .notice.good')")
    row = kept(folder)
    assert row["prediction_id"] in tab.text("#print")
    assert (row["label"], row["tenure"], row["contract"]) == ("Yes", 2, "Month-to-month")
    expected = bundle_of("churn", "xgboost")
    assert row["version"] == expected.manifest.version


def test_what_cannot_be_used_is_said_at_its_field(tab: Tab) -> None:
    enter(tab, "predict-0123456789abcdef")
    tab.wait(OPEN)
    tab.put("[name=tenure]", "1e300")
    tab.click("#send")
    tab.wait("document.querySelector('#problem .notice')")
    assert "One entry needs your attention." in tab.text("#problem")
    assert tab.run("document.activeElement.name") == "tenure"


def test_a_token_for_something_else_is_not_enough(tab: Tab) -> None:
    enter(tab, "feedback-0123456789abcdef")
    tab.wait("document.getElementById('token-problem').textContent.startsWith('The service does not accept')")
    assert tab.run("document.getElementById('work').hidden") is True


def test_the_files_come_with_their_headers(url: str) -> None:
    for path, file in files().items():
        response = httpx.get(url + path[1:], trust_env=False)
        assert (response.status_code, response.content) == (200, file.body)
        assert SECURITY_HEADERS.items() <= response.headers.items()
        again = httpx.get(url + path[1:], headers={"If-None-Match": response.headers["etag"]}, trust_env=False)
        assert (again.status_code, again.content) == (304, b"")
    assert httpx.head(url, trust_env=False).headers["content-length"] == str(len(files()["/"].body))


def test_the_interface_is_shown_under_its_own_policy(browser: Browser, url: str) -> None:
    headers = httpx.get(f"{url}docs", trust_env=False).headers
    assert {name for name in SECURITY_HEADERS if name in headers} == set(SECURITY_HEADERS)
    assert "script-src 'self';" in headers["content-security-policy"]
    with browser.tab() as tab:
        tab.open(f"{url}docs")
        tab.wait("document.querySelectorAll('.opblock').length > 4")
        assert tab.complaints == []


_ATTACK = """<!doctype html><title>waiting</title><script>
const send = (path, type, body) => fetch("SERVICE" + path, {
  method: "POST", mode: "no-cors", headers: type ? { "Content-Type": type } : {}, body: new Blob([body]),
}).then(() => 1, () => 0);
const label = '{"labels": [{"entity": "c1", "label": "Yes"}]}';
Promise.all([
  send("feedback", "text/plain", label), send("feedback", "", label), send("feedback", "application/json", label),
  send("predict", "", 'ROWS'), send("predict", "text/plain", 'ROWS'),
]).then(() => { document.title = "done"; });
</script>"""


def test_a_page_of_another_site_writes_nothing_to_a_service_without_tokens(
    browser: Browser, bundle_of: Callable[[str, str], Bundle], tmp_path: Path
) -> None:
    bundle = bundle_of("churn", "xgboost")
    with serving(bundle, tmp_path, **dict.fromkeys(TOKENS, "")) as service, pages_of_others() as (folder, elsewhere):
        rows = json.dumps({"rows": bundle.examples()[:1]})
        (folder / "attack.html").write_text(_ATTACK.replace("SERVICE", service).replace("ROWS", rows))
        with browser.tab() as tab:
            tab.open(f"{elsewhere}attack.html")
            tab.wait("document.title === 'done'")
        metrics = httpx.get(f"{service}metrics", trust_env=False).text
        assert 'noria_requests_total{endpoint="/feedback",status="403"' in metrics, "the attack has arrived"
        assert 'status="200"' not in metrics
        with httpx.Client(base_url=service, trust_env=False) as client:
            assert client.get("/model", headers={"host": "evil.example"}).status_code == 421
            assert client.get("/model", headers={"x": "x" * 40_000}).status_code == 431


@contextmanager
def pages_of_others() -> Iterator[tuple[Path, str]]:
    """A folder, and the URL where another site shows its files."""
    with tempfile.TemporaryDirectory() as folder:
        handler = partial(SimpleHTTPRequestHandler, directory=folder)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield Path(folder), f"http://127.0.0.1:{server.server_port}/"
            finally:
                server.shutdown()
                thread.join()
