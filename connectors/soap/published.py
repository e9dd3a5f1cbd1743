"""A loaded WSDL cut for publishing: where its files name the service's address, or one another, holes are left.

expat says where a tag stands in the bytes; everything between the holes is those bytes. `gateway/core/published.py`
fills them. A file in an encoding other than UTF-8, ASCII or ISO 8859-1 (UTF-16, say) is published in UTF-8.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Literal, NamedTuple
from urllib.parse import quote, unquote
from xml.parsers import expat

from connectors.soap import catalogue
from connectors.soap.addressing import WSA, WSA_2004
from connectors.soap.documents import ADDRESS
from connectors.soap.mending import SOAP_11, SOAP_12
from connectors.soap.repairs import WSDL, XSD
from gateway.core.published import Hole, Page, Published

_CATALOGUE = "catalogue:"
_HTTP = "http://schemas.xmlsoap.org/wsdl/http/"
_ORIGIN = re.compile(r"\s*https?://(?:[^/?#@\s]*@)?(\[[^]/]*]|[^/?#:\s]*)[^/?#\s]*", re.IGNORECASE)
"""Scheme and authority; the group is the host."""
_NAME = re.compile(rb"<[^\s/>]+")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_END = re.compile(rb"\s*(/?)>")
_DECLARED = re.compile(r"(?<=<\?xml)([^>]*?\sencoding\s*=\s*[\"'])([A-Za-z0-9._-]+)")
_AS_IS = frozenset({"utf-8", "us-ascii", "ascii", "iso-8859-1"})
Kind = Literal["address", "http", "wsdl", "xsd"]
_REFERENCES: dict[str, tuple[str, Kind]] = {
    f"{WSDL} import": ("location", "wsdl"),
    f"{WSDL} include": ("location", "wsdl"),
    f"{XSD} import": ("schemaLocation", "xsd"),
    f"{XSD} include": ("schemaLocation", "xsd"),
    f"{XSD} redefine": ("schemaLocation", "xsd"),
}
_ADDRESSES = frozenset(f"{space} address" for space in (SOAP_11, SOAP_12))
_REFERENCE = frozenset(f"{space} EndpointReference" for space in (WSA, WSA_2004))
_ADDRESS = frozenset(f"{space} Address" for space in (WSA, WSA_2004))


class Spot(NamedTuple):
    """Where a file names an address, or another file: from `start` to `end` in its bytes; `value` is what it says.

    `namespace` is that of the other file.
    """

    kind: Kind
    start: int
    end: int
    value: str
    namespace: str = ""


Found = dict[str, tuple[bytes, str, list[Spot]]]
"""Files by name: their bytes, their encoding, and what is named in them."""


def published(main: str, documents: Mapping[str, bytes]) -> Published | None:
    """A WSDL's files as they are to be served; None where the WSDL itself cannot be."""
    found = _found(documents)
    if main not in found:
        return None
    found |= _found(_well_known(found))
    own = _own_hosts(spot for _, _, seen in found.values() for spot in seen)
    pages = {name: _page(name, *each, own, found.keys()) for name, each in found.items()}
    return Published(main, tuple(pages.items()))


def _found(documents: Mapping[str, bytes]) -> Found:
    """The files that can be read."""
    found: Found = {}
    for name, data in documents.items():
        text = _plain(data)
        if text is not None and (seen := spots(text[0])) is not None:
            found[name] = (*text, seen)
    return found


def _well_known(found: Found) -> dict[str, bytes]:
    """The schemas of the catalogue that files name as if they lay beside them: clients look for them there."""
    known = frozenset(found)
    named = [(name, spot) for name, (_, _, seen) in found.items() for spot in seen if spot.kind in ("wsdl", "xsd")]
    wanted = [spot.namespace for name, spot in named if meant(name, spot.value, known) is None and _is_relative(spot)]
    entries = [entry for namespace in wanted if (entry := catalogue.find(namespace)) is not None]
    return {_CATALOGUE + entry.name: entry.read_bytes() for entry in entries}


def _is_relative(spot: Spot) -> bool:
    return bool(spot.value) and not ADDRESS.match(spot.value)


def _plain(data: bytes) -> tuple[bytes, str] | None:
    """A file in an encoding whose tags can be read byte for byte, and that encoding; None for one nobody knows."""
    wide = b"\0" in data[:4]
    start = data[:200].replace(b"\0", b"").decode("latin-1")
    declared = _DECLARED.search(start)
    charset = declared[2].lower() if declared is not None else "utf-16" if wide else "utf-8"
    if charset in _AS_IS and not wide:
        return data, charset
    if wide and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    try:
        text = data.decode(charset)
    except (LookupError, UnicodeError):
        return None
    return _DECLARED.sub(r"\1utf-8", text, count=1).encode(), "utf-8"


# ------------------------------------------------------------------------------------------------ finding


def spots(data: bytes) -> list[Spot] | None:
    """Where a file names addresses and other files, in order; None for a file that expat cannot read."""
    looking = _Looking(data)
    return looking.found if looking.read() else None


class _Looking:
    """One look through a file."""

    def __init__(self, data: bytes) -> None:
        self.found: list[Spot] = []
        self._data = data
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._path: list[str] = []
        self._text_from = -1

    def read(self) -> bool:
        try:
            self._parser.Parse(self._data, True)
        except (expat.ExpatError, ValueError, LookupError):
            return False
        return True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _ADDRESSES:
            self._note("address", "location", attributes)
        elif name == f"{_HTTP} address":
            self._note("http", "location", attributes)
        elif name in _REFERENCES:
            attribute, kind = _REFERENCES[name]
            self._note(kind, attribute, attributes)
        elif name in _ADDRESS and self._path[-2:-1] == [f"{WSDL} port"] and self._path[-1] in _REFERENCE:
            self._text_from = self._tag()[1]
        self._path.append(name)

    def _end(self, _name: str) -> None:
        self._path.pop()
        if self._text_from >= 0:
            start, end, self._text_from = self._text_from, self._parser.CurrentByteIndex, -1
            if end > start:
                self.found.append(Spot("address", start, end, self._data[start:end].decode("latin-1").strip()))

    def _note(self, kind: Kind, attribute: str, attributes: Mapping[str, str]) -> None:
        if attribute in attributes:
            start, end = self._tag()[0][attribute.encode()]
            value, space = attributes[attribute].strip(), attributes.get("namespace", "").strip()
            self.found.append(Spot(kind, start, end, value, space))

    def _tag(self) -> tuple[dict[bytes, tuple[int, int]], int]:
        """Where the values of the current tag's attributes stand, by their names as written; and where it ends."""
        data, at = self._data, self._parser.CurrentByteIndex
        name = _NAME.match(data, at)
        at = at if name is None else name.end()
        places = {}
        while (attribute := _ATTRIBUTE.match(data, at)) is not None:
            at = attribute.end()
            places[attribute[1]] = attribute.span(3 if attribute[2] is None else 2)
        end = _END.match(data, at)
        return places, at if end is None else end.end()


def _own_hosts(found: Iterable[Spot]) -> frozenset[str]:
    """The hosts that the service says it has."""
    origins = (_ORIGIN.match(spot.value) for spot in found if spot.kind in ("address", "http"))
    return frozenset(origin[1].lower() for origin in origins if origin is not None)


# ------------------------------------------------------------------------------------------------ cutting


def _page(name: str, data: bytes, charset: str, found: list[Spot], own: frozenset[str], names: Iterable[str]) -> Page:
    pieces: list[bytes | Hole] = []
    known, at = frozenset(names), 0
    for start, end, hole in _holes(name, data, found, own, known):
        pieces += [data[at:start], hole]
        at = end
    pieces.append(data[at:])
    written = b"\0".join(each if isinstance(each, bytes) else repr(each).encode() for each in pieces)
    return Page(tuple(pieces), charset, sha256(written).digest())


def _holes(
    name: str, data: bytes, found: list[Spot], own: frozenset[str], known: frozenset[str]
) -> Iterator[tuple[int, int, Hole]]:
    """What of a file is to be replaced, in order: from where to where, and by what."""
    for spot in found:
        kind, start, end, value, _ = spot
        origin = _ORIGIN.match(value)
        if kind == "address":
            yield start, end, Hole("address")
        elif origin is not None:
            if kind == "http" or origin[1].lower() in own:
                yield start, start + _width(data[start:end]), Hole("origin")
        elif kind != "http" and (file := meant(name, value, known) or _in_catalogue(spot, known)):
            yield start, end, Hole("address", f"?{kind}={quote(file)}".encode())


def _in_catalogue(spot: Spot, known: frozenset[str]) -> str | None:
    entry = catalogue.find(spot.namespace) if _is_relative(spot) else None
    return _CATALOGUE + entry.name if entry is not None and _CATALOGUE + entry.name in known else None


def _width(written: bytes) -> int:
    """The length of an address's origin, as it is written."""
    origin = _ORIGIN.match(written.decode("latin-1"))
    return len(written) if origin is None else origin.end()


def meant(asking: str, location: str, names: frozenset[str]) -> str | None:
    """The file that a relative location means: seen from the folder of the file that names it, then from higher ones.

    So the loader looks for it, too (`documents.py`).
    """
    name = location.removeprefix("classpath:")
    for spelling in dict.fromkeys((name, unquote(name), unquote(name).replace("\\", "/"))):
        for folder in PurePosixPath(asking).parents:
            path = normpath(folder / spelling.lstrip("/"))
            if path in names:
                return path
    return None
