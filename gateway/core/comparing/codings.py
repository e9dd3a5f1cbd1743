"""Content codings undone (RFC 9110, section 8.4.1), within a bound: a few kilobytes may stand for gigabytes."""

import zlib

MOST = 16 * 262_144
"""The most bytes that a body may have in the end: sixteen times what is captured of an answer."""

_KNOWN = frozenset({b"br", b"compress", b"dcb", b"dcz", b"exi", b"x-compress", b"zstd"})
"""Codings with a name (IANA, HTTP Content Coding Registry). Any other word of an answer may be somebody's."""


class Unreadable(Exception):
    """A body cannot be made into a document; says why, in words that fit behind "the control's answer"."""


def undone(body: bytes, codings: bytes) -> bytes:
    """The body without its codings, of which the last named was applied last. Raises Unreadable."""
    for coding in reversed(codings.lower().split(b",")):
        match coding.strip():
            case b"" | b"identity":
                pass
            case b"gzip" | b"x-gzip":
                body = _inflated(body, 31)
            case b"deflate":
                body = _inflated(body, zlib.MAX_WBITS if _has_zlib_head(body) else -zlib.MAX_WBITS)
            case other:
                named = f": {other.decode()}" if other in _KNOWN else ""
                raise Unreadable(f"has a content coding that is not undone here{named}")
    return body


def _has_zlib_head(body: bytes) -> bool:
    """Whether a deflated body has the head of RFC 1950, as it should; some servers leave it out."""
    return len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0


def _inflated(body: bytes, wbits: int) -> bytes:
    """All members of a deflated body, one after the other."""
    whole = b""
    while body:
        member = zlib.decompressobj(wbits)
        try:
            whole += member.decompress(body, MOST - len(whole) + 1)
        except zlib.error as error:
            raise Unreadable("has a content coding that is broken") from error
        if len(whole) > MOST:
            raise Unreadable(f"has more than {MOST:,} bytes when its content coding is undone")
        if not member.eof:
            raise Unreadable("has a content coding that breaks off")
        body = member.unused_data
    return whole
