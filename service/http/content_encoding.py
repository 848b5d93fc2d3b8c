"""Unpacking of request bodies: `Content-Encoding: gzip` (RFC 9110, 8.4.1.3)."""

import zlib

from noria.serving.http_errors import HTTPError

_GZIP = frozenset({"gzip", "x-gzip"})
_PLAIN = frozenset({"", "identity"})
_WBITS = 16 + zlib.MAX_WBITS
"""With the header and the checksum of gzip."""


def is_gzip(encoding: str) -> bool:
    """Whether a body with this `Content-Encoding` is packed; False: it is as it was sent.

    Raises:
        HTTPError: it is packed in another way (415).
    """
    named = encoding.strip().lower()
    if named in _GZIP or named in _PLAIN:
        return named in _GZIP
    raise HTTPError(
        415,
        f"Content-Encoding: {encoding[:80]} cannot be read",
        code="request.content_encoding_unknown",
        fix="send the body as it is, without the header Content-Encoding, or packed with gzip",
    )


def unpack(body: bytes, limit: int) -> bytes:
    """The content of a gzip body; never more than `limit` bytes are unpacked.

    Raises:
        HTTPError: it is longer than `limit` bytes (413), or no complete gzip body (400).
    """
    unpacker = zlib.decompressobj(_WBITS)
    try:
        content = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise _broken("the body is not gzip, as its header Content-Encoding says") from error
    if len(content) > limit:
        raise HTTPError(
            413,
            f"unpacked, the request is longer than {limit} bytes",
            code="request.too_large",
            fix="send it in several requests",
        )
    if not unpacker.eof:
        raise _broken("the gzip body ends too early")
    if unpacker.unused_data:  # many small streams would take long to unpack
        raise _broken("something follows the end of the gzip body")
    return content


def _broken(what: str) -> HTTPError:
    fix = "pack the whole body once with gzip, or send it without the header Content-Encoding"
    return HTTPError(400, what, code="request.gzip_invalid", fix=fix)
