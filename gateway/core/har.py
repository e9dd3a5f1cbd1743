"""Recorded traffic as HAR 1.2 (softwareishard.com/blog/har-12-spec): redacted when written, judged when read.

Written is what `masking` lets pass. Read is what can be sent again as it was: a request of which a part is masked
or missing is another request, so it is skipped, and the reader is told why.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from string import punctuation
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote

from gateway.core.captured import CapturedAnswer, CapturedRequest, Recorded
from gateway.core.fields import fields_of, names_and_values
from gateway.core.headers import request_shape
from gateway.core.masking import Fields, Mask, address_parts, masked_fields, masked_target, masked_text, masked_value
from gateway.core.secrecy import MASK
from gateway.errors import CommandError

# ------------------------------------------------------------------------------------------------ written


def har_of(entries: Iterable[Recorded], mask: Mask, *, version: str, bodies: bool = False) -> dict[str, Any]:
    """A HAR document as plain JSON values. Bodies of requests are kept only if `bodies`, those of answers never.

    `version` is this gateway's. No credential is in it: fields that may hold one are left out, whatever their value.
    """
    written = [_entry(each, mask, bodies) for each in entries]
    return {"log": {"version": "1.2", "creator": {"name": "banyan", "version": version}, "entries": written}}


def _entry(recorded: Recorded, mask: Mask, bodies: bool) -> dict[str, Any]:
    milliseconds = round(recorded.answer.seconds * 1_000, 3)
    return {
        "startedDateTime": datetime.fromtimestamp(recorded.at, UTC).isoformat(timespec="milliseconds"),
        "time": milliseconds,
        "request": _written_request(recorded, mask, bodies),
        "response": _written_answer(recorded.answer, mask),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def _written_request(recorded: Recorded, mask: Mask, bodies: bool) -> dict[str, Any]:
    request = recorded.request
    target = masked_target(_origin_form(request.target.decode("latin-1")), mask)
    pairs = (pair.partition("=") for pair in target.partition("?")[2].split("&") if pair)
    written: dict[str, Any] = {
        "method": request.method.decode("latin-1"),
        "url": recorded.origin + target,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request.fields, mask),
        "queryString": [{"name": unquote(name), "value": unquote(value)} for name, _, value in pairs],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    text = _text(request.body) if bodies else ""
    if text:
        media = masked_value("content-type", _first(request.fields, b"content-type"), mask)
        written["postData"] = {"mimeType": media, "text": masked_text(text, mask)}
    return written


_PHRASES = {each.value: each.phrase for each in HTTPStatus}


def _written_answer(answer: CapturedAnswer, mask: Mask) -> dict[str, Any]:
    """An answer without its body; `_error` (names of our own begin with `_`) tells why there was no whole one."""
    size = -1 if answer.body is None else len(answer.body)
    media = masked_value("content-type", _first(answer.fields, b"content-type"), mask)
    written = {
        "status": answer.status,
        "statusText": _PHRASES.get(answer.status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(answer.fields, mask),
        "content": {"size": max(size, 0), "mimeType": media},
        "redirectURL": masked_value("location", _first(answer.fields, b"location"), mask),
        "headersSize": -1,
        "bodySize": size,
    }
    return {**written, "_error": answer.error} if answer.error else written


def _headers(fields: Fields, mask: Mask) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in masked_fields(fields, mask)]


def _first(fields: Fields, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in fields if name.lower() == wanted), "")


def _text(body: bytes) -> str:
    """A body that is text in UTF-8; "" for any other, in which nothing could be found that has to be masked."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in text else text  # UTF-16 without a mark passes for UTF-8


# ------------------------------------------------------------------------------------------------ read


class Skipped(NamedTuple):
    """An entry that cannot be replayed: its number in the document, from 1, and why."""

    entry: int
    why: str


class Recording(NamedTuple):
    """The requests of a document that can be sent again, in its order, and the entries that cannot."""

    requests: tuple[CapturedRequest, ...]
    skipped: tuple[Skipped, ...]


_TOLD = 10


def requests_of(document: object) -> Recording:
    """The requests of a HAR document, as json.loads gives it: one of ours, or of a browser.

    Origins, hop-by-hop fields, pseudo-header fields of HTTP/2 and fields that were masked are dropped. Raises
    CommandError for what is no HAR, with the numbers of the entries and what is wrong with them.
    """
    requests: list[CapturedRequest] = []
    skipped: list[Skipped] = []
    problems: list[str] = []
    for number, entry in enumerate(_member(_member(document, "log", dict), "entries", list), 1):
        try:
            found = _read_request(_member(entry, "request", dict))
        except CommandError as error:
            problems.append(f"Entry {number}: {error}")
            continue
        if isinstance(found, CapturedRequest):
            requests.append(found)
        else:
            skipped.append(Skipped(number, found))
    if problems:
        more = [f"... and {len(problems) - _TOLD} more entries."] if len(problems) > _TOLD else []
        raise CommandError("\n".join(problems[:_TOLD] + more))
    return Recording(tuple(requests), tuple(skipped))


T = TypeVar("T", str, list[Any], dict[str, Any])
_WORDS = {str: "a text", list: "a list", dict: "an object"}


def _member(of: object, name: str, kind: type[T]) -> T:
    value = of.get(name) if isinstance(of, dict) else None
    if not isinstance(value, kind):
        raise CommandError(f"`{name}` is missing, or is not {_WORDS[kind]}, as it is in HAR 1.2.")
    return value


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_AUTHORITY = re.compile(r"[!-~]+")


def _read_request(request: dict[str, Any]) -> CapturedRequest | str:
    """One request, or why it cannot be sent again."""
    method = _member(request, "method", str)
    if _TOKEN.fullmatch(method) is None:
        raise CommandError(f"{method!r} is no method of HTTP.")
    scheme, authority, target, _ = address_parts(_member(request, "url", str))
    if scheme.lower() not in ("http:", "https:"):
        return "its address is not one of HTTP"
    if _AUTHORITY.fullmatch(authority) is None:
        raise CommandError("The host in `url` is missing, or cannot be sent as it is.")
    if MASK in unquote(target):
        return "a part of its address is masked"
    body = _read_body(request)
    if isinstance(body, str):
        return body
    written = quote(_origin_form(target), safe=punctuation, errors="replace").encode()
    return CapturedRequest(method.encode(), written, authority.encode(), _read_fields(request), body)


def _origin_form(target: str) -> str:
    """Path and query of a target that may be an address (RFC 9112, section 3.2)."""
    if target.startswith("/"):
        return target
    path = address_parts(target)[2]
    return path if path.startswith("/") else f"/{path}"


def _read_fields(request: dict[str, Any]) -> tuple[tuple[bytes, bytes], ...]:
    """The end-to-end fields that are whole."""
    raw: list[tuple[bytes, bytes]] = []
    nominated: set[bytes] = set()
    for header in _member(request, "headers", list):
        name, value = _member(header, "name", str), _member(header, "value", str)
        if name.startswith(":") or value == MASK:
            continue
        if _TOKEN.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise CommandError(f"The header {name!r} has characters that cannot be sent.")
        raw.append((name.encode(), _bytes_of(value)))
        if name.lower() == "connection":
            nominated.update(option.strip() for option in raw[-1][1].lower().split(b","))
    names, values = names_and_values(raw)
    crossing = fields_of(request_shape(names).lines(values))
    return tuple(field for field in crossing if field[0].lower() not in nominated)


def _bytes_of(value: str) -> bytes:
    """A field's value: in the letters of HTTP, and in UTF-8 where there are others (RFC 9110, section 5.5)."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode(errors="replace")


def _read_body(request: dict[str, Any]) -> bytes | str:
    """The body, or why there is none to send."""
    if request.get("postData") is None:
        size = request.get("bodySize")
        return "its body was not recorded" if isinstance(size, int) and size > 0 else b""
    data = _member(request, "postData", dict)
    if "text" not in data:
        return "its body was recorded in parts" if data.get("params") else b""
    text = _member(data, "text", str)
    if text == MASK:
        return "its body is masked"
    if "base64" not in (data.get("encoding"), data.get("_encoding")):
        return text.encode(errors="replace")
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise CommandError("`postData` says that its text is base64, and it is not.") from error
