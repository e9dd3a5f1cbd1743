"""An answer's body as a document: what kind it is, its value, and its shape.

A body is taken for what its content type says and, where it is not that, for what it is: text, or bytes. So an answer
that claims to be JSON and is not differs from one that is, and two that are broken in the same way are the same.
"""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl

import orjson

from gateway.core.captured import CapturedAnswer
from gateway.core.comparing.codings import Unreadable, undone
from gateway.core.comparing.infoset import NAMESPACES, NotXml, read_xml
from gateway.core.comparing.values import SCALARS, Element, Repeated, canonical, in_order

Kind = Literal["json", "xml", "soap", "form", "text", "bytes", "empty"]
Decode = Callable[[bytes], Any]
"""From an envelope to what its operation means, as values of JSON. Raises ValueError where it cannot tell."""

_DIGITS = bytes(ord("0") if chr(byte) in "0123456789." else 0 for byte in range(256))
_LONG_NUMBER = b"0" * 16
"""Sixteen digits, or fifteen and a point: a double tells no more than fifteen digits apart for certain."""
_MOST_FIELDS = 10_000
_LEVELS = 2
_ABOUT = ("#element", NAMESPACES)
"""What a message says of itself, and not what it holds."""


class Document(NamedTuple):
    """A body that can be compared.

    `canonical` is its value as JSON, sorted where order means nothing: equal bytes are equal documents. `shape` is
    empty, one, many (a list of two or more among its top levels), text, binary or fault. `decoded` tells that a codec
    made the value.
    """

    kind: Kind
    value: Any
    canonical: bytes
    shape: str
    decoded: bool = False


class Incomparable(NamedTuple):
    """Why a body cannot be made into a document, in words that fit behind "the control's answer"."""

    reason: str


class MediaType(NamedTuple):
    """A content type: lower case, without parameters but for the charset ("" where none is given)."""

    name: str
    charset: str


EMPTY = Document("empty", None, b"", "empty")


def read(answer: CapturedAnswer, decode: Decode | None = None) -> Document | Incomparable:
    """The document of a whole answer. Without `decode`, or where it cannot tell, SOAP is the infoset of its Body."""
    body = answer.body or b""
    if not body or answer.status in (204, 304):
        return EMPTY
    media = media_type(field(answer, b"content-type"))
    try:
        codings = field(answer, b"content-encoding")
        data = undone(body, codings) if codings else body
        found = _reader(media.name, data)(data, media.charset, decode)
    except Unreadable as refused:
        return Incomparable(str(refused))
    return found or _text(data, media.charset, decode) or _bytes(data)


def field(answer: CapturedAnswer, name: bytes) -> bytes:
    """All the values of a field, joined as RFC 9110 (section 5.3) allows; b"" without any."""
    found = [value.strip() for key, value in answer.fields if key.lower() == name]
    return found[0] if len(found) == 1 else b", ".join(found)


@lru_cache(maxsize=1_024)
def media_type(value: bytes) -> MediaType:
    """What a Content-Type says (RFC 9110, section 8.3.1)."""
    name, *parameters = value.decode("latin-1").lower().split(";")
    given = (each.strip().partition("=") for each in parameters)
    charset = next((text.strip("\"' ") for key, _, text in given if key == "charset"), "")
    return MediaType(name.strip(), charset)


# ------------------------------------------------------------------------------------------------ readers

Reader = Callable[[bytes, str, Decode | None], Document | None]
"""From bytes, their charset and the codec to a document; None where the bytes are not of the reader's kind."""


def _reader(media: str, data: bytes) -> Reader:
    if media.startswith("multipart/"):
        raise Unreadable("is of several parts")
    for ending, reader in READERS.items():
        if media.endswith(ending):
            return reader
    if media in ("", "text/plain", "application/octet-stream"):
        return SNIFFED.get(data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1], _text)
    return _text if media.startswith("text/") or media.endswith("script") else _as_bytes


def _json(data: bytes, charset: str, _decode: Decode | None) -> Document | None:
    text = _utf_8(data, charset).removeprefix(b"\xef\xbb\xbf")
    try:
        value = _exact(text) if _LONG_NUMBER in text.translate(_DIGITS) else orjson.loads(text)
        return Document("json", value, canonical(value), shape_of(value))
    except (RecursionError, TypeError) as error:
        raise Unreadable("is nested too deep") from error
    except orjson.JSONDecodeError as error:
        if "depth" in str(error):
            raise Unreadable("is nested too deep") from error
        return None
    except (ValueError, InvalidOperation):
        return None


def _utf_8(data: bytes, charset: str) -> bytes:
    """Text of any charset in UTF-8; as it is, where that cannot be told."""
    if charset in ("", "utf-8", "utf8", "us-ascii"):
        return data
    try:
        return data.decode(charset).encode()
    except (LookupError, ValueError):
        return data


def _exact(text: bytes) -> Any:
    """JSON whose numbers keep every digit."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    def integer(digits: str) -> int | Decimal:
        return int(digits) if len(digits) < 16 else Decimal(digits)

    return json.loads(text, parse_float=Decimal, parse_int=integer, parse_constant=refuse)


def _xml(data: bytes, charset: str, decode: Decode | None) -> Document | None:
    try:
        found = read_xml(data, charset)
    except NotXml:
        return None
    if isinstance(found, Element):
        return Document("xml", found, in_order(found), shape_of(next(iter(found.values()))))
    if found.fault:
        return Document("soap", found.body, in_order(found.body), "fault")
    decoded = _decoded(data, decode)
    if decoded is not None:
        return decoded
    content = {name: each for name, each in found.body.items() if name[0] != "@" and name not in _ABOUT}
    return Document("soap", found.body, in_order(found.body), shape_of(content))


def _decoded(data: bytes, decode: Decode | None) -> Document | None:
    if decode is None:
        return None
    try:
        value = decode(data)
    except ValueError:
        return None
    return Document("soap", value, canonical(value), shape_of(value), decoded=True)


def _form(data: bytes, charset: str, _decode: Decode | None) -> Document | None:
    try:
        pairs = parse_qsl(data.decode("ascii"), True, True, charset or "utf-8", max_num_fields=_MOST_FIELDS)
    except (LookupError, ValueError):
        return None
    fields: dict[str, list[str]] = {}
    for name, text in sorted(pairs, key=itemgetter(0)):
        fields.setdefault(name, []).append(text)
    found = Element((name, texts[0] if len(texts) == 1 else Repeated(texts)) for name, texts in fields.items())
    return Document("form", found, in_order(found), "one")


def _text(data: bytes, charset: str, _decode: Decode | None) -> Document | None:
    try:
        text = data.decode(charset or "utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
        return Document("text", text, canonical(text), "text")
    except (LookupError, ValueError, TypeError):
        return None


def _as_bytes(data: bytes, _charset: str, _decode: Decode | None) -> Document | None:
    return _bytes(data)


def _bytes(data: bytes) -> Document:
    digest = f"{len(data)} bytes, blake2b {blake2b(data, digest_size=16).hexdigest()}"
    return Document("bytes", digest, digest.encode(), "binary")


READERS: dict[str, Reader] = {"json": _json, "xml": _xml, "/x-www-form-urlencoded": _form}
"""By how the media type ends: `application/json`, `application/problem+json`, `text/xml`, `application/soap+xml` ..."""
SNIFFED: dict[bytes, Reader] = {b"{": _json, b"[": _json, b"<": _xml}
"""By the first byte, where the media type says nothing."""


# ------------------------------------------------------------------------------------------------ shapes


def shape_of(value: Any) -> str:
    """empty, one or many: what an answer has been seen to hold."""
    if value is None or value in ("", [], {}):
        return "empty"
    return "many" if _has_many(value, _LEVELS) else "one"


def _has_many(value: Any, levels: int) -> bool:
    if isinstance(value, list) and len(value) > 1:
        return True
    if not levels or not isinstance(value, list | dict):
        return False
    for each in value.values() if isinstance(value, dict) else value:  # any() would make a generator for each
        if each.__class__ not in SCALARS and _has_many(each, levels - 1):
            return True
    return False
