"""The web pages at `/` and `/label`: their files and response headers.

The page is served from this folder as it is: no framework, no build step, and no resources from other hosts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).resolve().parent
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PAGES = {"index.html": "/", "label.html": "/label"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": _POLICY,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
)
"""Sent with every file of the page; names in lower case."""
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI writes styles and images into its page, and HTML that it has cleaned."""
DOCS_HEADERS: Mapping[str, str] = MappingProxyType(dict(SECURITY_HEADERS) | {"content-security-policy": _DOCS_POLICY})
"""Sent with the page /docs."""


@dataclass(frozen=True)
class PageFile:
    """One file of the page."""

    body: bytes
    media_type: str
    etag: str
    """A strong validator: the quoted SHA-256 of the body."""


@dataclass(frozen=True)
class PageResponse:
    """The response to a GET or HEAD of a file; for HEAD the caller leaves out the body."""

    status: int
    headers: dict[str, str]
    body: bytes


@cache
def files() -> Mapping[str, PageFile]:
    """URL path → file; read once. `/` and `/label` are pages, the other files are below `/page/`."""
    found = {path: _file(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _MEDIA_TYPES}
    urls = {_PAGES.get(path.name, f"/page/{path.name}"): file for path, file in found.items()}
    return MappingProxyType(urls)


def respond(path: str, if_none_match: str = "") -> PageResponse | None:
    """The response to a GET of `path`, or None if it is not a file of the page.

    Browsers cache the files but revalidate them each time (`no-cache`), so that a new version is seen at once and an
    unchanged one costs no transfer.

    Args:
        path: the URL's path, such as `/` or `/page/page.js`.
        if_none_match: the request's header of that name: 304 without a body if it names the file's ETag.
    """
    file = files().get(path)
    if file is None:
        return None
    headers = {"etag": file.etag, "cache-control": "no-cache", **SECURITY_HEADERS}
    if _matches(file.etag, if_none_match):
        return PageResponse(304, headers, b"")
    headers |= {"content-type": file.media_type, "content-length": str(len(file.body))}
    return PageResponse(200, headers, file.body)


def _file(path: Path) -> PageFile:
    body = path.read_bytes()
    return PageFile(body, _MEDIA_TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()}"')


def _matches(etag: str, if_none_match: str) -> bool:
    """RFC 9110, 13.1.2: weak comparison, and `*` is anything."""
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return "*" in named or etag in named
