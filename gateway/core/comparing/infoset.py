"""XML as values: what its infoset says, and nothing of how it was written.

Prefixes, the order of attributes, comments and the space between elements mean nothing. Elements become members by
their local names; `@name` is an attribute, `#text` the text beside attributes, `#mixed` text among elements, `#order`
names that take turns. `xsi:nil` is null. Which namespaces the names are in stands once, at the top, in `#namespaces`.
"""

from itertools import groupby
from typing import Any, NamedTuple
from xml.parsers import expat

from gateway.core.comparing.codings import Unreadable
from gateway.core.comparing.values import Element, Repeated
from gateway.core.problems import SOAP_11, SOAP_12

NAMESPACES = "#namespaces"
DEEPEST = 200
"""Deeper than any message that means well."""
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XML = "http://www.w3.org/XML/1998/namespace"
_HINTS = frozenset({"schemaLocation", "noNamespaceSchemaLocation", "nil"})
_CODES = frozenset({("", "faultcode"), (SOAP_12, "Value")})
"""Elements whose text is a qualified name: the codes of faults (SOAP 1.1, 4.4; SOAP 1.2, part 1, 5.4.6)."""


class NotXml(Exception):
    """The bytes are not well-formed XML."""


class Envelope(NamedTuple):
    """What a SOAP envelope's Body holds: the content of its one child, named by `#element`, or of all, by their names.

    So pointers begin where those of a codec do, below the message's own element.
    """

    body: Element
    fault: bool


def read_xml(data: bytes, charset: str) -> Element | Envelope:
    """A document, as `{root: content}`, or an envelope's Body. `charset` is the content type's ("" for none).

    Raises NotXml, and Unreadable for what is refused: a DOCTYPE, and elements nested more than 200 deep.
    """
    reading = _Reading()
    try:
        reading.feed(data, charset)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise NotXml from error
    (content,) = reading.document.values()
    spaces = {local: " ".join(sorted(found)) for local, found in reading.spaces.items() if found != {""}}
    named = {NAMESPACES: spaces} if spaces else {}
    if not reading.is_envelope:
        return Element(reading.document | named)
    body = content.get("Body") if isinstance(content, Element) else None
    items = body.items() if isinstance(body, Element) else ()
    children = Element((name, child) for name, child in items if name[0] != "@")
    return Envelope(Element(_message(children) | named), "Fault" in children)


def _message(children: Element) -> Element:
    if len(children) != 1:
        return children
    ((name, content),) = children.items()
    if isinstance(content, Element):
        return Element({"#element": name, **content})
    return Element({"#element": name, "#text": content} if content else {"#element": name})


class _Open:
    """An element that has begun: its namespace, its local name, its attributes, and the pieces of its content."""

    __slots__ = ("attributes", "local", "nil", "pieces", "space")

    def __init__(self, space: str, local: str) -> None:
        self.space = space
        self.local = local
        self.attributes = Element()
        self.nil = False
        self.pieces: list[str | tuple[str, Any]] = []


class _Reading:
    """One document, from its first byte to its last."""

    def __init__(self) -> None:
        self.document = Element()
        self.is_envelope = False
        self.spaces: dict[str, set[str]] = {}
        self._stack: list[_Open] = []
        self._prefixes: dict[str, list[str]] = {}

    def feed(self, data: bytes, charset: str) -> None:
        parser = expat.ParserCreate(charset or None, namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartNamespaceDeclHandler = self._declare
        parser.EndNamespaceDeclHandler = self._forget
        parser.StartDoctypeDeclHandler = self._refuse
        parser.Parse(data, True)

    def _refuse(self, *_: object) -> None:
        raise Unreadable("has a DOCTYPE")

    def _declare(self, prefix: str | None, space: str | None) -> None:
        self._prefixes.setdefault(prefix or "", []).append(space or "")

    def _forget(self, prefix: str | None) -> None:
        self._prefixes[prefix or ""].pop()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._stack) == DEEPEST:
            raise Unreadable(f"has elements nested more than {DEEPEST} deep")
        space, _, local = name.rpartition(" ")
        begun = _Open(space, local)
        if not self._stack:
            self.is_envelope = local == "Envelope" and space in (SOAP_11, SOAP_12)
        if not self.is_envelope or (len(self._stack) > 1 and self._stack[1].local == "Body"):
            self.spaces.setdefault(local, set()).add(space)
        for attribute in sorted(attributes):
            self._attribute(begun, attribute, attributes[attribute])
        self._stack.append(begun)

    def _attribute(self, begun: _Open, name: str, value: str) -> None:
        space, _, local = name.rpartition(" ")
        if space == _XSI and local in _HINTS:
            begun.nil = begun.nil or (local == "nil" and value.strip() in ("true", "1"))
        elif space == _XSI:
            begun.attributes["@type"] = self._resolved(value)
        else:
            begun.attributes[f"@{{{space}}}{local}" if space not in ("", _XML) else f"@{local}"] = value

    def _resolved(self, name: str) -> str:
        """A qualified name without its prefix, which means nothing: `{namespace}local`."""
        prefix, _, local = name.strip().rpartition(":")
        spaces = self._prefixes.get(prefix) or [""]
        return f"{{{spaces[-1]}}}{local}" if spaces[-1] else local

    def _text(self, text: str) -> None:
        self._stack[-1].pieces.append(text)

    def _end(self, _name: str) -> None:
        ended = self._stack.pop()
        value = _content(ended)
        if (ended.space if ended.local == "Value" else "", ended.local) in _CODES and isinstance(value, str):
            value = self._resolved(value)
        if self._stack:
            self._stack[-1].pieces.append((ended.local, value))
        else:
            self.document[ended.local] = value


def _content(ended: _Open) -> Any:
    """What an element holds: null, a text, or its members."""
    if ended.nil:
        return None
    children = [piece for piece in ended.pieces if isinstance(piece, tuple)]
    text = "".join(piece for piece in ended.pieces if isinstance(piece, str))
    members, text = ended.attributes, text if text.strip() else ""
    if not children:
        if not members:
            return text
        if text:
            members["#text"] = text
        return members
    if text:
        members["#mixed"] = [piece if isinstance(piece, str) else Element([piece]) for piece in ended.pieces]
        return members
    _gather(members, children)
    return members


def _gather(members: Element, children: list[tuple[str, Any]]) -> None:
    """Children by name; those of one name together, with the order noted where others stand between them."""
    for name, value in children:
        if name not in members:
            members[name] = value
        elif isinstance(members[name], Repeated):
            members[name].append(value)
        else:
            members[name] = Repeated([members[name], value])
    runs = [name for name, _ in groupby(name for name, _ in children)]
    if len(runs) > len(set(runs)):
        members["#order"] = " ".join(runs)
