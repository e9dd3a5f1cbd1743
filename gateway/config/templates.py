"""Path templates and what stands around them: `GET /repairs/{id}`, `SOAP /Rents.asmx#GetBalance`, `/v2/{id}`.

A match's template is split into segments first and decoded then, as request paths are; a target's path stays as it
will be sent, with placeholders for values of the request.
"""

import re
from typing import Literal, NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.config.problems import Unreadable
from gateway.config.words import METHODS, method, text_of
from gateway.core.model import Match, Placeholder, Segment, SoapOperation

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")
_PLAIN = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_OPERATION = re.compile(r"[A-Za-z_][\w.-]*")
_ELEMENT = re.compile(r"(?:\{([^{}\s]*)\})?([A-Za-z_][\w.-]*)")
_VISIBLE = re.compile(r"[!-~]*")
_EXPRESSION = re.compile(r"\{([^{}]*)\}")
_WAY = re.compile(r"[A-Za-z_@][\w-]*(?:\.[A-Za-z_@][\w-]*)*")
_SOURCED = re.compile(r"(path|query|header)\.([A-Za-z0-9_.~-]+)")

Source = Literal["path", "query", "header"]


# ------------------------------------------------------------------------------------------------ what a route takes


def match_text(value: object) -> Match:
    """The short form of a match: `GET /path`, `GET,POST /path`, `ANY /path`, `SOAP /path#Operation`."""
    words = text_of(value).split()
    if len(words) != 2 or not words[1].startswith("/"):
        raise Unreadable("{written} is not a match; write GET /path, GET,POST /path, ANY /path or SOAP /path#Operation")
    verb, path = words
    if verb != "SOAP":
        return Match(methods(verb), template(path))
    path, _, name = path.partition("#")
    if not name:
        raise Unreadable("{written} names no operation; write SOAP /path#Operation")
    return Match((b"POST",), template(path), soap=SoapOperation(operation(name), name))


def methods(verb: str) -> tuple[bytes, ...]:
    """`GET`, `GET,POST`, or `ANY`, which is stored as none."""
    if verb == "ANY":
        return ()
    names = tuple(verb.split(","))
    wrong = next((name for name in names if name not in METHODS), None)
    if wrong is not None:
        method(wrong)
    if len(set(names)) < len(names):
        raise Unreadable("{written} names a method twice")
    return tuple(name.encode() for name in names)


def template(path: str) -> tuple[Segment, ...]:
    """A path template's segments: literal (decoded), `{name}` for one segment, `**` at the end for the rest."""
    if not path.startswith("/"):
        raise Unreadable("{written}: a path starts with /")
    if "?" in path or "#" in path:
        raise Unreadable("{written}: a path holds no query and no fragment; use `query:` of the long form")
    parts = path[1:].split("/")
    segments = tuple(_segment(part, last=at == len(parts) - 1) for at, part in enumerate(parts))
    names = [segment.text for segment in segments if segment.kind == "one"]
    if len(set(names)) < len(names):
        raise Unreadable("{written} uses one {name} twice")
    return segments


def _segment(part: str, *, last: bool) -> Segment:
    if part == "**":
        if not last:
            raise Unreadable("{written}: ** takes the rest of a path, so it stands only at the end")
        return Segment("rest", b"")
    if _PLAIN.fullmatch(part):
        return Segment("literal", part.encode())
    parameter = _PARAMETER.fullmatch(part)
    if parameter is not None:
        return Segment("one", parameter[1].encode())
    if not part and not last:
        raise Unreadable("{written} has an empty segment (//); write one / between segments")
    if "{" in part or "}" in part:
        raise Unreadable("{written}: a {name} (letters, digits, _ and -) fills a whole segment between two /")
    if "*" in part:
        raise Unreadable("{written}: * stands for nothing here; write {name} for one segment, or ** at the end")
    return Segment("literal", _literal(part))


def _literal(part: str) -> bytes:
    """A literal segment, decoded; refused where the wire would refuse the request."""
    if _BAD_ESCAPE.search(part):
        raise Unreadable("{written} has a % that is not followed by two hexadecimal digits")
    decoded = unquote_to_bytes(part)
    if b"\\" in decoded or b"\x00" in decoded or not part.isprintable():
        raise Unreadable("{written} has a character that no request path may hold")
    if decoded.partition(b";")[0] in (b".", b".."):
        raise Unreadable("{written} has a dot segment, which no request path may hold; write the path it leads to")
    return decoded


class Element(NamedTuple):
    """An XML element: its local name, and its namespace (None: any)."""

    name: str
    namespace: str | None = None


def operation(value: object) -> str:
    """The name of a SOAP operation."""
    text = text_of(value)
    if not _OPERATION.fullmatch(text):
        raise Unreadable("{written} is not the name of an operation; write one such as GetBalance")
    return text


def element(value: object) -> Element:
    """`Name` or `{namespace}Name`."""
    found = _ELEMENT.fullmatch(text_of(value))
    if found is None:
        raise Unreadable("{written} is not an element; write GetBalance or {namespace}GetBalance")
    return Element(found[2], found[1])


# ------------------------------------------------------------------------------------------------ where it is sent


def target_path(value: object) -> tuple[bytes | Placeholder, ...]:
    """A target's path: literal bytes and placeholders in turn."""
    text = text_of(value)
    if not text.startswith("/"):
        raise Unreadable("{written}: a path starts with /")
    parts: list[bytes | Placeholder] = []
    for at, part in enumerate(_EXPRESSION.split(text)):
        if at % 2:
            parts.append(_placeholder(part))
        elif part:
            parts.append(_sent(part))
    return tuple(parts)


def _placeholder(expression: str) -> Placeholder:
    if expression == "**":
        return Placeholder("rest", b"")
    head, dot, way = expression.partition(".")
    if head == "claim" and dot:
        raise Unreadable("{written}: {claim...} needs tokens that are verified, which is not built yet")
    if head == "body" and _WAY.fullmatch(way):
        return Placeholder("body", way.encode())
    found = _SOURCED.fullmatch(expression if "." in expression else f"path.{expression}")
    if found is None:
        raise Unreadable("{written}: a placeholder is {name}, {path.name}, {query.name}, {header.name} or {**}")
    source: Source = "path" if found[1] == "path" else "query" if found[1] == "query" else "header"
    return Placeholder(source, (found[2].lower() if source == "header" else found[2]).encode())


def _sent(literal: str) -> bytes:
    if "{" in literal or "}" in literal:
        raise Unreadable("{written}: a { or } stands alone; a placeholder is {name}")
    if "?" in literal or "#" in literal:
        raise Unreadable("{written}: a target's path holds no query; the request's own is passed on")
    if not _VISIBLE.fullmatch(literal) or "\\" in literal or _BAD_ESCAPE.search(literal):
        raise Unreadable("{written} cannot be sent as it is; percent-encode what is not plain ASCII")
    if any(unquote_to_bytes(segment).partition(b";")[0] in (b".", b"..") for segment in literal.split("/")):
        raise Unreadable("{written} has a dot segment; write the path it leads to")
    return literal.encode()
