"""A WSDL as the gateway serves it: its files, with this gateway's address where the service's own stood.

The files are cut once, when the table is made (`connectors/soap/published.py`). Here is what is asked of them: which
file a request means, and its bytes with the holes filled. Everything but the holes is as it is in the file.
"""

from collections.abc import Iterable
from hashlib import sha256
from html import escape
from typing import Literal, NamedTuple

from gateway.core.paths import query_pairs

_MAIN = frozenset({b"wsdl", b"singlewsdl"})
_FILE = frozenset({b"wsdl", b"xsd"})


class Hole(NamedTuple):
    """Where an address stood: all of it is replaced, or its origin (scheme and host) only; `after` follows it."""

    kind: Literal["address", "origin"]
    after: bytes = b""


class Page(NamedTuple):
    """One file: its pieces in order, their encoding, and a digest of them."""

    pieces: tuple[bytes | Hole, ...]
    charset: str = "utf-8"
    digest: bytes = b""


class Published(NamedTuple):
    """A WSDL and what it imports, by the names of the files; `main` is the WSDL itself."""

    main: str
    pages: tuple[tuple[str, Page], ...]


def page_for(query: bytes, published: Published) -> Page | None:
    """The file that a query means: `?wsdl` and `?singleWsdl` the WSDL, `?wsdl=name` and `?xsd=name` any; in any case.

    None where it means none.
    """
    for name, value in query_pairs(query):
        kind = name.lower()
        if kind in _MAIN and not value:
            return dict(published.pages).get(published.main)
        if kind in _FILE:
            return dict(published.pages).get(value.decode("utf-8", "replace"))
    return None


def content(page: Page, origin: bytes, path: bytes) -> bytes:
    """A file as it is served at an origin (`https://api.example.org`) and a path."""
    filled = {"origin": _in_xml(origin), "address": _in_xml(origin + path)}
    return b"".join(piece if isinstance(piece, bytes) else filled[piece.kind] + piece.after for piece in page.pieces)


def etag(page: Page, origin: bytes, path: bytes) -> bytes:
    """A strong validator (RFC 9110, section 8.8.3): it changes whenever `content` does."""
    return b'"%b"' % sha256(b"\0".join((page.digest, origin, path))).hexdigest()[:32].encode()


def is_known(tag: bytes, given: Iterable[bytes]) -> bool:
    """Whether the values of If-None-Match name this validator."""
    named = [each.strip().removeprefix(b"W/") for value in given for each in value.split(b",")]
    return tag in named or b"*" in named


def _in_xml(address: bytes) -> bytes:
    """An address as it may stand in an attribute or between tags; what is not ASCII is percent-encoded."""
    text = "".join(chr(each) if each < 0x80 else f"%{each:02X}" for each in address)
    return escape(text).encode()
