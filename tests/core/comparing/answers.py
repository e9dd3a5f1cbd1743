"""Answers and samples for the tests of comparing."""

from typing import Any

import orjson

from gateway.core.captured import CapturedAnswer, CapturedRequest, Sample
from gateway.core.comparing.documents import Decode, Document, read
from gateway.core.comparing.rules import Rules, compiled
from gateway.core.model import LEGACY, Side
from gateway.core.policies import Compare, Pointer

REQUEST = CapturedRequest(b"GET", b"/rents/1/balance", b"council.example", ())
ENVELOPE = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'


def answer(body: bytes, media: str = "", status: int = 200, **fields: str) -> CapturedAnswer:
    """An answer with a content type and other fields, `_` for `-` in their names."""
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    given = [(b"Content-Type", media.encode())] if media else []
    return CapturedAnswer(status, (*given, *named), body)


def as_json(value: Any, status: int = 200) -> CapturedAnswer:
    return answer(orjson.dumps(value), "application/json", status)


def as_xml(text: str, status: int = 200) -> CapturedAnswer:
    return answer(text.encode(), "text/xml; charset=utf-8", status)


def as_soap(text: str, status: int = 200) -> CapturedAnswer:
    return as_xml(ENVELOPE.format(text), status)


def document(given: CapturedAnswer, decode: Decode | None = None) -> Document:
    """The document of an answer that has one."""
    found = read(given, decode)
    assert isinstance(found, Document)
    return found


def sample(
    control: CapturedAnswer, candidate: CapturedAnswer, second: CapturedAnswer | None = None, side: Side = LEGACY
) -> Sample:
    return Sample(0.0, "rent-balance", side, b"request", 1, control, candidate, second=second)


def pointer(text: str) -> Pointer:
    """`/a/*/b` as a pointer."""
    return tuple(text.split("/")[1:])


def rules(**said: Any) -> Rules:
    """Rules as `Compare` has them, with pointers written as text."""
    read_as: dict[str, Any] = {}
    for name, value in said.items():
        if name == "headers":
            read_as[name] = tuple(each.encode() for each in value)
        elif isinstance(value, dict):
            read_as[name] = tuple((pointer(key), setting) for key, setting in value.items())
        else:
            read_as[name] = tuple(pointer(each) for each in value)
    return compiled(Compare(**read_as))
