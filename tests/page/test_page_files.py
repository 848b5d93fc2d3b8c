"""The page's files as they are sent: complete, from here alone, and fit for a strict policy."""

import hashlib
import re

import pytest

from service.http.openapi import DOCS_PAGE
from service.page import SECURITY_HEADERS, files, respond

PAGES = {"/", "/label"}


def test_every_file_is_sent_with_its_type_and_a_strong_validator() -> None:
    assert {"/", "/page/page.css", "/page/page.js", "/page/icon.svg"} <= set(files())
    for path, file in files().items():
        answer = respond(path)
        assert answer is not None
        assert (answer.status, answer.body) == (200, file.body)
        assert answer.headers["etag"] == f'"{hashlib.sha256(file.body).hexdigest()}"'
        assert answer.headers["content-length"] == str(len(file.body))
        assert answer.headers["cache-control"] == "no-cache"
    types = {path.rpartition(".")[2]: file.media_type for path, file in files().items()}
    assert types["js"].startswith("text/javascript")
    assert types["css"].startswith("text/css")
    assert files()["/"].media_type == "text/html; charset=utf-8"


def test_a_file_that_the_browser_has_is_not_sent_again() -> None:
    etag = files()["/"].etag
    for said in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = respond("/", said)
        assert answer is not None
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == etag
        assert "content-length" not in answer.headers
    for said in ("", '"other"', etag.strip('"')):
        answer = respond("/", said)
        assert answer is not None
        assert answer.status == 200


@pytest.mark.parametrize(
    "path", ["/page/", "/page", "/page/index.html", "/page/__init__.py", "/page/../page/page.js", "/predict", ""]
)
def test_nothing_else_is_a_file_of_the_page(path: str) -> None:
    assert respond(path) is None


def test_the_policy_lets_in_nothing_from_elsewhere_and_nothing_inline() -> None:
    policy = dict(part.split(" ", 1) for part in SECURITY_HEADERS["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "img", "connect")} == {"'self'"}
    assert "unsafe" not in SECURITY_HEADERS["content-security-policy"]
    assert SECURITY_HEADERS["x-content-type-options"] == "nosniff"
    assert SECURITY_HEADERS["referrer-policy"] == "no-referrer"


def test_the_page_needs_nothing_that_the_policy_forbids() -> None:
    for page in PAGES:
        html = files()[page].body.decode()
        assert re.findall(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", html) == []
    for file in files().values():
        text = file.body.decode().replace("http://www.w3.org/2000/svg", "")
        assert (
            re.findall(r"https?://|//cdn|innerHTML|outerHTML|insertAdjacentHTML|\beval\(|document\.write", text) == []
        )


def test_what_the_files_name_is_there() -> None:
    html = "".join(files()[page].body.decode() for page in PAGES) + DOCS_PAGE
    named = {f"/{path}" for path in re.findall(r'(?:src|href)="(?:\./)?(page/[^"]+)"', html)}
    for file in files().values():
        named |= {f"/page/{name}" for name in re.findall(r'from "\./([^"]+)"', file.body.decode())}
    assert len(named) > 8
    assert named <= set(files())
    assert set(files()) - named == PAGES, "a file that nothing loads"
    used = set(re.findall(r'byId\("([^"]+)"\)', "".join(file.body.decode() for file in files().values())))
    assert used <= set(re.findall(r'id="([^"]+)"', html))


def test_the_page_is_small() -> None:
    assert sum(len(file.body) for file in files().values()) < 80_000
