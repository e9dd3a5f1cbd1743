"""Messages of SOAP as people are shown them: an element to a line, no passwords, and only the size of attachments."""

import re
from collections.abc import Collection

from lxml import etree

from connectors.soap.multipart import END, Event, Head, MultipartRefused, Reader
from gateway.core.secrecy import MASK

_PASSWORD = re.compile(r"(<(?:[\w.-]+:)?Password\b[^>]*>)[^<]*")
_PACKAGE = re.compile(rb"\s*--([^\r\n]{1,70}?)[ \t]*\r?\n")


def envelope(data: bytes, secrets: Collection[str] = ()) -> str:
    """An envelope with an element to a line, without passwords and other secrets; what is no XML as it came."""
    if package := _PACKAGE.match(data):
        try:
            return _parts(data, package[1].decode("latin-1"), secrets)
        except MultipartRefused:
            pass  # it is shown as the text that it is
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return _masked(data.decode("utf-8", "replace"))
    for element in root.iter(etree.Element):
        if element.text in secrets:
            element.text = MASK
        for name in [name for name, value in element.items() if value in secrets]:
            element.set(name, MASK)
    etree.indent(root)
    return _masked(etree.tostring(root, encoding="unicode"))


def _parts(data: bytes, boundary: str, secrets: Collection[str]) -> str:
    """The parts of a package. Raises MultipartRefused."""
    reader = Reader(boundary)
    events = reader.feed(data)
    reader.finish()
    return "\n".join(_part(events[start:end], secrets) for start, end in _spans(events))


def _spans(events: list[Event]) -> list[tuple[int, int]]:
    """Where each part begins and ends."""
    starts = [at for at, event in enumerate(events) if isinstance(event, Head)]
    return list(zip(starts, (at for at, event in enumerate(events) if event is END), strict=True))


def _part(events: list[Event], secrets: Collection[str]) -> str:
    """One part: an envelope, or what can be said about an attachment."""
    content = b"".join(event for event in events if isinstance(event, bytes))
    if b"Envelope" in content[:1_000]:
        return envelope(content, secrets)
    head = events[0]
    assert isinstance(head, Head), "a part begins with its head"
    kind = head.fields.get("content-type", b"no type").decode("latin-1")
    return f"and {len(content)} bytes ({kind}), {head.id or head.name or 'without a name'}"


def _masked(text: str) -> str:
    return _PASSWORD.sub(rf"\1{MASK}", text)
